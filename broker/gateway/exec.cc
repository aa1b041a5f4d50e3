// Commands without a terminal, and what is made of them.

#include <csignal>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/proto_time.h"
#include "base/uuid.h"
#include "broker/gateway/sessions.h"
#include "broker/gateway/work.h"
#include "cli/fanout/script.h"
#include "cli/run/command_view.h"
#include "cli/run/conversation.h"
#include "cli/run/exit_status.h"
#include "cli/run/follower.h"
#include "cli/run/output_sink.h"
#include "cli/run/stdin_buffer.h"

namespace berth::gateway {
namespace {

// For a session in which something runs.
constexpr absl::Duration kWait = absl::Minutes(4);

class Exec : public Work {
 public:
  Exec(Asked asked, std::string command)
      : asked_(std::move(asked)), command_(std::move(command)) {}

  Ended Run(cli::Invocation& invocation, cli::Connection& connection) override {
    auto session =
        WorkSession::Open(connection, invocation.signals(), asked_.where);
    if (!session.ok()) return {invocation.Fail(session.status(), kFailed)};
    const auto script = cli::MakeScript(
        {command_, false, {}, asked_.environment}, session->session().shell());
    if (!script.ok()) return {invocation.Fail(script.status(), kFailed)};
    return Follow(invocation, connection, *session, *script);
  }

 private:
  Ended Follow(cli::Invocation& invocation, cli::Connection& connection,
               WorkSession& session, const std::string& script) {
    v1::OpenSession open;
    *open.mutable_session() = session.ref();
    *open.mutable_client() = connection.client();
    v1::StartCommand start;
    start.set_command_id(NewUuid());
    start.set_script(script);
    start.set_with_stdin(true);
    *start.mutable_wait() = ToProto(kWait);
    invocation.signals().ForwardInterrupts();
    invocation.in().Prepare();
    cli::ExactSink sink(invocation.out(), invocation.err());
    cli::CommandView view(invocation, sink);
    cli::StdinBuffer input;
    const cli::RunConversation conversation(open, start);
    cli::Follower follower(connection, invocation, conversation, view, &input);
    const absl::Status status = follower.Run();
    if (view.ended()) return EndOf(*view.ended(), invocation, session);
    // The client reads no more.
    if (follower.failed_to_write()) return {cli::kPipeExit};
    return {invocation.Fail(status, kFailed)};
  }

  static Ended EndOf(const v1::CommandEnded& ended, cli::Invocation& invocation,
                     WorkSession& session) {
    // A temporary session ends with its first command.
    session.Ended();
    const int status = cli::ExitStatusOf(ended);
    // The shell itself was killed, as the one that sshd starts may be.
    if (ended.how() == v1::CommandEnded::SHELL_ENDED && status > 128 &&
        status < 128 + NSIG) {
      return {0, status - 128};
    }
    if (ended.how() == v1::CommandEnded::SHELL_ENDED) return {status};
    const std::string how = cli::DescribeEnd(ended);
    if (!how.empty()) invocation.Say(how);
    return {status};
  }

  const Asked asked_;
  const std::string command_;
};

}  // namespace

std::unique_ptr<Work> MakeExec(Asked asked, std::string command) {
  return std::make_unique<Exec>(std::move(asked), std::move(command));
}

std::unique_ptr<Work> MakePipedShell(Asked asked) {
  return MakeExec(std::move(asked), "bash -s");
}

std::unique_ptr<Work> MakeSftp(Asked asked) {
  asked.where.session.clear();
  return MakeExec(std::move(asked),
                  "for s in /usr/lib/openssh /usr/libexec/openssh "
                  "/usr/lib/ssh /usr/libexec; do\n"
                  "  [ -x $s/sftp-server ] && { $s/sftp-server; exit; }\n"
                  "done\n"
                  "echo 'this computer has no sftp-server (Debian: "
                  "openssh-sftp-server)' >&2\n"
                  "exit 127");
}

// When the client closes its side the other is told nothing: bash can't close
// one half. It ends when the other side closes.
std::unique_ptr<Work> MakeForward(Asked asked, const std::string& host,
                                  int port) {
  asked.where.session.clear();
  return MakeExec(std::move(asked),
                  absl::StrCat("( exec 8<&0 9<>/dev/tcp/",
                               cli::QuoteForShell(host), "/", port,
                               " || exit 1\n"
                               "cat <&8 >&9 &\n"
                               "cat <&9\n"
                               "kill $! 2>/dev/null\n"
                               "exit 0 )"));
}

}  // namespace berth::gateway
