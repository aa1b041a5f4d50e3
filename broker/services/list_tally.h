#ifndef BERTH_BROKER_SERVICES_LIST_TALLY_H_
#define BERTH_BROKER_SERVICES_LIST_TALLY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "broker/audit/event.h"
#include "broker/timer.h"

namespace berth::broker {

// ListTally puts calls that only list into the audit log, where programs that
// list all the time would drown the rest: of each caller and kind of list the
// first is written at once, and what comes within a minute after that is
// counted and written as one. Thread-safe; may be shared with a timer that
// outlives it.
class ListTally : public std::enable_shared_from_this<ListTally> {
 public:
  static constexpr absl::Duration kWindow = absl::Minutes(1);
  // Kinds of one caller that are told apart within a minute: a list of other
  // computers, or of somebody else's sessions, is another kind.
  static constexpr size_t kMaxKinds = 20;
  // Callers that are counted at a time; events of more are written as they are.
  static constexpr size_t kMaxCallers = 10'000;

  // `record` must not block. `timer` may run what it was given after this is
  // gone.
  ListTally(Timer& timer, std::function<void(AuditEvent)> record,
            absl::Duration window = kWindow)
      : timer_(timer), record_(std::move(record)), window_(window) {}

  // A call that was answered.
  void Note(AuditEvent event) ABSL_LOCKS_EXCLUDED(mu_);
  // Writes what was counted.
  void Flush() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Kind {
    AuditEvent event;  // The last.
    uint64_t more = 0;
  };
  using Kinds = absl::flat_hash_map<std::string, Kind>;

  // Of one caller; empties it.
  void Write(Kinds kinds);
  void EndWindow(const std::string& caller) ABSL_LOCKS_EXCLUDED(mu_);

  Timer& timer_;
  const std::function<void(AuditEvent)> record_;
  const absl::Duration window_;
  Mutex mu_;
  absl::flat_hash_map<std::string, Kinds> callers_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_LIST_TALLY_H_
