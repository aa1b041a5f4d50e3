#ifndef BERTH_CLI_KEEPER_WARM_CONNECTOR_H_
#define BERTH_CLI_KEEPER_WARM_CONNECTOR_H_

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "cli/client/connector.h"
#include "cli/keeper/presence.h"
#include "cli/keeper/renewal.h"

namespace berth::cli {

// The keeper's connections: one for each broker and certificate, kept warm,
// and the client present there. Thread-safe.
class WarmConnector : public Connector {
 public:
  WarmConnector() = default;
  ~WarmConnector() override;

  // More than anybody has contexts; the one used longest ago is closed.
  static constexpr size_t kMaxConnections = 16;

  absl::StatusOr<std::shared_ptr<Connection>> Connect(
      const Environment& environment, absl::string_view name) override;
  void WaitPresent(Connection& connection) override;
  void Forget(const std::string& certificate) override ABSL_LOCKS_EXCLUDED(mu_);

  // For people: "host:port (present)".
  std::vector<std::string> Describe() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Entry {
    std::string key;
    std::string certificate;  // Its path.
    std::shared_ptr<Connection> connection;
    // Shared with those who wait for it.
    std::shared_ptr<Presence> presence;
    std::shared_ptr<Renewal> renewal;
  };

  // The connection for `key`, if it is there and works.
  std::shared_ptr<Connection> Find(const std::string& key)
      ABSL_LOCKS_EXCLUDED(mu_);
  std::shared_ptr<Connection> Add(Entry entry) ABSL_LOCKS_EXCLUDED(mu_);
  // The files of `connection` were renewed: it is found by what they are now.
  void Rekey(const Connection* connection, std::string key)
      ABSL_LOCKS_EXCLUDED(mu_);

  mutable Mutex mu_;
  // Used last first.
  std::list<Entry> entries_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::cli

#endif  // BERTH_CLI_KEEPER_WARM_CONNECTOR_H_
