#ifndef BERTH_TESTS_INSTALL_INSTALL_FIXTURE_H_
#define BERTH_TESTS_INSTALL_INSTALL_FIXTURE_H_

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"
#include "tests/install/ssh_server.h"

namespace berth::testing {

// Sessions run as whoever runs the agent: so no account has to be made.
inline constexpr char kAgentConfig[] = "run_as = \"agent\"\n";

// A broker, an SSH server of this machine as the host to install on, and
// `berth` with its programs beside it in one directory, as they are installed.
class InstallTest : public ::testing::Test {
 protected:
  InstallTest() : fleet_(std::vector<std::string>()) {
    bin_ = Path("bin");
    std::filesystem::create_directory(bin_);
    Link("BERTH_CLI", "berth");
    Link("BERTH_SSH", "berth-ssh");
    Link("BERTH_AGENT", "berth-agent");
    Link("BERTH_HOLDER", "berth-holder");
    Link("BERTH_LOGIN", "berth-login");
    public_key_ = MakeSshKey(Path("key"));
    host_ = Server("host");
    WriteTextFile(Path("known"), host_->KnownHost());
    WriteTextFile(Path("agent.toml"), kAgentConfig);
  }

  ~InstallTest() override {
    // Also the other direction of the script that installed it.
    for (const std::string& state : states_) {
      std::vector<std::string> environment = {
          absl::StrCat("PATH=", getenv("PATH")), "HOME=" + Path("home"),
          "BERTH_PREFIX=" + Path("prefix")};
      auto off =
          Process::Run({.argv = {"/bin/bash", getenv("ENABLE_COMPUTER"),
                                 "--off", "--plain", "--state-dir", state},
                        .environment = environment},
                       "", absl::Minutes(1));
      EXPECT_TRUE(off.ok() && off->exit_code == 0)
          << (off.ok() ? off->err : off.status().ToString());
    }
  }

  std::string Path(const std::string& name) const {
    return fleet_.directory() + "/" + name;
  }

  void Link(const char* variable, const std::string& name) {
    std::error_code error;
    const std::filesystem::path from =
        std::filesystem::canonical(getenv(variable), error);
    std::filesystem::create_hard_link(from, bin_ + "/" + name, error);
    if (error) std::filesystem::copy_file(from, bin_ + "/" + name, error);
    EXPECT_FALSE(error) << name << ": " << error.message();
  }

  std::unique_ptr<SshServer> Server(const std::string& name) {
    return std::make_unique<SshServer>(Path("sshd-" + name), public_key_,
                                       Path("home"));
  }

  // `berth agent install` with these words, below directories of the test's.
  Process::Finished Install(std::vector<std::string> words,
                            const std::string& state = "state",
                            const std::string& input = "") {
    states_.insert(Path(state));
    std::vector<std::string> all = {"agent",
                                    "install",
                                    "--prefix",
                                    Path("prefix"),
                                    "--state-dir",
                                    Path(state),
                                    "--agent-config",
                                    Path("agent.toml"),
                                    "--known-hosts",
                                    Path("known"),
                                    "--plain",
                                    "--timeout",
                                    "2m"};
    all.insert(all.end(), words.begin(), words.end());
    if (!absl::StrContains(absl::StrCat(" ", words.back()), "identity")) {
      all.insert(all.end(), {"--identity", Path("key")});
    }
    return Berth(all, input);
  }

  Process::Finished Berth(const std::vector<std::string>& words,
                          const std::string& input = "") {
    Process::Options options = fleet_.Command(words, "laptop");
    options.argv[0] = bin_ + "/berth";
    auto finished = Process::Run(options, input, absl::Minutes(3));
    EXPECT_TRUE(finished.ok()) << finished.status();
    return finished.ok() ? *finished : Process::Finished{-1, "", ""};
  }

  void ExpectInstalled(const Process::Finished& done) {
    EXPECT_EQ(done.exit_code, 0) << done.out << done.err << host_->Log();
    EXPECT_THAT(done.out, ::testing::HasSubstr("ok "));
  }

  std::string AgentPid(const std::string& state = "state") {
    return ReadTextFile(Path(state) + "/lock");
  }

  Fleet fleet_;
  std::string bin_;
  std::string public_key_;
  std::unique_ptr<SshServer> host_;
  std::set<std::string> states_;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_INSTALL_INSTALL_FIXTURE_H_
