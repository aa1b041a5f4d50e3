#ifndef BERTH_BROKER_RELAY_SPLICE_H_
#define BERTH_BROKER_RELAY_SPLICE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "base/mutex.h"

namespace berth::broker {

// Splice joins a client's stream with the agent's Call stream for it, and
// passes messages on both ways without looking at them. It decides; its two
// legs (gRPC streams, or fakes in tests) read, write and finish.
//
// Messages wait in slots that the legs' owner keeps, kSlots for each
// direction, which the splice knows by number. A direction reads ahead while a
// slot is free and less than kMaxBytes wait, so a receiver that stops reading
// stops the sender, and memory stays bounded.
//
// The client's stream ends once the agent has sent its last response *and* its
// verdict (CallEnded), whichever came first, and all responses are written.
//
// Thread-safe. Legs are called with the lock held, and never after End(), so a
// leg may be deleted as soon as its stream is done.
class Splice {
 public:
  enum Side { kClient = 0, kAgent = 1 };

  // Four messages of 256 KiB keep both TLS legs busy; more gained nothing.
  static constexpr int kSlots = 4;
  static constexpr size_t kMaxBytes = 1 << 20;
  // Stands for a message of no bytes: "the client has half-closed".
  static constexpr int kHalfCloseSlot = -1;

  // One of the two streams. No method may call back into the splice.
  class Leg {
   public:
    virtual ~Leg() = default;
    // Starts reading into this leg's own `slot`; ends in ReadDone().
    virtual void BeginRead(int slot) = 0;
    // Starts writing the other leg's `slot`; ends in WriteDone().
    virtual void BeginWrite(int slot) = 0;
    // Makes what is in flight fail soon.
    virtual void Cancel() = 0;
    // Finishes the stream: the last call. No write is in flight.
    virtual void End(const absl::Status& status) = 0;
  };

  explicit Splice(Leg* client) : legs_{client, nullptr} {}
  Splice(const Splice&) = delete;
  Splice& operator=(const Splice&) = delete;

  // Begins to read from the client.
  void Start() ABSL_LOCKS_EXCLUDED(mu_);

  // Joins the agent's stream. False: too late (the client is gone, or there is
  // one already), and `agent` was not kept.
  bool Join(Leg* agent) ABSL_LOCKS_EXCLUDED(mu_);

  // A read or write of one leg ended. `ok` false: no more of them.
  void ReadDone(Side side, bool ok, size_t bytes) ABSL_LOCKS_EXCLUDED(mu_);
  void WriteDone(Side side, bool ok) ABSL_LOCKS_EXCLUDED(mu_);

  // A stream was cancelled by its peer, or its connection broke.
  void Cancelled(Side side) ABSL_LOCKS_EXCLUDED(mu_);

  // The agent's verdict, and how many responses it has sent, if it told. Only
  // the first counts.
  void SetVerdict(const absl::Status& status, std::optional<uint64_t> responses)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Ends both streams with `status` without waiting for the agent. What it has
  // sent is still written. Only the first of these counts.
  void Fail(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);

  // Whether the agent's stream was ever joined.
  bool joined() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // What flows from one leg to the other. Slots form a ring.
  struct Flow {
    std::array<size_t, kSlots> sizes{};
    int first = 0;       // The oldest message.
    int count = 0;       // Messages that wait, including one being written.
    size_t bytes = 0;    // Of those.
    uint64_t total = 0;  // Messages ever read.
    bool reading = false;
    bool writing = false;
    bool ended = false;  // Nothing more will be read.
  };

  void PumpLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ReadLocked(Side from) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void WriteLocked(Side from) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void EndClientLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void EndAgentLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Whether the agent sends nothing more, and we have had it all.
  enum class Responses { kMore, kComplete, kCutShort };
  Responses ResponsesLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The status to end the client's stream with, once that is known.
  std::optional<absl::Status> OutcomeLocked() const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Mutex mu_;
  // Null: not there yet, or ended.
  std::array<Leg*, 2> legs_ ABSL_GUARDED_BY(mu_);
  // By the side that they come from.
  std::array<Flow, 2> flows_ ABSL_GUARDED_BY(mu_);
  bool started_ ABSL_GUARDED_BY(mu_) = false;
  bool joined_ ABSL_GUARDED_BY(mu_) = false;
  bool half_close_sent_ ABSL_GUARDED_BY(mu_) = false;
  // The peer is gone: nothing can be written to it any more.
  std::array<bool, 2> gone_ ABSL_GUARDED_BY(mu_) = {false, false};
  bool agent_cancel_sent_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<absl::Status> verdict_ ABSL_GUARDED_BY(mu_);
  std::optional<uint64_t> responses_ ABSL_GUARDED_BY(mu_);  // By the verdict.
  std::optional<absl::Status> failure_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_RELAY_SPLICE_H_
