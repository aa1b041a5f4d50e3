// Certificates that end: renewed in time, or a clear word on what to do.

#include "base/tls/certificates.h"

#include <signal.h>
#include <unistd.h>

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"

namespace berth::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class CertificatesTest : public ::testing::Test {
 protected:
  // A certificate by the fleet's own CA that ends after `lifetime`.
  std::string Issue(const std::string& key_pem, const Identity& who,
                    absl::Duration lifetime) {
    const std::string broker = fleet_.directory() + "/broker";
    const auto ca = CertificateAuthority::Load(
        *ReadFile(broker + "/ca.pem"), *ReadFile(broker + "/ca-key.pem"));
    EXPECT_TRUE(ca.ok()) << ca.status();
    return *ca->Issue(*NewCsrPem(key_pem), who, lifetime);
  }

  // Puts another certificate in the place of the agent's, which is stopped.
  void ReplaceAgents(absl::Duration lifetime) {
    const std::string agent = fleet_.AgentDirectory("Server01");
    const std::string key = *ReadFile(agent + "/key.pem");
    ASSERT_TRUE(WriteFileAtomically(
                    Path(), Issue(key, {Purpose::kAgent, "Server01"}, lifetime))
                    .ok());
  }

  std::string Path() {
    return fleet_.AgentDirectory("Server01") + "/certificate.pem";
  }

  Fleet fleet_{{"Server01"}};
};

TEST_F(CertificatesTest, AgentRenewsInTime) {
  fleet_.KillAgent("Server01", SIGTERM);
  // Certificates begin 5 minutes ago: two thirds of this one have passed.
  ReplaceAgents(absl::Minutes(1));
  fleet_.StartAgent("Server01");
  const absl::Time limit = absl::Now() + absl::Seconds(20);
  absl::Time expiry;
  do {
    usleep(20'000);
    expiry = *CertificateExpiry(*ReadFile(Path()));
  } while (expiry < absl::Now() + absl::Hours(1) && absl::Now() < limit);
  EXPECT_GT(expiry, absl::Now() + absl::Hours(24));
  // And it is let in with that.
  fleet_.KillAgent("Server01", SIGTERM);
  fleet_.WaitFor({"computers", "Server01", "-o", "json"},
                 "COMPUTER_STATE_OFFLINE");
  fleet_.StartAgent("Server01");
  fleet_.WaitFor({"computers", "Server01", "-o", "json"},
                 "COMPUTER_STATE_ONLINE");
}

TEST_F(CertificatesTest, AgentThatCameTooLateJoinsAgainAndKeepsItsSessions) {
  fleet_.Run({"new", "-c", "Server01"});
  fleet_.Run({"run", "-s", "1", "--", "x=kept"});
  fleet_.KillAgent("Server01", SIGTERM);
  ReplaceAgents(-absl::Minutes(1));
  fleet_.StartAgent("Server01");
  fleet_.WaitForState("1", v1::SESSION_STATE_BROKEN);
  const std::string token(
      absl::StripAsciiWhitespace(fleet_.Run({"admin", "token", "create"})));
  auto joined = Process::Run(
      {.argv = {getenv("BERTH_AGENT"), "join", "--broker",
                absl::StrCat("localhost:", fleet_.port()), "--token", token,
                "--ca", fleet_.directory() + "/broker/ca.pem", "--name",
                "Server01", "--state-dir", fleet_.AgentDirectory("Server01")}});
  ASSERT_TRUE(joined.ok()) << joined.status();
  ASSERT_EQ(joined->exit_code, 0) << joined->err;
  // The agent that runs takes the new certificate by itself.
  fleet_.WaitFor({"computers", "Server01", "-o", "json"},
                 "COMPUTER_STATE_ONLINE", absl::Seconds(60));
  EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", "echo $x"}), "kept\n");
}

TEST_F(CertificatesTest, UserWhoseCertificateExpiredIsToldSo) {
  const std::string key = *NewPrivateKeyPem();
  const std::string stem = fleet_.directory() + "/late";
  ASSERT_TRUE(WriteFileAtomically(stem + "-key.pem", key).ok());
  ASSERT_TRUE(WriteFileAtomically(
                  stem + ".pem",
                  Issue(key, {Purpose::kUser, "late"}, -absl::Minutes(1)))
                  .ok());
  Process::Options options = fleet_.Command({"ls"}, "laptop");
  for (std::string& variable : *options.environment) {
    if (absl::StartsWith(variable, "BERTH_CERTIFICATE="))
      variable = absl::StrCat("BERTH_CERTIFICATE=", stem, ".pem");
    if (absl::StartsWith(variable, "BERTH_KEY="))
      variable = absl::StrCat("BERTH_KEY=", stem, "-key.pem");
  }
  auto finished = Process::Run(options);
  ASSERT_TRUE(finished.ok()) << finished.status();
  EXPECT_EQ(finished->exit_code, 1);
  EXPECT_THAT(finished->err, AllOf(HasSubstr("late.pem expired at 20"),
                                   HasSubstr("berth admin user add")));
}

}  // namespace
}  // namespace berth::testing
