#ifndef BERTH_BROKER_GATEWAY_WORK_H_
#define BERTH_BROKER_GATEWAY_WORK_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "broker/gateway/login_name.h"
#include "cli/client/connection.h"
#include "cli/invocation/invocation.h"
#include "proto/berth/v1/gateway.pb.h"

namespace berth::gateway {

// How what a channel asked for has ended.
struct Ended {
  int exit_status = 0;
  // Set: this signal killed it, and there is no status.
  int signal = 0;
};

// What ssh itself ends with when it fails: what is Berth's failure.
inline constexpr int kFailed = 255;

// What the client has asked for before it starts anything.
struct Asked {
  LoginName where;
  // Of ssh -t.
  bool terminal = false;
  std::string term;
  // That it may set.
  std::map<std::string, std::string> environment;
  // Printed before anything that the client is to see; empty: all is.
  std::string mark;
};

// What is done for one channel, on a thread of its own, with the invocation's
// descriptors and as its user.
class Work {
 public:
  virtual ~Work() = default;
  virtual Ended Run(cli::Invocation& invocation,
                    cli::Connection& connection) = 0;
};

// A command. In a session of the channel's own, or in the one that is named.
std::unique_ptr<Work> MakeExec(Asked asked, std::string command);
// As it, with a terminal: once the line that TerminalExecLine() gives was typed
// there, its own output comes between the two marks.
std::unique_ptr<Work> MakeTerminalExec(Asked asked, std::string command);
std::string TerminalExecLine(const std::string& begin, const std::string& end);
// What is typed and shown at a session's terminal.
std::unique_ptr<Work> MakeShell(Asked asked);
// A shell for ssh -T, which reads its commands from standard input.
std::unique_ptr<Work> MakePipedShell(Asked asked);
// The computer's own sftp server.
std::unique_ptr<Work> MakeSftp(Asked asked);
// Says why there is no mosh, to a command that would be its server.
bool IsMoshServer(absl::string_view command);
std::unique_ptr<Work> MakeMoshRefusal();
// A connection from the computer to a port, as its standard input and output.
std::unique_ptr<Work> MakeForward(Asked asked, const std::string& host,
                                  int port);
// `berth` commands, those that touch no files here.
std::unique_ptr<Work> MakeVerb(Asked asked, std::string line);
// The same at a prompt.
std::unique_ptr<Work> MakeMenu(Asked asked);
// Gets a certificate for a CSR (PEM).
using Certifier =
    std::function<absl::StatusOr<v1::ClientLogin>(const std::string& csr_pem)>;
// The other end of `berth login`: reads a CSR, and prints what it gets as JSON.
std::unique_ptr<Work> MakeLogin(Certifier certifier);

}  // namespace berth::gateway

#endif  // BERTH_BROKER_GATEWAY_WORK_H_
