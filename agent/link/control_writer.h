#ifndef BERTH_AGENT_LINK_CONTROL_WRITER_H_
#define BERTH_AGENT_LINK_CONTROL_WRITER_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/sessions/managed_session.h"
#include "base/mutex.h"
#include "proto/berth/link/v1/link.grpc.pb.h"

namespace berth::agent {

// Writes to the Control stream while there is one; without one, what is
// written is dropped: the next stream begins with everything. Thread-safe.
//
// A session is looked at when its report is written, not when somebody asked
// for one. So of two reports the second is never the older.
class ControlWriter {
 public:
  using Stream =
      grpc::ClientReaderWriter<link::v1::AgentMessage, link::v1::BrokerMessage>;

  // Sends `hello` and then everything else to `stream`, until Detach().
  // False: the stream is broken.
  bool Attach(Stream* stream,
              const std::function<link::v1::AgentMessage()>& hello)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Detach() ABSL_LOCKS_EXCLUDED(mu_);

  // Reports a session, if it looks different from its last report (see
  // ManagedSession::TakeReport).
  void Report(const std::shared_ptr<ManagedSession>& session, bool details)
      ABSL_LOCKS_EXCLUDED(mu_);
  // If there is no link, the next hello has them. `frozen`: why no sessions are
  // made, if so.
  void ConfigurationsChanged(const std::vector<v1::Configuration>& all,
                             const std::string& frozen)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Gone(const std::string& instance_id) ABSL_LOCKS_EXCLUDED(mu_);
  // `session` may be null.
  void Reply(uint64_t link, uint64_t request_id, const absl::Status& status,
             const std::shared_ptr<ManagedSession>& session)
      ABSL_LOCKS_EXCLUDED(mu_);
  // What the broker is told of a command's text, and of why something failed.
  static constexpr size_t kMaxStartText = 512;
  static constexpr size_t kMaxStatusMessage = 16 << 10;
  // Sends, unless `link` is over, that a later frame of a call has started a
  // command.
  void CommandStarted(uint64_t link, const link::v1::OpenCall& call,
                      const v1::StartCommand& start) ABSL_LOCKS_EXCLUDED(mu_);
  void CallEnded(uint64_t link, uint64_t call_id, uint64_t frames,
                 const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);

  // Which link this is, of all there were. Answers name the one that was asked
  // on, and are dropped if it is gone: another broker's questions have the same
  // numbers.
  uint64_t link() const ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    return link_;
  }

 private:
  void WriteLocked(const link::v1::AgentMessage& message)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Held during a write on purpose: it orders the writers. Keepalive ends a
  // write that gets nowhere.
  mutable Mutex mu_;
  uint64_t link_ ABSL_GUARDED_BY(mu_) = 0;
  Stream* stream_ ABSL_GUARDED_BY(mu_) = nullptr;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_CONTROL_WRITER_H_
