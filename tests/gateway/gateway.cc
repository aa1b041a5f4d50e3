#include "tests/gateway/gateway.h"

#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

std::string Binary() {
  const char* path = getenv("BERTH_GATEWAY");
  std::error_code error;
  return std::filesystem::absolute(path == nullptr ? "" : path, error);
}

void Expect(const absl::StatusOr<Process::Finished>& finished) {
  EXPECT_TRUE(finished.ok() && finished->exit_code == 0)
      << (finished.ok() ? finished->err : finished.status().ToString());
}

}  // namespace

Gateway::Gateway(Fleet& fleet)
    : fleet_(fleet), directory_(fleet.directory() + "/gateway") {
  Expect(Process::Run({.argv = {Binary(), "init", directory_, "--broker-dir",
                                fleet.directory() + "/broker", "--broker",
                                absl::StrCat("localhost:", fleet.port())}}));
  const std::string key = directory_ + "/id";
  Expect(Process::Run({.argv = {"/usr/bin/ssh-keygen", "-q", "-t", "ed25519",
                                "-N", "", "-f", key}}));
  fleet.Run(
      {"admin", "user", "key", "add", "admin", ReadTextFile(key + ".pub")});
  Start();
}

Gateway::~Gateway() {
  if (gateway_.has_value()) Stop();
}

void Gateway::Configure(const std::string& line) {
  const std::string path = directory_ + "/gateway.toml";
  std::string text = ReadTextFile(path);
  const std::string key = line.substr(0, line.find(' ')) + " =";
  const size_t at = text.find("\n" + key);
  if (at != text.npos) text.erase(at, text.find('\n', at + 1) - at);
  WriteTextFile(path, absl::StrCat(line, "\n", text));
}

void Gateway::Start() {
  auto gateway =
      Process::Start({.argv = {Binary(), "serve", directory_, "--listen",
                               absl::StrCat("127.0.0.1:", port_)},
                      .stderr_path = fleet_.directory() + "/gateway.log"});
  ASSERT_TRUE(gateway.ok()) << gateway.status();
  const auto port = gateway->WaitForLine("ready port=");
  ASSERT_TRUE(port.ok()) << port.status() << Log();
  ASSERT_TRUE(absl::SimpleAtoi(*port, &port_));
  gateway_.emplace(*std::move(gateway));
  WriteSshConfig();
}

void Gateway::Stop() {
  EXPECT_EQ(gateway_->StopWith(SIGTERM), 0) << Log();
  gateway_.reset();
}

std::string Gateway::Log() const {
  return ReadTextFile(fleet_.directory() + "/gateway.log");
}

void Gateway::WriteSshConfig() {
  WriteTextFile(directory_ + "/ssh_config",
                absl::StrCat("Host *\n  HostName 127.0.0.1\n  Port ", port_,
                             "\n  User admin+web01\n  IdentitiesOnly yes\n"
                             "  IdentityFile ",
                             directory_,
                             "/id\n"
                             "  UserKnownHostsFile ",
                             directory_,
                             "/known_hosts\n"
                             "  StrictHostKeyChecking accept-new\n"
                             "  LogLevel ERROR\n"));
}

std::vector<std::string> Gateway::SshCommand(
    const std::string& where, const std::vector<std::string>& words) {
  std::vector<std::string> argv = {"/usr/bin/ssh",
                                   "-F",
                                   directory_ + "/ssh_config",
                                   "-o",
                                   absl::StrCat("User=admin", where),
                                   "gw"};
  // Options first.
  for (const std::string& word : words) {
    if (word[0] == '-') {
      argv.insert(argv.end() - 1, word);
    } else {
      argv.push_back(word);
    }
  }
  return argv;
}

Process::Finished Gateway::Ssh(const std::string& where,
                               const std::vector<std::string>& words,
                               const std::string& input, absl::Duration limit) {
  auto finished =
      Process::Run({.argv = SshCommand(where, words)}, input, limit);
  EXPECT_TRUE(finished.ok()) << finished.status() << "\n" << Log();
  return finished.ok() ? *finished : Process::Finished{-1, "", ""};
}

Process::Finished Gateway::Script(const std::string& script,
                                  absl::Duration limit) {
  auto finished =
      Process::Run({.argv = {"/bin/bash", "-c", script},
                    .environment =
                        std::vector<std::string>{
                            "PATH=/usr/bin:/bin:/usr/sbin", "LC_ALL=C.UTF-8",
                            absl::StrCat("CONF=", directory_, "/ssh_config"),
                            absl::StrCat("PORT=", port_),
                            absl::StrCat("KEY=", directory_, "/id"),
                            absl::StrCat("HOME=", fleet_.directory(), "/home"),
                            absl::StrCat("DIR=", fleet_.directory())}},
                   "", limit);
  EXPECT_TRUE(finished.ok()) << finished.status() << "\n" << Log();
  return finished.ok() ? *finished : Process::Finished{-1, "", ""};
}

}  // namespace berth::testing
