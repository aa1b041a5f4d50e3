#include "tests/install/ssh_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"
#include "gtest/gtest.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

std::string UserName() {
  const passwd* const user = getpwuid(geteuid());
  return user == nullptr ? "root" : user->pw_name;
}

// A port that nobody has now: sshd can't be asked for one of the kernel's
// choice, so whoever starts it must be ready to try again.
int FreePort() {
  const UniqueFd probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (bind(probe.get(), any, size) != 0 ||
      getsockname(probe.get(), any, &size) != 0) {
    return 0;
  }
  return ntohs(address.sin_port);
}

}  // namespace

std::string MakeSshKey(const std::string& path) {
  auto made = Process::Run({.argv = {"/usr/bin/ssh-keygen", "-q", "-t",
                                     "ed25519", "-N", "", "-f", path}});
  EXPECT_TRUE(made.ok() && made->exit_code == 0)
      << (made.ok() ? made->err : made.status().ToString());
  return ReadTextFile(path + ".pub");
}

SshServer::SshServer(const std::string& directory,
                     const std::string& authorized, const std::string& home,
                     const std::string& variable)
    : directory_(directory) {
  mkdir(directory_.c_str(), 0700);
  // Where sshd wants to be able to lock itself in.
  if (geteuid() == 0) mkdir("/run/sshd", 0755);
  MakeSshKey(directory_ + "/host");
  // What programs of the other side leave behind at their end is looked at by
  // tests of theirs.
  for (int attempt = 0; attempt < 5; ++attempt) {
    if (Start(authorized,
              absl::StrCat("HOME=", home, " ASAN_OPTIONS=detect_leaks=0 ",
                           variable)))
      return;
  }
  ADD_FAILURE() << "sshd has not started:\n" << Log();
}

SshServer::~SshServer() {
  if (process_.has_value()) process_->StopWith(SIGTERM);
}

bool SshServer::Start(const std::string& authorized,
                      const std::string& variables) {
  port_ = FreePort();
  WriteTextFile(directory_ + "/authorized", authorized);
  WriteTextFile(directory_ + "/log", "");
  WriteTextFile(
      directory_ + "/config",
      absl::StrCat("Port ", port_, "\nListenAddress 127.0.0.1\nHostKey ",
                   directory_, "/host\nAuthorizedKeysFile ", directory_,
                   "/authorized\nPidFile none\nUsePAM no\nUseDNS no\n"
                   "StrictModes no\nPermitRootLogin yes\n"
                   "PasswordAuthentication no\nLogLevel DEBUG1\nSetEnv ",
                   variables, "\nSubsystem sftp internal-sftp\n"));
  auto process = Process::Start(
      {.argv = {"/usr/sbin/sshd", "-D", "-e", "-f", directory_ + "/config"},
       .environment = std::nullopt,
       .directory = "",
       .stderr_path = directory_ + "/log"});
  EXPECT_TRUE(process.ok()) << process.status();
  if (!process.ok()) return false;
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (absl::Now() < deadline) {
    if (absl::StrContains(Log(), "Server listening on")) {
      process_.emplace(*std::move(process));
      return true;
    }
    if (process->Wait(absl::Milliseconds(20)).ok()) return false;
  }
  return false;
}

std::string SshServer::Target(const std::string& name) const {
  return absl::StrCat(name, name.empty() ? "" : "=", UserName(),
                      "@127.0.0.1:", port_);
}

std::string SshServer::KnownHost() const {
  return absl::StrCat("[127.0.0.1]:", port_, " ",
                      ReadTextFile(directory_ + "/host.pub"));
}

std::string SshServer::Log() const { return ReadTextFile(directory_ + "/log"); }

}  // namespace berth::testing
