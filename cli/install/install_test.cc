// What `berth agent install` knows without a host: what it reads from one, what
// it would bring there, and what it refuses before it asks any.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/tls/certificates.h"
#include "cli/install/options.h"
#include "cli/install/payload.h"
#include "cli/install/probe.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::cli {
namespace {

using ::testing::HasSubstr;

TEST(ProbeTest, ReadsLinesAndJoinsFiles) {
  const auto host = ParseProbe(
      "Welcome to web01, all is recorded\nsystem=Linux\nmachine=x86_64\n"
      "host=web01\nuser=0\nstate=/var/lib/berth/agent\nbash=/usr/bin/bash\n"
      "berth-agent=abc\nberth-holder=\nbroker=gw:7780\n"
      "certificate.pem=-----BEGIN\ncertificate.pem=QUJD==\nend=\n");
  ASSERT_TRUE(host.ok()) << host.status();
  EXPECT_EQ(host->machine, "x86_64");
  EXPECT_EQ(host->programs.at("berth-agent"), "abc");
  EXPECT_EQ(host->programs.at("berth-holder"), "");
  EXPECT_EQ(host->broker, "gw:7780");
  EXPECT_EQ(host->certificate_pem, "-----BEGIN\nQUJD==\n");
}

TEST(ProbeTest, RefusesWhatHasNoEnd) {
  const auto host = ParseProbe("This account is currently not available.\n");
  EXPECT_TRUE(absl::IsInvalidArgument(host.status()));
  EXPECT_THAT(std::string(host.status().message()), HasSubstr("login shell"));
}

TEST(ProbeTest, HostWithoutCertificateHasNotJoined) {
  const auto membership = MembershipOf(HostState(), "");
  ASSERT_TRUE(membership.ok());
  EXPECT_FALSE(membership->joined);
}

TEST(ProbeTest, RefusesACertificateThatIsNone) {
  HostState host;
  host.certificate_pem = "nonsense\n";
  EXPECT_FALSE(MembershipOf(host, "").ok());
}

TEST(PayloadTest, KnowsWhatMachineAProgramIsFor) {
  std::string elf(
      "\x7f"
      "ELF\x02\x01\x01",
      7);
  elf.resize(64);
  elf[18] = 62;
  EXPECT_EQ(MachineOf(elf), "x86_64");
  elf[18] = static_cast<char>(183);
  EXPECT_EQ(MachineOf(elf), "aarch64");
  elf[5] = 2;
  elf[18] = 0;
  elf[19] = 22;
  EXPECT_EQ(MachineOf(elf), "s390x");
  EXPECT_EQ(MachineOf("#!/bin/sh\n"), "");
  EXPECT_EQ(MachineOf("\x7f"
                      "ELF"),
            "");
}

TEST(PayloadTest, ChecksumIsThatOfSha256sum) {
  EXPECT_EQ(Sha256("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(PayloadTest, SaysWhichProgramIsMissing) {
  const auto payload = ReadPayload("/nonexistent", "", "");
  EXPECT_TRUE(absl::IsNotFound(payload.status()));
  EXPECT_THAT(std::string(payload.status().message()),
              HasSubstr("/nonexistent/berth-agent"));
}

TEST(InstallOptionsTest, RefusesWhatCanNotBe) {
  InstallOptions options;
  options.hosts = {"web01", "web02"};
  EXPECT_TRUE(CheckInstallOptions(options).ok());
  options.name = "front";
  EXPECT_THAT(std::string(CheckInstallOptions(options).message()),
              HasSubstr("NAME=HOST"));
  options = {};
  options.hosts = {"web01", "root@web01:22"};
  EXPECT_THAT(std::string(CheckInstallOptions(options).message()),
              HasSubstr("twice"));
  options = {};
  options.hosts = {"web01"};
  options.labels = {"site"};
  EXPECT_THAT(std::string(CheckInstallOptions(options).message()),
              HasSubstr("KEY=VALUE"));
  options.labels = {};
  options.prefix = "opt";
  EXPECT_THAT(std::string(CheckInstallOptions(options).message()),
              HasSubstr("absolute"));
}

}  // namespace
}  // namespace berth::cli
