// `berth login`, by a real gateway and with tokens: what it brings is the
// user's own, until they log out.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tests/gateway/gateway.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class LoginTest : public ::testing::Test {
 protected:
  LoginTest() {
    bin_ = Path("bin");
    std::filesystem::create_directories(bin_);
    Link("BERTH_CLI", "berth");
    Link("BERTH_SSH", "berth-ssh");
  }
  ~LoginTest() override { Berth({"keeper", "stop"}); }

  std::string Path(const std::string& name) const {
    return fleet_.directory() + "/" + name;
  }
  void Link(const char* variable, const std::string& name) {
    std::error_code error;
    const auto from = std::filesystem::canonical(getenv(variable), error);
    std::filesystem::create_hard_link(from, bin_ + "/" + name, error);
    if (error) std::filesystem::copy_file(from, bin_ + "/" + name, error);
    EXPECT_FALSE(error) << name << ": " << error.message();
  }

  // `berth` of somebody who has nothing but an SSH key, on another machine.
  Process::Finished Berth(const std::vector<std::string>& words,
                          const std::string& input = "",
                          const std::string& variable = "A=") {
    std::vector<std::string> argv = {bin_ + "/berth"};
    argv.insert(argv.end(), words.begin(), words.end());
    auto finished = Process::Run(
        {.argv = argv,
         .environment =
             std::vector<std::string>{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8",
                                      variable, "HOME=" + Path("home"),
                                      "XDG_CONFIG_HOME=" + Path("config"),
                                      "XDG_STATE_HOME=" + Path("state"),
                                      "XDG_RUNTIME_DIR=" + Path("run")}},
        input, absl::Seconds(60));
    EXPECT_TRUE(finished.ok()) << finished.status();
    return finished.ok() ? *finished : Process::Finished{-1, "", ""};
  }

  std::vector<std::string> ByGateway(const std::string& user) {
    return {"login",
            absl::StrCat(user, "@127.0.0.1:", gateway_.port()),
            "--context",
            "gw",
            "-i",
            gateway_.directory() + "/id",
            "--known-hosts",
            Path("known")};
  }
  std::vector<std::string> ByToken() {
    return {"login",
            "--broker",
            absl::StrCat("localhost:", fleet_.port()),
            "--ca",
            Path("broker/ca.pem"),
            "--context",
            "ci"};
  }
  // Paths of files that a login has stored.
  std::vector<std::string> Stored() const {
    std::vector<std::string> files;
    std::error_code error;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(
             Path("config/berth/logins"), error)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    return files;
  }

  Fleet fleet_{{"web01"}};
  Gateway gateway_{fleet_};
  std::string bin_;
};

TEST_F(LoginTest, BringsACertificateOfOnesOwnUntilOneLogsOut) {
  // Nobody believes a gateway that was never seen, without a word.
  std::vector<std::string> login = ByGateway("admin");
  const auto unknown = Berth(login);
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("SHA256:"));
  EXPECT_TRUE(Stored().empty());
  login.push_back("--accept-new");
  const auto in = Berth(login);
  ASSERT_EQ(in.exit_code, 0) << in.err << gateway_.Log();
  EXPECT_THAT(in.err,
              AllOf(HasSubstr(absl::StrCat("logged in to localhost:",
                                           fleet_.port(), " as admin, until")),
                    HasSubstr("context 'gw'")));
  EXPECT_EQ(Stored().size(), 3u);
  // From here on without the gateway.
  gateway_.Stop();
  EXPECT_EQ(Berth({"new", "-c", "web01", "--name", "mine"}).exit_code, 0);
  EXPECT_EQ(Berth({"run", "-s", "mine", "--", "echo here"}).out, "here\n");
  const std::string issued =
      fleet_.Run({"admin", "cert", "ls", "--user", "admin"});
  EXPECT_THAT(issued, HasSubstr(" login "));
  // What is open ends with it; the session does not.
  auto runs = Process::Start(
      {.argv = {bin_ + "/berth", "run", "-s", "mine", "--",
                "echo ready; sleep 1000"},
       .environment = std::vector<std::string>{
           "HOME=" + Path("home"), "XDG_CONFIG_HOME=" + Path("config"),
           "XDG_STATE_HOME=" + Path("state"),
           "XDG_RUNTIME_DIR=" + Path("run")}});
  ASSERT_TRUE(runs.ok()) << runs.status();
  ASSERT_TRUE(runs->WaitForLine("ready").ok());
  std::filesystem::copy(std::filesystem::path(Stored().front()).parent_path(),
                        Path("stolen"));
  const auto out = Berth({"logout"});
  EXPECT_EQ(out.exit_code, 0) << out.err;
  EXPECT_NE(runs->Wait().value_or(0), 0);
  EXPECT_TRUE(Stored().empty());
  EXPECT_THAT(Berth({"ls"}).err, HasSubstr("no current context"));
  EXPECT_THAT(fleet_.Run({"admin", "cert", "ls", "--user", "admin"}),
              HasSubstr("logged out"));
  EXPECT_EQ(fleet_.Session("mine").computer(), "web01");
  EXPECT_THAT(Berth({"logout"}).err, HasSubstr("not logged in"));
  EXPECT_EQ(
      Berth({"context", "add", "thief", "--broker",
             absl::StrCat("localhost:", fleet_.port()), "--ca",
             Path("stolen/ca.pem"), "--certificate",
             Path("stolen/certificate.pem"), "--key", Path("stolen/key.pem")})
          .exit_code,
      0);
  EXPECT_THAT(Berth({"ls"}).err,
              AllOf(HasSubstr("was revoked"), HasSubstr("logged out")));
  gateway_.Start();
}

