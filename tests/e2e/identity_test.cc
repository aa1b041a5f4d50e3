// Users, certificates and CAs with the real programs: who is locked out is out,
// what runs goes on; certificates renew themselves; the CA can be changed.

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/files.h"
#include "base/tls/certificates.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"

namespace berth::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class IdentityTest : public ::testing::Test {
 protected:
  // How to run `berth` as a user, whose files are in `directory`.
  Process::Options As(const std::string& user,
                      const std::vector<std::string>& arguments) {
    Process::Options options = fleet_.Command(arguments, user);
    for (std::string& variable : *options.environment) {
      const auto set = [&](absl::string_view name, const std::string& value) {
        if (absl::StartsWith(variable, absl::StrCat(name, "="))) {
          variable = absl::StrCat(name, "=", value);
        }
      };
      set("BERTH_CERTIFICATE", File(user, user + ".pem"));
      set("BERTH_KEY", File(user, user + ".key"));
      set("BERTH_CA", File(user, "ca.pem"));
    }
    return options;
  }

  Process::Finished Run(const std::string& user,
                        const std::vector<std::string>& arguments) {
    auto finished = Process::Run(As(user, arguments), "", absl::Minutes(1));
    EXPECT_TRUE(finished.ok()) << finished.status();
    return finished.ok() ? *finished : Process::Finished();
  }

  std::string File(const std::string& user, const std::string& name) {
    return absl::StrCat(fleet_.directory(), "/user-", user, "/", name);
  }

  // A user with a certificate, and a CA file of their own.
  void AddUser(const std::string& user,
               const std::vector<std::string>& more = {}) {
    std::vector<std::string> add = {
        "admin", "user",  "add",
        user,    "--out", absl::StrCat(fleet_.directory(), "/user-", user)};
    add.insert(add.end(), more.begin(), more.end());
    fleet_.Run(add);
    WriteTextFile(File(user, "ca.pem"), *ReadFile(Broker("ca.pem")));
  }

  std::string Broker(const std::string& file) {
    return absl::StrCat(fleet_.directory(), "/broker/", file);
  }

  // `berth-broker` with these words.
  Process::Finished BerthBroker(std::vector<std::string> words) {
    words.insert(words.begin(), getenv("BERTH_BROKER"));
    auto finished = Process::Run({.argv = words});
    EXPECT_TRUE(finished.ok()) << finished.status();
    return finished.ok() ? *finished : Process::Finished();
  }

  // Waits until a file's certificate is another than `before`.
  std::string WaitForAnother(const std::string& path,
                             const std::string& before) {
    const absl::Time limit = absl::Now() + absl::Seconds(60);
    while (absl::Now() < limit) {
      const auto now = ReadFile(path);
      if (now.ok() && *now != before) return *now;
      absl::SleepFor(absl::Milliseconds(20));  // Between two looks.
    }
    ADD_FAILURE() << path << " is still the same";
    return before;
  }

  std::string Issuer(const std::string& path) {
    const auto read = ReadCertificate(*ReadFile(path));
    EXPECT_TRUE(read.ok()) << path << ": " << read.status();
    return read.ok() ? read->issuer : "";
  }

  Fleet fleet_{{"Server01"}};
};

