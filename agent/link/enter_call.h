#ifndef BERTH_AGENT_LINK_ENTER_CALL_H_
#define BERTH_AGENT_LINK_ENTER_CALL_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/link/call.h"
#include "agent/link/call_stream.h"
#include "agent/link/output_window.h"
#include "agent/link/terminal_follower.h"
#include "agent/sessions/holder_connection.h"
#include "agent/sessions/terminals.h"
#include "base/mutex.h"

namespace berth::agent {

// One Enter: a client's terminal at a session's shell. Two threads: the reader
// turns the client's frames into requests to the holder, the other turns the
// holder's events, and what other terminals did, into frames.
class EnterCall final : public Call {
 public:
  EnterCall(CallContext context, link::v1::OpenCall open);

  void Run() override;
  void Cancel() override;

 private:
  // The writer's thread.
  absl::Status Prepare();
  absl::Status CheckRequest();
  absl::Status Connect();
  // Makes the client hold the session, as its mode wants.
  absl::Status Hold();
  absl::Status Serve() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status TakeEvents() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status OnEvent(holder::v1::Event& event) ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status OnState(const holder::v1::State& state) ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status OnExitTyped() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status OnHolderGone() ABSL_LOCKS_EXCLUDED(mu_);
  // What runs keeps the terminal from being attached.
  absl::Status Busy(const holder::v1::State& state);
  absl::Status Attach() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status TakeMail() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status TakeClientsWishes() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status SendInputTaken() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status SendEnded(v1::TerminalEnded ended);
  absl::Status SendSessionEnded();
  // What the terminal shows goes no faster than the client shows it: what
  // there is no room for waits, and is dropped for the screen if it is much.
  absl::Status Show(v1::TerminalEvent event) ABSL_LOCKS_EXCLUDED(mu_);
  // Sends what waits; `all`: without asking for room.
  absl::Status SendWaiting(bool all) ABSL_LOCKS_EXCLUDED(mu_);
  void DropWaitingOutput();
  absl::Status Send(const v1::TerminalEvent& event);
  void Wait();
  void Close() ABSL_LOCKS_EXCLUDED(mu_);

  // The reader's thread.
  absl::Status OnFrame(const grpc::ByteBuffer& frame);
  absl::Status OnRequest(const v1::TerminalRequest& request, bool first)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status OnInput(const v1::TerminalInput& input) ABSL_LOCKS_EXCLUDED(mu_);

  // Asks for what `request`, a WatchTerminal, says.
  void Watch(holder::v1::Request request) ABSL_LOCKS_EXCLUDED(mu_);

  // Any thread.
  void Ask(const holder::v1::Request& request) ABSL_LOCKS_EXCLUDED(mu_);
  std::shared_ptr<HolderConnection> holder() ABSL_LOCKS_EXCLUDED(mu_);
  bool HasMuchToTell() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Gives the session's terminal the size that all can see.
  void ApplySize() ABSL_LOCKS_EXCLUDED(mu_);

  const CallContext context_;
  const link::v1::OpenCall open_;
  CallStream stream_;

  // Set by Prepare(), before there is a reader.
  v1::TerminalRequest first_;
  SessionService::Session session_;
  Terminals::Visitor visitor_;
  bool resumes_ = false;
  // The holder knows its terminal's screen, and visits (version 2).
  bool knows_visits_ = false;
  std::optional<agent::Hold::Tenure> tenure_;

  // The writer's.
  std::optional<TerminalFollower> follower_;
  absl::Time wait_until_;
  bool told_waiting_ = false;
  bool over_ = false;  // The last frame was sent.
  bool paced_ = false;
  OutputWindow window_;
  uint64_t shown_sent_ = 0;  // Bytes of output and screens.
  std::deque<v1::TerminalEvent> waiting_;
  size_t waiting_bytes_ = 0;
  absl::Time input_taken_at_ = absl::InfiniteFuture();
  uint64_t input_told_ = 0;

  Mutex mu_;
  std::shared_ptr<HolderConnection> holder_ ABSL_GUARDED_BY(mu_);
  uint64_t key_ ABSL_GUARDED_BY(mu_) = 0;  // 0: not attached yet.
  std::shared_ptr<TypedInput> input_ ABSL_GUARDED_BY(mu_);
  v1::TerminalSize size_ ABSL_GUARDED_BY(mu_);
  bool detach_ ABSL_GUARDED_BY(mu_) = false;
  bool redraw_ ABSL_GUARDED_BY(mu_) = false;
  // Input that the client has not been told of: how many frames, and bytes.
  int frames_untold_ ABSL_GUARDED_BY(mu_) = 0;
  size_t bytes_untold_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_ENTER_CALL_H_
