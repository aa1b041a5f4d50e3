// With services of the test's own. None of the modules wants to be root.

#include "agent/login/pam_session.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "base/files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::agent {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class PamSessionTest : public ::testing::Test {
 protected:
  PamSessionTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "berth-pam.XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  ~PamSessionTest() override { std::filesystem::remove_all(directory_); }

  absl::StatusOr<std::unique_ptr<PamSession>> Open(const std::string& lines) {
    Write("service", lines);
    return PamSession::Open(directory_ + "/service", "root");
  }

  void Write(const std::string& name, const std::string& text,
             mode_t mode = 0600) {
    ASSERT_TRUE(WriteFileAtomically(directory_ + "/" + name, text, mode).ok());
  }

  std::string Read(const std::string& name) {
    return ReadFile(directory_ + "/" + name).value_or("");
  }

  std::string directory_;
};

TEST_F(PamSessionTest, IsOpenedAndClosed) {
  Write(
      "note",
      "#!/bin/sh\necho $PAM_TYPE $PAM_USER $PAM_TTY >>" + directory_ + "/log\n",
      0700);
  {
    const auto session = Open(
        "account required pam_permit.so\n"
        "session required pam_exec.so " +
        directory_ + "/note\n");
    ASSERT_TRUE(session.ok()) << session.status();
    EXPECT_EQ(Read("log"), "open_session root berth\n");
  }
  EXPECT_EQ(Read("log"), "open_session root berth\nclose_session root berth\n");
}

TEST_F(PamSessionTest, HasTheVariablesThatModulesSet) {
  Write("variables", "PAM_SAYS DEFAULT=hello\n");
  const auto session = Open(
      "account required pam_permit.so\n"
      "session required pam_env.so readenv=0 conffile=" +
      directory_ + "/variables\n");
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_THAT((*session)->Environment(), Contains("PAM_SAYS=hello"));
}

TEST_F(PamSessionTest, RefusalNamesTheAccountAndWhatPamSaid) {
  const auto denied = Open("account required pam_deny.so\n");
  EXPECT_EQ(denied.status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(denied.status().message()),
              ::testing::AllOf(HasSubstr("account 'root' may not be used now"),
                               HasSubstr("service'")));
  // With the words of its modules, which are made harmless.
  Write("words", "closed \x1b[2J until nine\n");
  const auto told = Open("account optional pam_echo.so file=" + directory_ +
                         "/words\naccount required pam_deny.so\n");
  EXPECT_THAT(std::string(told.status().message()),
              HasSubstr(": closed \\x1b[2J until nine"));
  const auto session =
      Open("account required pam_permit.so\nsession required pam_deny.so\n");
  EXPECT_THAT(std::string(session.status().message()),
              HasSubstr("no session for account 'root'"));
}

// PAM takes the service "other" for one that is missing, and that may allow
// anything.
TEST_F(PamSessionTest, MissingServiceIsNoSession) {
  for (const std::string& service : {std::string("berth-no-such-service"),
                                     directory_ + "/none", std::string()}) {
    const auto session = PamSession::Open(service, "root");
    EXPECT_EQ(session.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(session.status().message()),
                HasSubstr("is not installed"));
  }
}

TEST_F(PamSessionTest, ServiceThatOthersCanWriteIsRefused) {
  Write("service", "account required pam_permit.so\n", 0666);
  const auto session = PamSession::Open(directory_ + "/service", "root");
  EXPECT_EQ(session.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(session.status().message()), HasSubstr("chmod go-w"));
}

}  // namespace
}  // namespace berth::agent
