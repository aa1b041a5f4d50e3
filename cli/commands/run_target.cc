#include "cli/commands/run_target.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "base/proto_time.h"
#include "base/uuid.h"
#include "cli/client/connector.h"
#include "cli/run/exit_status.h"
#include "cli/run/follower.h"
#include "cli/run/output_sink.h"
#include "cli/run/stdin_buffer.h"

namespace berth::cli {
namespace {

constexpr absl::Duration kDefaultWait = absl::Minutes(4);

// One command in one session.
class SingleRun {
 public:
  SingleRun(Invocation& invocation, Connection& connection,
            const Target& target, const RunOptions& options,
            const std::string& tag);

  int Run();

 private:
  v1::OpenSession Open() const;
  v1::StartCommand Start() const;
  void Conclude();
  int Succeeded();
  int Failed(const absl::Status& status, const Follower& follower);
  int Left(bool sent);
  void TellSkipped();
  // What to type to see the rest.
  std::string HowToReceive() const;

  Invocation& invocation_;
  Connection& connection_;
  const Target& target_;
  const RunOptions& options_;
  const bool with_input_;
  const std::string command_id_;
  const std::unique_ptr<OutputSink> sink_;
  CommandView view_;
  StdinBuffer input_;
  const RunConversation conversation_;
  std::optional<int> concluded_;
};

std::unique_ptr<OutputSink> MakeSink(Invocation& invocation,
                                     const std::string& tag) {
  if (tag.empty()) {
    return std::make_unique<ExactSink>(invocation.out(), invocation.err());
  }
  return std::make_unique<TaggedSink>(invocation.out(), invocation.err(), tag);
}

SingleRun::SingleRun(Invocation& invocation, Connection& connection,
                     const Target& target, const RunOptions& options,
                     const std::string& tag)
    : invocation_(invocation),
      connection_(connection),
      target_(target),
      options_(options),
      with_input_(tag.empty() && !options.detach && !options.no_input &&
                  invocation.in().HasData()),
      command_id_(NewUuid()),
      sink_(MakeSink(invocation, tag)),
      view_(invocation, *sink_),
      conversation_(Open(), Start()) {}

v1::OpenSession SingleRun::Open() const {
  v1::OpenSession open;
  *open.mutable_session() = target_.ref;
  *open.mutable_client() = connection_.client();
  return open;
}

v1::StartCommand SingleRun::Start() const {
  v1::StartCommand start;
  start.set_command_id(command_id_);
  start.set_script(options_.script);
  start.set_with_stdin(with_input_);
  start.set_detach(options_.detach);
  start.set_exit_ends_session(options_.exit_ends_session);
  *start.mutable_wait() = ToProto(options_.wait.value_or(kDefaultWait));
  if (options_.timeout) *start.mutable_timeout() = ToProto(*options_.timeout);
  return start;
}

int SingleRun::Run() {
  if (with_input_) invocation_.in().Prepare();
  Follower follower(connection_, invocation_, conversation_, view_,
                    with_input_ ? &input_ : nullptr);
  if (options_.alone) follower.OnComplete([this] { Conclude(); });
  const absl::Status status = follower.Run();
  if (concluded_) {
    invocation_.connector().leaving().End();
    return *concluded_;
  }
  if (follower.failed_to_write()) {
    if (absl::IsAborted(status)) return kPipeExit;
    invocation_.Say(absl::StrCat(status.message(), "; ", HowToReceive()));
    return kFailedExit;
  }
  if (view_.ended() || status.ok()) return Succeeded();
  if (invocation_.signals().left()) return Left(follower.sent());
  return Failed(status, follower);
}

// The user need not wait for the stream to be closed; but who receives next
// does, since only then its acknowledgement has surely arrived.
void SingleRun::Conclude() {
  concluded_ = Succeeded();
  invocation_.connector().leaving().Begin();
  invocation_.Conclude(*concluded_);
}

int SingleRun::Succeeded() {
  if (!view_.ended()) {  // Detached.
    return invocation_.Print(absl::StrCat(command_id_, "\n"));
  }
  const std::string how = DescribeEnd(*view_.ended());
  if (!how.empty()) {
    invocation_.Say(absl::StrCat("session '", target_.name, "': ", how));
  }
  if (view_.skipped() > 0) TellSkipped();
  return ExitStatusOf(*view_.ended());
}

int SingleRun::Failed(const absl::Status& status, const Follower& follower) {
  if (view_.started()) {
    invocation_.Say(absl::StrCat("session '", target_.name, "': ",
                                 status.message(), "; ", HowToReceive()));
    return kFailedExit;
  }
  if (follower.in_doubt()) {
    invocation_.Say(absl::StrCat(
        status.message(), "; it is not known whether the command was started",
        ": see 'berth receive ", target_.name, " --command ", command_id_,
        "'"));
    return kFailedExit;
  }
  invocation_.Say(status.message());
  const bool waited =
      options_.wait.value_or(kDefaultWait) > absl::ZeroDuration();
  return absl::IsAborted(status) && waited ? kDeadlineExit : kFailedExit;
}

int SingleRun::Left(bool sent) {
  if (sent) invocation_.Say(HowToReceive());
  return invocation_.signals().exit_code();
}

// It was acknowledged, so that it does not stand in the way of what is run next.
void SingleRun::TellSkipped() {
  std::string told = absl::StrCat("session '", target_.name, "': ",
                                  view_.skipped(), " bytes of output skipped");
  if (!view_.session() || !view_.session()->temporary()) {
    absl::StrAppend(&told, "; see them with 'berth receive ", target_.name,
                    " --command ", command_id_, " --from ",
                    view_.skipped_from(), "'");
  }
  invocation_.Say(told);
}

std::string SingleRun::HowToReceive() const {
  return absl::StrCat("the command goes on; see the rest with 'berth receive ",
                      target_.name, "'");
}

}  // namespace

int RunOnTarget(Invocation& invocation, Connection& connection,
                const Target& target, const RunOptions& options,
                const std::string& tag) {
  return SingleRun(invocation, connection, target, options, tag).Run();
}

}  // namespace berth::cli
