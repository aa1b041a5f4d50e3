#ifndef BERTH_CLI_FANOUT_TARGET_RUN_H_
#define BERTH_CLI_FANOUT_TARGET_RUN_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cli/client/backoff.h"
#include "cli/client/connection.h"
#include "cli/client/event_frame.h"
#include "cli/fanout/plan.h"
#include "cli/fanout/presenter.h"
#include "cli/fanout/shared_input.h"
#include "cli/fanout/writer.h"
#include "cli/run/ack_pace.h"
#include "cli/run/command_view.h"
#include "cli/run/conversation.h"
#include "cli/run/output_sink.h"
#include "grpcpp/grpcpp.h"

namespace berth::cli {

class TargetRun;

// What a TargetRun needs from the one who runs them all.
class TargetHost {
 public:
  virtual ~TargetHost() = default;

  virtual Invocation& invocation() = 0;
  virtual Connection& connection() = 0;
  virtual grpc::CompletionQueue& queue() = 0;
  virtual const FanoutPlan& plan() = 0;
  virtual Presenter& presenter() = 0;
  virtual Writer& writer() = 0;
  // Null if commands get no input.
  virtual SharedInput* input() = 0;

  // Calls OnTimer() then.
  virtual void WakeAt(absl::Time time, TargetRun& run) = 0;
  // Calls OnWritten() once more was written.
  virtual void WhenWritten(TargetRun& run) = 0;
  // The target is done, whatever it has still to close. Called once.
  virtual void OnEnded(TargetRun& run, Outcome outcome) = 0;
  // Its connection was lost, and is back.
  virtual void OnLost(TargetRun& run, const absl::Status& why) = 0;
  virtual void OnBack(TargetRun& run) = 0;
  // Output can't be shown.
  virtual void OnBroken(const absl::Status& why) = 0;
};

// The command on one target: makes a session if there is none, runs the
// command, follows it over as many streams as it takes, and ends a session
// that was made for it. Never blocks: what it began is told to OnEvent(). Used
// by one thread.
class TargetRun : private OutputSink {
 public:
  enum Op { kRead, kWrite, kFinish, kCreate, kRemove, kOps };
  // What comes out of the completion queue.
  struct Tag {
    TargetRun* run;
    Op op;
  };

  TargetRun(TargetHost& host, size_t index, FanoutTarget target);

  void Begin();
  void OnEvent(Op op, bool ok);
  void OnTimer();
  void OnWritten();
  void OnInput();

  // Interrupts the command. `expired`: since the time for all is over.
  void Stop(bool expired);
  // Leaves it running: what was written is acknowledged, no more.
  void Leave();
  // Ends what is open, at once.
  void Abandon();

  size_t index() const { return index_; }
  const TargetName& name() const { return target_.name; }
  bool began() const { return began_; }
  bool ended() const { return concluded_; }
  // Nothing will be told to OnEvent() any more.
  bool settled() const { return pending_ == 0; }
  const FanoutResult& result() const { return result_; }

 private:
  using Stream =
      grpc::ClientAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>;

  // One stream, from its begin to its end.
  struct Attempt {
    grpc::ClientContext context;
    std::unique_ptr<Stream> stream;
    grpc::ByteBuffer message;
    std::deque<grpc::ByteBuffer> outgoing;
    bool first_sent = false;
    bool writing = false;
    bool close_wanted = false;
    bool closed = false;
    bool over = false;  // Read to its end.
    bool malformed = false;
    grpc::Status status;
  };
  template <typename Response>
  struct Call {
    grpc::ClientContext context;
    Response response;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> reader;
  };

  // OutputSink: what the view passes on.
  absl::Status Write(v1::OutputStream stream, uint64_t offset,
                     absl::Span<iovec> pieces, size_t size) override;
  absl::Status Flush() override;
  void StartAt(uint64_t offset) override { written_ = passed_ = offset; }
  uint64_t written() const override;

  void* TagOf(Op op);
  void Create();
  void OnCreated();
  void StartStream();
  absl::Status PrepareConversation();
  void OnRead(bool ok);
  void TakeFrame();
  void TakeEnded();
  void OnFinished();
  void Retry(const absl::Status& status);
  bool MayRetry(const absl::Status& status, bool from_broker) const;
  void ReadMore();
  void SendMore();
  void SendInput();
  void SendAcks();
  void CloseStream();
  void Conclude(Outcome outcome);
  void RemoveSession();
  Outcome WithAdvice(Outcome outcome) const;

  TargetHost& host_;
  const size_t index_;
  FanoutTarget target_;
  Tag tags_[kOps];
  int pending_ = 0;
  FanoutResult result_;

  CommandView view_;
  std::optional<RunConversation> conversation_;
  EventFrameParser parser_;
  EventFrame frame_;
  std::unique_ptr<Attempt> attempt_;
  std::unique_ptr<Call<v1::CreateSessionResponse>> create_;
  std::unique_ptr<Call<v1::RemoveSessionResponse>> remove_;

  bool began_ = false;
  bool sent_ = false;
  bool opened_ = false;
  bool in_doubt_ = false;  // As Follower::in_doubt().
  bool concluded_ = false;
  bool stopped_ = false;
  bool expired_ = false;
  bool left_ = false;
  bool held_back_ = false;  // frame_ waits until all is written.
  bool paused_ = false;     // Reading waits until more is written.
  bool remove_session_ = false;
  bool waiting_to_retry_ = false;

  Backoff backoff_;
  absl::Time retry_at_ = absl::InfiniteFuture();
  absl::Time lost_at_ = absl::InfiniteFuture();
  AckPace pace_;
  absl::Time ack_at_ = absl::InfiniteFuture();
  absl::Time give_up_at_ = absl::InfiniteFuture();

  // Of the output: handed on, and how far that is written.
  uint64_t passed_ = 0;
  mutable uint64_t written_ = 0;
  mutable std::deque<std::pair<uint64_t, uint64_t>> tickets_;

  // Of the input.
  uint64_t input_sent_ = 0;
  uint64_t input_limit_ = 0;
  uint64_t input_most_ = 0;    // The largest limit ever.
  uint64_t input_window_ = 0;  // The first limit.
  bool input_closed_ = false;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_FANOUT_TARGET_RUN_H_