TEST_F(LoginTest, SaysWhyNot) {
  auto stranger = ByGateway("nobody");
  stranger.push_back("--accept-new");
  EXPECT_THAT(Berth(stranger).err, HasSubstr("login as 'nobody' refused"));
  EXPECT_THAT(Berth({"login"}).err, HasSubstr("log in where?"));
  EXPECT_THAT(Berth({"login", "localhost:1"}).err,
              HasSubstr("gateway localhost:1: "));
  EXPECT_TRUE(Stored().empty());
  // What is no CSR is no reason to answer; nor is a terminal's user.
  EXPECT_THAT(gateway_.Ssh("", {"login"}, "nonsense").err,
              HasSubstr("not a certificate signing request"));
  EXPECT_THAT(gateway_.Ssh("", {"login"}, "").err,
              HasSubstr("'berth login' makes one"));
  // A context that is no login's is not replaced.
  EXPECT_EQ(Berth({"context", "add", "gw", "--broker", "b:1", "--ca", "a",
                   "--certificate", "b", "--key", "c"})
                .exit_code,
            0);
  auto login = ByGateway("admin");
  login.push_back("--accept-new");
  EXPECT_THAT(Berth(login).err, HasSubstr("not made by 'berth login'"));
  EXPECT_THAT(Berth({"logout"}).err, HasSubstr("not made by 'berth login'"));
}

TEST_F(LoginTest, TokensLetProgramsIn) {
  EXPECT_THAT(fleet_.Berth({"admin", "token", "create", "--user", "ci"}).err,
              HasSubstr("user 'ci': not found"));
  fleet_.Run({"admin", "user", "add", "ci"});
  const std::string token = std::string(absl::StripAsciiWhitespace(
      fleet_.Run({"admin", "token", "create", "--user", "ci", "--uses", "2"})));
  const auto in = Berth(ByToken(), "", "BERTH_TOKEN=" + token);
  ASSERT_EQ(in.exit_code, 0) << in.err;
  EXPECT_THAT(in.err, HasSubstr(" as ci, until"));
  EXPECT_EQ(Berth({"ls", "-o", "json"}).exit_code, 0);
  auto by_file = ByToken();
  by_file.insert(by_file.end(), {"--token-file", "-"});
  EXPECT_EQ(Berth(by_file, token + "\n").exit_code, 0);
  const auto third = Berth(by_file, token + "\n");
  EXPECT_EQ(third.exit_code, 1);
  EXPECT_THAT(third.err, HasSubstr("was used 2 of 2 times"));
  EXPECT_EQ(Berth({"logout"}).exit_code, 0);

  const std::string tokens = fleet_.Run({"admin", "token", "ls"});
  EXPECT_THAT(tokens, AllOf(HasSubstr("user ci"), HasSubstr("2/2"),
                            HasSubstr("used"), Not(HasSubstr(token))));
  // One that is removed, and one of a user who is locked.
  fleet_.Run({"admin", "token", "create", "--user", "ci"});
  const std::string id = tokens.substr(tokens.find("u-"), 14);
  fleet_.Run({"admin", "token", "rm", id});
  EXPECT_THAT(Berth(by_file, token).err, HasSubstr("not known to this broker"));
  const std::string other = std::string(absl::StripAsciiWhitespace(
      fleet_.Run({"admin", "token", "create", "--user", "ci"})));
  fleet_.KillBroker(SIGKILL);
  fleet_.StartBroker();
  fleet_.Run({"admin", "user", "lock", "ci"});
  EXPECT_THAT(Berth(by_file, other).err, HasSubstr("'ci' is locked"));
  fleet_.Run({"admin", "user", "unlock", "ci"});
  EXPECT_EQ(Berth(by_file, other).exit_code, 0);
  fleet_.Run({"admin", "user", "rm", "ci"});
  EXPECT_THAT(Berth(by_file, other).err, HasSubstr("not known to this broker"));
}

}  // namespace
}  // namespace berth::testing
