// A session that has done much is as good as a new one: nothing leaks.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/shell/shell_test.h"
#include "tests/support/proc.h"

namespace berth::testing {
namespace {

using absl::StrCat;

class DurabilityTest : public ShellTest {
 protected:
  void MixedRun(int i) {
    switch (i % 7) {
      case 0:
        Run(StrCat("v", i % 50, "=", i, "; echo $v", i % 50),
            {.out = StrCat(i, "\n")});
        break;
      case 1:
        Run("false | true; echo ${PIPESTATUS[*]}", {.out = "1 0\n"});
        break;
      case 2: {
        std::string data(static_cast<size_t>(i), 'q');
        Run("cat", {.out = data, .input = data});
        break;
      }
      case 3:
        Run("(exit 9)", {.status = 9});
        break;
      case 4:
        TypeLine(StrCat("hv=", i));
        break;
      case 5: {
        uint64_t sequence = Begin("sleep 9");
        Interrupt(sequence);
        Finish(sequence, {.status = 130, .err = kAny});
        break;
      }
      case 6:
        Run("sleep 0.001 & wait", {.err = kAny});
        break;
    }
  }
};

TEST_F(DurabilityTest, ManyMixedRunsLeakNoDescriptors) {
  const int runs = 70 * FromEnvironment("BERTH_SUITE_ITERATIONS", 3);
  size_t shell_files = 0, holder_files = 0;
  for (int i = 0; i < runs && !HasFailure(); ++i) {
    SCOPED_TRACE(i);
    MixedRun(i);
    if (i == 49) {
      shell_files = OpenFiles(session().shell_pid());
      holder_files = OpenFiles(session().holder_pid());
    }
  }
  // Late output of background children keeps no more than a few open.
  EXPECT_LE(OpenFiles(session().shell_pid()), shell_files);
  EXPECT_LE(OpenFiles(session().holder_pid()), holder_files + 2);
}

// --- Memory.

struct Script {
  const char* name;
  const char* text;
};

class LeakTest : public DurabilityTest,
                 public ::testing::WithParamInterface<Script> {};

TEST_P(LeakTest, RunsLeakNoMemory) {
  const int runs = 100 * FromEnvironment("BERTH_SUITE_ITERATIONS", 3);
  for (int i = 0; i < 200; ++i) RunAnyhow(GetParam().text);
  const int64_t shell = PrivateDirtyKilobytes(session().shell_pid());
  const int64_t holder = PrivateDirtyKilobytes(session().holder_pid());
  for (int i = 0; i < runs && !HasFailure(); ++i) RunAnyhow(GetParam().text);
  const int64_t shell_grown =
      PrivateDirtyKilobytes(session().shell_pid()) - shell;
  const int64_t holder_grown =
      PrivateDirtyKilobytes(session().holder_pid()) - holder;
  // Allocators take pages at a time.
  EXPECT_LT(shell_grown, 160 + runs / 50) << "kilobytes in " << runs << " runs";
  // A holder remembers the latest 10,000 commands, and the ids of all.
  constexpr int kRemembered = 10'000;
  EXPECT_LT(holder_grown, 256 + std::min(runs, kRemembered) * 3 / 2 + runs / 16)
      << "kilobytes in " << runs << " runs";
}

INSTANTIATE_TEST_SUITE_P(
    All, LeakTest,
    ::testing::Values(Script{"True", "true"},
                      Script{"Variables", "a=1; b=$a; [[ $b == 1 ]]"},
                      Script{"SyntaxError", "if then"},
                      Script{"Exit", "f() { local z=1; exit 3; }; f"},
                      Script{"SetE", "set -e; f() { local y; false; }; f"},
                      Script{"Return", "return 4"},
                      Script{"RequiredVariable", "${nope?x}"},
                      Script{"Pipeline", "echo a | { read x; }"},
                      Script{"Background", ": & wait"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(DurabilityTest, InterruptedRunsLeakNoMemory) {
  const int runs = 20 * FromEnvironment("BERTH_SUITE_ITERATIONS", 3);
  auto interrupted = [&] {
    uint64_t sequence = Begin("while :; do :; done");
    Interrupt(sequence);
    Finish(sequence, {.status = 130, .err = kAny});
  };
  for (int i = 0; i < 50; ++i) interrupted();
  const int64_t before = PrivateDirtyKilobytes(session().shell_pid());
  for (int i = 0; i < runs && !HasFailure(); ++i) interrupted();
  const int64_t grown =
      (PrivateDirtyKilobytes(session().shell_pid()) - before) * 1024;
  EXPECT_LT(grown, 128 * 1024 + runs * 100)
      << grown << " bytes in " << runs << " runs";
}

}  // namespace
}  // namespace berth::testing
