// What happens before the first command: the startup script, resource limits
// and the cgroup.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/shell/kinds.h"
#include "tests/shell/shell_test.h"
#include "tests/support/proc.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

using absl::StrCat;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class StartupTest : public ShellTest,
                    public ::testing::WithParamInterface<const Kind*> {
 protected:
  void SetUp() override {}  // Each test starts what it needs.

  const Kind& kind() const { return *GetParam(); }

  HolderSession::Options WithScript(const std::string& script) {
    HolderSession::Options options = OptionsFor(kind());
    options.change_start = [script](holder::v1::HolderStart& start) {
      start.set_startup_script(script);
    };
    return options;
  }

  // Why a session with this startup script can't be made.
  std::string ErrorOf(const HolderSession::Options& options) {
    absl::Status status = HolderSession::Start(options).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    return std::string(status.message());
  }
};

std::string NameOf(const ::testing::TestParamInfo<const Kind*>& info) {
  return info.param->name;
}

INSTANTIATE_TEST_SUITE_P(All, StartupTest,
                         ::testing::Values(&BashKind(), &ZshKind(),
                                           &PythonKind()),
                         NameOf);

TEST_P(StartupTest, ScriptPreparesTheShell) {
  Restart(WithScript(
      StrCat(kind().set("x", "prepared"), "\n", kind().change_to_usr, "\n")));
  ASSERT_TRUE(started());
  EXPECT_EQ(Run(kind().get("x"), {.out = "prepared\n"}).sequence, 1u);
  EXPECT_EQ(session().state().cwd(), "/usr");
}

TEST_P(StartupTest, ItsOutputGoesNowhere) {
  Restart(WithScript(
      StrCat(kind().print("lost"), "\n", kind().print_error("lost"), "\n")));
  ASSERT_TRUE(started());
  Run(kind().print("1"), {.out = "1\n"});
  EXPECT_THAT(session().terminal(), Not(HasSubstr("lost")));
}

TEST_P(StartupTest, FailureIsAnErrorWithStatusAndTheEndOfItsErrors) {
  std::string error = ErrorOf(WithScript(
      StrCat(kind().child("i=0; while [ $i -lt 500 ]; do echo line $i >&2; "
                          "i=$((i+1)); done; printf %b \"why\\033[2J\" >&2; "
                          "exit 7"))));
  EXPECT_THAT(error, HasSubstr("status 7"));
  EXPECT_THAT(error, HasSubstr("why\\x1b[2J"));
  EXPECT_THAT(error, Not(HasSubstr("line 300\\n")));
  EXPECT_LT(error.size(), 1300u);
}

TEST_P(StartupTest, ExitIsItsStatus) {
  EXPECT_THAT(ErrorOf(WithScript(kind().exit)), HasSubstr("status 3"));
}

TEST_P(StartupTest, ScriptThatTakesTooLongIsAnError) {
  HolderSession::Options options =
      WithScript(kind().child("echo waiting >&2; sleep 1000"));
  options.hello_timeout = absl::Milliseconds(1500);
  std::string error = ErrorOf(options);
  EXPECT_THAT(error, HasSubstr("longer than 1.5s"));
  EXPECT_THAT(error, HasSubstr("waiting"));
}

TEST_P(StartupTest, ScriptThatReplacesTheShellIsAnError) {
  EXPECT_THAT(ErrorOf(WithScript(kind().become_sleep)),
              HasSubstr("another program"));
}

TEST_P(StartupTest, ScriptThatKillsTheShellIsAnError) {
  EXPECT_THAT(ErrorOf(WithScript(kind().child("kill -9 $PPID"))),
              HasSubstr("signal 9"));
}

TEST_P(StartupTest, ScriptMayLeaveProcesses) {
  Restart(WithScript(
      kind().child("(sleep 0.2; echo x >&2; echo y; exec sleep 100) &")));
  ASSERT_TRUE(started());
  Run(kind().child("sleep 0.4; pgrep -f -x \"sleep 100\" >/dev/null"), {});
}

TEST_P(StartupTest, ScriptsThatAreTooLongAreRefused) {
  EXPECT_THAT(ErrorOf(WithScript(std::string(65537, '\n'))),
              HasSubstr("65536"));
  Restart(WithScript(std::string(65536, '\n')));
  EXPECT_TRUE(started());
}

// --- Resource limits.

class LimitTest : public StartupTest {
 protected:
  HolderSession::Options WithLimit(uint32_t resource, uint64_t limit) {
    HolderSession::Options options = OptionsFor(kind());
    options.change_start = [=](holder::v1::HolderStart& start) {
      holder::v1::ResourceLimit& it = *start.add_resource_limits();
      it.set_resource(resource);
      it.set_limit(limit);
    };
    return options;
  }
};

