#ifndef BERTH_BROKER_SERVICES_PRESENCE_H_
#define BERTH_BROKER_SERVICES_PRESENCE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "broker/timer.h"

namespace berth::broker {

// Presence knows which clients are there. A client is present while it has a
// stream open, and for a short grace after the last one, so that a reconnect
// does not let go of its sessions. Thread-safe; knows nothing of gRPC.
class Presence {
 public:
  // One user's client on one machine.
  using Client = std::pair<std::string, std::string>;  // User, client id.

  // After a start the broker knows nobody. Clients that were there come back
  // within this time; only then is silence a sign.
  static constexpr absl::Duration kStartGrace = absl::Seconds(60);

  // `on_absent` runs on the timer's thread, and must not block.
  Presence(Timer& timer, absl::Duration grace,
           std::function<void(const Client&)> on_absent)
      : timer_(timer), grace_(grace), on_absent_(std::move(on_absent)) {}
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

  // A stream of `client` began, or ended. Each Join() needs its Leave().
  void Join(const Client& client) ABSL_LOCKS_EXCLUDED(mu_);
  void Leave(const Client& client) ABSL_LOCKS_EXCLUDED(mu_);

  // Whether a stream is open.
  bool IsPresent(const Client& client) const ABSL_LOCKS_EXCLUDED(mu_);

  // Whether there is no stream, and its grace has passed.
  bool IsAbsent(const Client& client) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Entry {
    int streams = 0;
    // Goes up with each Join(), so that a grace that a reconnect ended has no
    // effect even if its timer runs already.
    uint64_t joins = 0;
    Timer::Id timer = 0;  // Of the grace, while there is no stream.
  };

  void Expire(const Client& client, uint64_t joins) ABSL_LOCKS_EXCLUDED(mu_);

  Timer& timer_;
  const absl::Duration grace_;
  const std::function<void(const Client&)> on_absent_;
  mutable Mutex mu_;
  absl::flat_hash_map<Client, Entry> clients_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_PRESENCE_H_
