#ifndef BERTH_BROKER_USERS_OPEN_CALLS_H_
#define BERTH_BROKER_USERS_OPEN_CALLS_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "base/tls/certificates.h"
#include "broker/timer.h"

namespace berth::broker {

// OpenCalls knows every stream that is open, and with which certificate, so
// that it ends when that is refused from now on. Thread-safe; knows nothing of
// gRPC.
class OpenCalls {
 private:
  struct Entry;

 public:
  // Whether a certificate is still good; else why not.
  using Check = std::function<absl::Status(const CertificateInfo&)>;
  using End = std::function<void(const absl::Status&)>;

  // A stream that reads nothing is told nothing: after this time it is cut.
  static constexpr absl::Duration kCutAfter = absl::Milliseconds(500);

  // Kept by a stream while it is open. Its functions run on any thread, one at
  // a time, and not any more once the ticket's destructor has returned.
  class Ticket {
   public:
    // `end` ends the stream with a status, `cut` without waiting for anything.
    // Neither may block, destroy the ticket, or do harm if the stream has
    // ended. `end` runs at once if the certificate was refused since the call
    // was let in.
    Ticket(OpenCalls& calls, std::shared_ptr<const CertificateInfo> certificate,
           End end, std::function<void()> cut);
    ~Ticket();
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;

   private:
    OpenCalls& calls_;
    const std::shared_ptr<Entry> entry_;
  };

  // `check` must not call back.
  OpenCalls(Timer& timer, Check check)
      : timer_(timer), check_(std::move(check)) {}

  // Ends those whose certificate is refused now.
  void EndRefused() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Entry {
    Entry(std::shared_ptr<const CertificateInfo> certificate, End end,
          std::function<void()> cut)
        : certificate(std::move(certificate)),
          end(std::move(end)),
          cut(std::move(cut)) {}

    const std::shared_ptr<const CertificateInfo> certificate;
    const End end;
    const std::function<void()> cut;
    Mutex mu;  // Held while a function runs: the ticket waits for it.
    bool over ABSL_GUARDED_BY(mu) = false;
  };

  void EndIfRefused(const std::shared_ptr<Entry>& entry)
      ABSL_LOCKS_EXCLUDED(mu_);

  Timer& timer_;
  const Check check_;
  Mutex mu_;
  absl::flat_hash_set<std::shared_ptr<Entry>> entries_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_USERS_OPEN_CALLS_H_
