#include "cli/fanout/script.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

TEST(ScriptTest, APlainScriptIsItself) {
  for (const auto shell : {v1::SHELL_KIND_UNSPECIFIED, v1::SHELL_KIND_PYTHON,
                           v1::SHELL_KIND_RESTRICTED}) {
    EXPECT_EQ(*MakeScript({"echo $x; 'q", false, {}, {}}, shell),
              "echo $x; 'q");
  }
}

TEST(ScriptTest, VariablesHoldWhileItRuns) {
  EXPECT_EQ(*MakeScript({"echo \"$A\" 'x'", false, {}, {{"A", "it's"}}},
                        v1::SHELL_KIND_BASH),
            "A='it'\\''s' eval 'echo \"$A\" '\\''x'\\'''\n");
  EXPECT_EQ(*MakeScript({"print(A)", false, {}, {{"A", "it's\n"}}},
                        v1::SHELL_KIND_PYTHON),
            "__import__('os').environ['A'] = A = 'it\\'s\\x0a'\nprint(A)");
}

TEST(ScriptTest, AFileHasItsArguments) {
  const std::string script = *MakeScript(
      {"echo \"$1\"", true, {"a b", ""}, {{"K", "v"}}}, v1::SHELL_KIND_ZSH);
  EXPECT_THAT(script, HasSubstr("K='v' source /dev/fd/9 'a b' '' 9<<'EOF_"));
  EXPECT_THAT(script, HasSubstr("\necho \"$1\"\nEOF_"));
  EXPECT_EQ(
      *MakeScript({"print(1)\n", true, {"x", "y"}, {}}, v1::SHELL_KIND_PYTHON),
      "__import__('sys').argv = ['script', 'x', 'y']\nprint(1)\n");
}

TEST(ScriptTest, ARestrictedShellHasNoFiles) {
  EXPECT_TRUE(absl::IsInvalidArgument(
      MakeScript({"x", true, {}, {}}, v1::SHELL_KIND_RESTRICTED).status()));
}

TEST(ScriptTest, ChecksNames) {
  EXPECT_TRUE(CheckVariable("_a1").ok());
  for (const char* name : {"", "1a", "a-b", "a b", "a=b", "$x"}) {
    EXPECT_FALSE(CheckVariable(name).ok()) << name;
  }
}

}  // namespace
}  // namespace berth::cli