INSTANTIATE_TEST_SUITE_P(All, LimitTest,
                         ::testing::Values(&BashKind(), &ZshKind(),
                                           &PythonKind()),
                         NameOf);

TEST_P(LimitTest, OpenFilesAreLimited) {
  Restart(WithLimit(RLIMIT_NOFILE, 60));
  ASSERT_TRUE(started());
  Run(kind().child("ulimit -n; ulimit -Hn"), {.out = "60\n60\n"});
}

TEST_P(LimitTest, SizesOfFilesAreLimited) {
  Restart(WithLimit(RLIMIT_FSIZE, 4096));
  ASSERT_TRUE(started());
  Run(kind().child("head -c 8192 /dev/zero >~/big; stat -c %s ~/big"),
      {.out = "4096\n", .err = kAny});
}

TEST_P(LimitTest, MemoryIsLimited) {
  Restart(WithLimit(RLIMIT_AS, 256 << 20));
  ASSERT_TRUE(started());
  Result result = Run(kind().child("head -c 1000000000 /dev/zero | tail -c "
                                   "600000000 | wc -c"),
                      {.status = kAny, .err = kAny});
  EXPECT_EQ(result.out, "0\n");
  EXPECT_THAT(result.err, HasSubstr("memory"));
  Run(kind().print("alive"), {.out = "alive\n"});
}

TEST_P(LimitTest, UnknownLimitsAreRefused) {
  EXPECT_THAT(ErrorOf(WithLimit(99, 1)), HasSubstr("limit number 99"));
}

TEST_P(LimitTest, HolderKeepsItsOwn) {
  Restart(WithLimit(RLIMIT_NOFILE, 60));
  ASSERT_TRUE(started());
  std::string limits =
      ReadTextFile(StrCat("/proc/", session().holder_pid(), "/limits"));
  EXPECT_THAT(limits, Not(HasSubstr("Max open files            60 ")));
}

// --- Cgroups.

// Where cgroups (version 2) of our own can be made; empty if nowhere.
std::string CgroupRoot() {
  std::ifstream mounts("/proc/self/mounts");
  std::string device, path, type, rest;
  while (mounts >> device >> path >> type && std::getline(mounts, rest)) {
    if (type == "cgroup2" && access(path.c_str(), W_OK) == 0) return path;
  }
  return "";
}

class CgroupTest : public StartupTest {
 protected:
  void SetUp() override {
    const std::string root = CgroupRoot();
    if (root.empty()) {
      GTEST_SKIP() << "no cgroup v2 that we may write to on this machine";
    }
    cgroup_ = StrCat(root, "/berth-test-", getpid(), "-", kind().name);
    if (mkdir(cgroup_.c_str(), 0755) != 0) {
      GTEST_SKIP() << "no cgroup can be made below " << root;
    }
  }

  void TearDown() override {
    End();
    if (!cgroup_.empty()) rmdir(cgroup_.c_str());
  }

  HolderSession::Options WithCgroup(const std::string& path) {
    HolderSession::Options options = OptionsFor(kind());
    options.change_start = [path](holder::v1::HolderStart& start) {
      start.set_cgroup(path);
    };
    return options;
  }

  std::string cgroup_;
};

INSTANTIATE_TEST_SUITE_P(All, CgroupTest,
                         ::testing::Values(&BashKind(), &ZshKind(),
                                           &PythonKind()),
                         NameOf);

TEST_P(CgroupTest, ShellAndItsChildrenAreInIt) {
  Restart(WithCgroup(cgroup_));
  ASSERT_TRUE(started());
  const std::string name = cgroup_.substr(cgroup_.rfind('/'));
  EXPECT_THAT(ReadTextFile(StrCat("/proc/", session().shell_pid(), "/cgroup")),
              HasSubstr(StrCat("0::", name, "\n")));
  std::string child = Run(kind().child("cat /proc/self/cgroup"), {}).out;
  EXPECT_THAT(child, HasSubstr(StrCat("0::", name, "\n")));
  EXPECT_THAT(ReadTextFile(StrCat("/proc/", session().holder_pid(), "/cgroup")),
              Not(HasSubstr(name)));
}

TEST_P(CgroupTest, MissingOneIsAnError) {
  EXPECT_THAT(ErrorOf(WithCgroup(cgroup_ + "/missing")),
              HasSubstr("cgroup '" + cgroup_ + "/missing'"));
}

}  // namespace
}  // namespace berth::testing
