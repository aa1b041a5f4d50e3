#ifndef BERTH_BROKER_RELAY_CONTROL_OUTBOX_H_
#define BERTH_BROKER_RELAY_CONTROL_OUTBOX_H_

#include <cstddef>
#include <deque>
#include <optional>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "proto/berth/link/v1/link.pb.h"

namespace berth::broker {

// ControlOutbox is the only way to write to, or finish, one Control stream. It
// keeps gRPC's rules (one write in flight, no finish during a write, nothing
// after it) by calling its sink only under its lock, and forgetting it in the
// critical section that finishes; so it may be used for longer than the stream
// lives. Thread-safe; knows nothing of gRPC.
class ControlOutbox {
 public:
  class Sink {
   public:
    virtual ~Sink() = default;
    // Starts writing `message`, which stays valid until WriteDone(). Must not
    // call back.
    virtual void BeginWrite(const link::v1::BrokerMessage& message) = 0;
    // Makes a write in flight fail soon.
    virtual void Cancel() = 0;
    // Finishes the stream: the last call.
    virtual void End(const absl::Status& status) = 0;
  };

  // An agent that falls this far behind is cut off. Room for several calls
  // whose first message is as large as it may be.
  static constexpr size_t kMaxQueuedBytes = 32 << 20;

  explicit ControlOutbox(Sink* sink) : sink_(sink) {}
  ControlOutbox(const ControlOutbox&) = delete;
  ControlOutbox& operator=(const ControlOutbox&) = delete;

  // Queues `message`. Unavailable: the stream is ending. ResourceExhausted:
  // the agent does not read; the stream is ended with it.
  absl::Status Send(link::v1::BrokerMessage message) ABSL_LOCKS_EXCLUDED(mu_);

  // Drops what is queued and finishes the stream. Only the first call decides
  // the status.
  void Close(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);

  // The write begun last has ended.
  void WriteDone(bool ok) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void CloseLocked(const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void PumpLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  struct Item {
    link::v1::BrokerMessage message;
    size_t bytes;
  };

  Mutex mu_;
  Sink* sink_ ABSL_GUARDED_BY(mu_);
  // The front is being written while `writing_`; a deque never moves it.
  std::deque<Item> queue_ ABSL_GUARDED_BY(mu_);
  size_t queued_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<absl::Status> closing_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_RELAY_CONTROL_OUTBOX_H_