TEST_F(IdentityTest, ALockedUserIsOutAtOnceAndFindsTheirSessionAsItWas) {
  AddUser("ann");
  ASSERT_EQ(Run("ann", {"new", "-c", "Server01"}).exit_code, 0);
  ASSERT_EQ(Run("ann", {"run", "-s", "1", "--", "x=kept"}).exit_code, 0);
  const std::string done = fleet_.directory() + "/done";
  Process::Options options =
      As("ann", {"run", "-s", "1", "--",
                 absl::StrCat("echo begun; while [ ! -e ", done,
                              " ]; do sleep 0.1; done; y=ended")});
  options.stderr_path = fleet_.directory() + "/run.err";
  auto running = Process::Start(options);
  ASSERT_TRUE(running.ok()) << running.status();
  ASSERT_TRUE(running->WaitForLine("begun").ok());
  fleet_.Run({"admin", "user", "lock", "ann", "--reason", "laptop stolen"});
  const auto exit = running->Wait(absl::Seconds(10));
  ASSERT_TRUE(exit.ok()) << exit.status();
  EXPECT_EQ(*exit, 125);
  EXPECT_THAT(ReadTextFile(options.stderr_path),
              AllOf(HasSubstr("user 'ann' is locked since"),
                    HasSubstr("laptop stolen")));
  const Process::Finished refused = Run("ann", {"ls"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("user 'ann' is locked since"));
  EXPECT_THAT(
      fleet_.Run({"admin", "user", "ls"}),
      AllOf(HasSubstr("ann"), HasSubstr("locked"), HasSubstr("laptop stolen")));
  // What ran goes on, and ends.
  WriteTextFile(done, "");
  fleet_.Run({"admin", "user", "unlock", "ann"});
  EXPECT_EQ(Run("ann", {"run", "-s", "1", "--", "echo $x $y"}).out,
            "kept ended\n");
  EXPECT_EQ(Run("ann", {"rm", "1"}).exit_code, 0);
}

TEST_F(IdentityTest, UsersKeysCertificatesAndTokensAreListedAndTakenAway) {
  fleet_.Run({"admin", "user", "add", "bob"});
  const std::string key = fleet_.directory() + "/id";
  auto made =
      Process::Run({.argv = {"/usr/bin/ssh-keygen", "-q", "-N", "", "-t",
                             "ed25519", "-C", "bob@pc", "-f", key}});
  ASSERT_TRUE(made.ok() && made->exit_code == 0);
  const std::string fingerprint(absl::StripAsciiWhitespace(
      fleet_.Run({"admin", "user", "key", "add", "bob", "-f", key + ".pub"})));
  EXPECT_THAT(fleet_.Run({"admin", "user", "key", "ls", "bob"}),
              AllOf(HasSubstr(fingerprint), HasSubstr("bob@pc")));
  const auto secret =
      fleet_.Berth({"admin", "user", "key", "add", "bob", "-f", key});
  EXPECT_NE(secret.exit_code, 0);
  EXPECT_THAT(secret.err, HasSubstr("this is a private key"));
  fleet_.Run({"admin", "user", "key", "rm", "bob", fingerprint});
  EXPECT_THAT(fleet_.Run({"admin", "user", "key", "ls", "bob"}),
              Not(HasSubstr(fingerprint)));

  AddUser("eve");
  ASSERT_EQ(Run("eve", {"ls"}).exit_code, 0);
  const std::string serial =
      ReadCertificate(*ReadFile(File("eve", "eve.pem")))->serial;
  EXPECT_EQ(fleet_.Run({"admin", "cert", "ls", "--user", "eve", "-o", "name"}),
            serial + "\n");
  EXPECT_EQ(fleet_.Run({"admin", "cert", "revoke", serial.substr(0, 10)}),
            serial + "\n");
  EXPECT_THAT(Run("eve", {"ls"}).err, HasSubstr("was revoked at"));
  fleet_.Run({"admin", "user", "rm", "eve"});
  EXPECT_THAT(fleet_.Run({"admin", "user", "ls", "-o", "name"}),
              Not(HasSubstr("eve")));
  const auto self = fleet_.Berth({"admin", "user", "lock", "admin"});
  EXPECT_NE(self.exit_code, 0);
  EXPECT_THAT(self.err, HasSubstr("lock yourself out"));

  const std::string token(absl::StripAsciiWhitespace(fleet_.Run(
      {"admin", "token", "create", "--names", "db*", "--uses", "3"})));
  const std::string tokens = fleet_.Run({"admin", "token", "ls"});
  EXPECT_THAT(tokens,
              AllOf(HasSubstr("db*"), HasSubstr("0/3"), Not(HasSubstr(token))));
  const std::string id =
      tokens.substr(tokens.rfind('\n', tokens.find("db*")) + 1, 12);
  fleet_.Run({"admin", "token", "rm", id});
  EXPECT_THAT(fleet_.Run({"admin", "token", "ls"}), Not(HasSubstr("db*")));
}

TEST_F(IdentityTest, ARevokedComputerIsOfflineUntilItJoinsAgain) {
  fleet_.Run({"new", "-c", "Server01"});
  fleet_.Run({"run", "-s", "1", "--", "x=kept"});
  fleet_.Run({"admin", "cert", "revoke", "--computer", "Server01"});
  fleet_.WaitForState("1", v1::SESSION_STATE_BROKEN);
  fleet_.KillAgent("Server01", SIGTERM);
  const std::vector<std::string> state = {"--state-dir",
                                          fleet_.AgentDirectory("Server01")};
  auto left = Process::Run({.argv = {getenv("BERTH_AGENT"), "leave",
                                     "--keep-sessions", state[0], state[1]}});
  ASSERT_TRUE(left.ok() && left->exit_code == 0) << left->err;
  const std::string token(absl::StripAsciiWhitespace(
      fleet_.Run({"admin", "token", "create", "--names", "Server01"})));
  auto joined =
      Process::Run({.argv = {getenv("BERTH_AGENT"), "join", "--broker",
                             absl::StrCat("localhost:", fleet_.port()),
                             "--token", token, "--ca", Broker("ca.pem"),
                             "--name", "Server01", state[0], state[1]}});
  ASSERT_TRUE(joined.ok() && joined->exit_code == 0) << joined->err;
  fleet_.StartAgent("Server01");
  fleet_.WaitFor({"computers", "Server01", "-o", "json"},
                 "COMPUTER_STATE_ONLINE", absl::Seconds(60));
  EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", "echo $x"}), "kept\n");
}

TEST_F(IdentityTest, AUsersCertificateRenewsItselfWhileInUseUpToTheLimit) {
  AddUser("ann", {"--ttl", "15s"});
  const std::string path = File("ann", "ann.pem");
  const std::string first = *ReadFile(path);
  ASSERT_EQ(Run("ann", {"new", "-c", "Server01"}).exit_code, 0);
  // Runs for longer than the first certificate is good, and goes on after its
  // connection was lost.
  const std::string done = fleet_.directory() + "/done";
  Process::Options options =
      As("ann", {"run", "-s", "1", "--",
                 absl::StrCat("echo begun; while [ ! -e ", done,
                              " ]; do sleep 0.1; done; echo ended")});
  options.stderr_path = fleet_.directory() + "/run.err";
  auto running = Process::Start(options);
  ASSERT_TRUE(running.ok()) << running.status();
  ASSERT_TRUE(running->WaitForLine("begun").ok());
  const std::string second = WaitForAnother(path, first);
  struct stat info = {};
  ASSERT_EQ(stat(File("ann", "ann.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  WaitForAnother(path, second);
  EXPECT_GT(absl::Now(), *CertificateExpiry(first) - absl::Seconds(5));
  fleet_.KillBroker(SIGKILL);
  fleet_.StartBroker();
  WaitForAnother(path, *ReadFile(path));
  EXPECT_GT(absl::Now(), *CertificateExpiry(first));
  WriteTextFile(done, "");
  ASSERT_TRUE(running->WaitForLine("ended", absl::Seconds(60)).ok());
  EXPECT_EQ(*running->Wait(absl::Seconds(30)), 0)
      << ReadTextFile(options.stderr_path);
  EXPECT_EQ(Run("ann", {"rm", "1"}).exit_code, 0);

  // Nothing is renewed beyond what the broker allows.
  fleet_.KillBroker(SIGTERM);
  std::string config = *ReadFile(Broker("broker.toml"));
  const size_t at = config.find("max_renewal = \"168h\"");
  ASSERT_NE(at, std::string::npos) << config;
  config.replace(at, 20, "max_renewal = \"5s\"");
  ASSERT_TRUE(WriteFileAtomically(Broker("broker.toml"), config).ok());
  fleet_.StartBroker();
  AddUser("bob", {"--ttl", "6s"});
  const absl::Time end = *CertificateExpiry(*ReadFile(File("bob", "bob.pem")));
  ASSERT_EQ(Run("bob", {"ls"}).exit_code, 0);
  absl::SleepFor(end - absl::Now() + absl::Seconds(1));  // It ends: that is it.
  const Process::Finished late = Run("bob", {"ls"});
  EXPECT_NE(late.exit_code, 0);
  EXPECT_THAT(late.err, AllOf(HasSubstr("expired at 20"),
                              HasSubstr("berth admin user add")));
}

TEST_F(IdentityTest, TheCaIsChangedAndNobodyNotices) {
  AddUser("ann");
  ASSERT_EQ(Run("ann", {"new", "-c", "Server01"}).exit_code, 0);
  ASSERT_EQ(Run("ann", {"run", "-s", "1", "--", "x=kept"}).exit_code, 0);
  const std::string agent =
      fleet_.AgentDirectory("Server01") + "/certificate.pem";
  const std::string old_agent = *ReadFile(agent);
  const std::string old_user = *ReadFile(File("ann", "ann.pem"));
  const std::string old_issuer = Issuer(agent);
  const std::string broker = fleet_.directory() + "/broker";

  EXPECT_NE(BerthBroker({"ca", "finish", broker}).exit_code, 0);
  const auto rotated = BerthBroker({"ca", "rotate", broker});
  ASSERT_EQ(rotated.exit_code, 0) << rotated.err;
  const auto twice = BerthBroker({"ca", "rotate", broker});
  EXPECT_NE(twice.exit_code, 0);
  EXPECT_THAT(twice.err, HasSubstr("is not finished"));
  const auto early = BerthBroker({"ca", "finish", broker});
  EXPECT_NE(early.exit_code, 0);
  EXPECT_THAT(early.err, AllOf(HasSubstr("agent 'Server01'"),
                               HasSubstr("user 'ann'"), HasSubstr("--force")));

  fleet_.KillBroker(SIGTERM);
  fleet_.StartBroker();
  EXPECT_NE(WaitForAnother(agent, old_agent), old_agent);
  EXPECT_NE(Issuer(agent), old_issuer);
  // A keeper that begins now learns of it, as would one within the hour.
  Run("ann", {"keeper", "stop"});
  EXPECT_EQ(Run("ann", {"run", "-s", "1", "--", "echo $x"}).out, "kept\n");
  WaitForAnother(File("ann", "ann.pem"), old_user);
  EXPECT_NE(Issuer(File("ann", "ann.pem")), old_issuer);
  EXPECT_EQ(*ReadFile(File("ann", "ca.pem")), *ReadFile(Broker("ca.pem")));
  EXPECT_EQ(Run("ann", {"run", "-s", "1", "--", "echo $x"}).out, "kept\n");
  // What is left is the administrator's, made at the broker.
  EXPECT_THAT(BerthBroker({"ca", "status", broker}).out,
              HasSubstr("user 'admin'"));
  ASSERT_EQ(BerthBroker({"admin", broker}).exit_code, 0);
  fleet_.Run({"computers"});  // It is known when it has come.
  const auto finished = BerthBroker({"ca", "finish", broker});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;

  fleet_.KillBroker(SIGTERM);
  fleet_.StartBroker();
  fleet_.WaitFor({"computers", "Server01", "-o", "json"},
                 "COMPUTER_STATE_ONLINE", absl::Seconds(60));
  EXPECT_EQ(Run("ann", {"run", "-s", "1", "--", "echo $x"}).out, "kept\n");
  EXPECT_EQ(Run("ann", {"rm", "1"}).exit_code, 0);
  // One of the old CA is good for nothing now.
  Run("ann", {"keeper", "stop"});
  ASSERT_TRUE(WriteFileAtomically(File("ann", "ann.pem"), old_user).ok());
  const Process::Finished refused = Run("ann", {"ls"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("can't be reached"));
}

}  // namespace
}  // namespace berth::testing
