#include "broker/users/ssh_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace berth::broker {
namespace {

using ::berth::testing::Process;
using ::berth::testing::ReadTextFile;
using ::berth::testing::TempDir;
using ::testing::HasSubstr;

std::string Number(absl::string_view bytes) {
  const uint32_t n = bytes.size();
  std::string text;
  for (int shift : {24, 16, 8, 0}) text += static_cast<char>(n >> shift);
  return absl::StrCat(text, bytes);
}

std::string Line(absl::string_view type, const std::string& rest) {
  return absl::StrCat(type, " ",
                      absl::Base64Escape(absl::StrCat(Number(type), rest)));
}

TEST(SshKeyTest, TakesWhatSshKeygenMakesAndAgreesOnItsFingerprint) {
  TempDir dir;
  for (const std::vector<std::string>& options :
       std::vector<std::vector<std::string>>{{"ed25519"},
                                             {"ecdsa", "-b", "256"},
                                             {"ecdsa", "-b", "384"},
                                             {"ecdsa", "-b", "521"},
                                             {"rsa", "-b", "2048"}}) {
    const std::string path =
        absl::StrCat(dir.path(), "/", options[0], options.back());
    std::vector<std::string> argv = {
        "/usr/bin/ssh-keygen", "-q", "-N", "",  "-C",
        "ann@laptop here",     "-f", path, "-t"};
    argv.insert(argv.end(), options.begin(), options.end());
    auto made = Process::Run({.argv = argv});
    ASSERT_TRUE(made.ok() && made->exit_code == 0) << made->err;
    const auto key = ParseSshKey(ReadTextFile(path + ".pub"));
    ASSERT_TRUE(key.ok()) << key.status();
    auto shown = Process::Run(
        {.argv = {"/usr/bin/ssh-keygen", "-l", "-f", path + ".pub"}});
    ASSERT_TRUE(shown.ok());
    EXPECT_THAT(shown->out, HasSubstr(" " + key->fingerprint() + " "));
    EXPECT_EQ(key->comment(), "ann@laptop here");
    EXPECT_EQ(absl::StrCat(key->line(), " ann@laptop here\n"),
              ReadTextFile(path + ".pub"));
    EXPECT_THAT(std::string(ParseSshKey(ReadTextFile(path)).status().message()),
                HasSubstr("this is a private key"));
  }
}

TEST(SshKeyTest, TakesHardwareKeys) {
  const std::string key = Number(std::string(32, 'k')) + Number("ssh:");
  EXPECT_EQ(ParseSshKey(Line("sk-ssh-ed25519@openssh.com", key))->type(),
            "sk-ssh-ed25519@openssh.com");
}

TEST(SshKeyTest, RefusesEverythingElse) {
  const std::string key = Number(std::string(32, 'k'));
  const std::string good = Line("ssh-ed25519", key);
  ASSERT_TRUE(ParseSshKey(good).ok());
  const std::string modulus =
      absl::StrCat(std::string("\0", 1), std::string(128, '\xff'));
  const std::string point = absl::StrCat("\x04", std::string(64, 'x'));
  const struct {
    std::string line, error;
  } cases[] = {
      {"", "there is no key"},
      {"ssh-ed25519", "there is no key"},
      {"command=\"id\" " + good, "are not taken"},
      {"ssh-dss AAAA", "'ssh-dss' are not taken"},
      {"ssh-\033[31m AAAA", "are not taken"},
      {"ssh-ed25519 ***", "no base64"},
      {"ssh-ed25519 AAAA", "cut short"},
      {Line("ssh-ed25519", key + "x"), "more after the key"},
      {Line("ssh-ed25519", Number("short")), "32 bytes"},
      {"ssh-rsa " + good.substr(12), "not what is written before it"},
      {Line("ssh-rsa", Number("\x03") + Number(modulus)), "1024 bits"},
      {Line("ssh-rsa", Number("") + Number(modulus)), "a number that is none"},
      {Line("ecdsa-sha2-nistp256", Number("nistp384") + Number(point)),
       "not that of its type"},
      {Line("ecdsa-sha2-nistp256", Number("nistp256") + Number(point)),
       "not on its curve"},
      {Line("ecdsa-sha2-nistp256", Number("nistp256") + Number("")),
       "not on its curve"},
      {Line("sk-ssh-ed25519@openssh.com", key), "cut short"},
      {good + "\n" + good, "more than one line"},
      {std::string(kMaxSshKeyLine + 1, 'x'), "too long"},
  };
  for (const auto& c : cases) {
    const absl::Status status = ParseSshKey(c.line).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << c.line;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.error)) << c.line;
    EXPECT_EQ(status.message().find('\033'), absl::string_view::npos);
  }
}

}  // namespace
}  // namespace berth::broker
