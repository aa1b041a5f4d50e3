#include "agent/shell/hookable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace berth::shell {
namespace {

using testing::HasSubstr;

std::string Why(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  return std::string(status.message());
}

std::string Bash() {
  std::ifstream file("/bin/bash", std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(CheckHookableTest, AcceptsBash) {
  EXPECT_TRUE(CheckHookable("/bin/bash").ok()) << CheckHookable("/bin/bash");
}

TEST(CheckHookableTest, RefusesAnotherShell) {
  EXPECT_THAT(Why(CheckHookable("/bin/dash")),
              HasSubstr("'/bin/dash' can't be used as a session's shell: it "
                        "does not export 'parse_and_execute'"));
}

TEST(CheckHookableTest, RefusesAScript) {
  EXPECT_THAT(Why(CheckHookableImage("/x/script", "#!/bin/bash\n")),
              HasSubstr("it is not an ELF program"));
}

TEST(CheckHookableTest, RefusesADirectory) {
  EXPECT_THAT(Why(CheckHookable("/")), HasSubstr("it is not a program"));
}

TEST(CheckHookableTest, SaysThatThereIsNoFile) {
  EXPECT_EQ(CheckHookable("/nonexistent").code(), absl::StatusCode::kNotFound);
}

TEST(CheckHookableTest, RefusesAnotherProcessor) {
  std::string bash = Bash();
  bash[18] ^= 1;
  EXPECT_THAT(Why(CheckHookableImage("bash", bash)),
              HasSubstr("another kind of processor"));
}

TEST(CheckHookableTest, RefusesAStaticProgram) {
  // This test is linked dynamically or not; a bash without program headers is
  // as good as a static one.
  std::string bash = Bash();
  bash[56] = bash[57] = 0;
  EXPECT_THAT(Why(CheckHookableImage("bash", bash)),
              HasSubstr("statically linked"));
}

TEST(CheckHookableTest, RefusesStrippedSymbols) {
  std::string bash = Bash();
  size_t replaced = 0;
  const std::string name("top_level\0", 10);
  for (size_t at = 0; (at = bash.find(name, at)) != bash.npos; ++replaced) {
    bash[at] = 'x';
  }
  ASSERT_GT(replaced, 0u);
  EXPECT_THAT(Why(CheckHookableImage("bash", bash)),
              HasSubstr("does not export 'top_level'"));
}

// A file that is cut off or damaged anywhere must be an answer, not a crash.
TEST(CheckHookableTest, SurvivesDamage) {
  std::string bash = Bash();
  for (size_t size : {0, 3, 63, 64, 100, 700, 5000}) {
    EXPECT_FALSE(CheckHookableImage("bash", bash.substr(0, size)).ok());
  }
  for (size_t at = 16; at < 1200; ++at) {
    std::string damaged = bash.substr(0, 4096);
    damaged[at] = static_cast<char>(0xff);
    EXPECT_FALSE(CheckHookableImage("bash", damaged).ok());
  }
}

}  // namespace
}  // namespace berth::shell
