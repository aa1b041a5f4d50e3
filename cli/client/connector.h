#ifndef BERTH_CLI_CLIENT_CONNECTOR_H_
#define BERTH_CLI_CLIENT_CONNECTOR_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/client/connection.h"
#include "cli/client/leaving.h"
#include "cli/client/receipts.h"
#include "cli/invocation/environment.h"

namespace berth::cli {

// Where commands get their connections: the seam between a `berth` that works
// alone and one whose keeper has a warm connection. Thread-safe.
class Connector {
 public:
  virtual ~Connector() = default;

  // The connection for the context `name` (empty: the current one) of the user
  // with this environment. Errors as ResolveContext() and Connection::Make().
  virtual absl::StatusOr<std::shared_ptr<Connection>> Connect(
      const Environment& environment, absl::string_view name) = 0;

  // Waits until the client counts as present at the broker, if this connector
  // keeps it present; so that a session made next is held. Gives up after a
  // few seconds: the session is then made without being held.
  virtual void WaitPresent(Connection& connection) = 0;

  // Forgets the connection with this certificate (a path), if one is kept: it
  // was revoked.
  virtual void Forget(const std::string& /*certificate*/) {}

  // Of all commands of this process.
  Leaving& leaving() { return leaving_; }
  Receipts& receipts() { return receipts_; }

 private:
  Receipts receipts_;
  Leaving leaving_;
};

// Makes a new connection every time, and keeps nobody present.
class DirectConnector : public Connector {
 public:
  absl::StatusOr<std::shared_ptr<Connection>> Connect(
      const Environment& environment, absl::string_view name) override;
  void WaitPresent(Connection&) override {}
};

// Who we are to brokers.
absl::StatusOr<v1::Client> LoadClient(const Environment& environment);

}  // namespace berth::cli

#endif  // BERTH_CLI_CLIENT_CONNECTOR_H_
