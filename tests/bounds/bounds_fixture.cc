#include "tests/bounds/bounds_fixture.h"

#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/monotonic.h"
#include "tests/support/proc.h"

namespace berth::testing {

bool IsLong() { return getenv("BERTH_LONG") != nullptr; }

BoundsTest::BoundsTest() : fleet_({"Server01"}) {
  for (const char* session : {"1", "2"}) {
    fleet_.Run({"new", "-c", "Server01"});
    fleet_.Run({"disconnect", session});  // Nobody's, but while it is used.
  }
}

void BoundsTest::ExpectOthersUnhurt() {
  const absl::Time begin = MonotonicNow();
  EXPECT_EQ(fleet_.Run({"run", "-s", "2", "--", "echo unhurt"}, "", "other"),
            "unhurt\n");
  EXPECT_LT(MonotonicNow() - begin, absl::Seconds(5));
}

void BoundsTest::WaitUntil(const std::function<bool()>& done,
                           const std::string& what, absl::Duration limit) {
  const absl::Time deadline = MonotonicNow() + limit;
  while (!done()) {
    ASSERT_LT(MonotonicNow(), deadline)
        << "not yet after " << limit << ": " << what;
    absl::SleepFor(absl::Milliseconds(10));  // Between two looks, no more.
  }
}

BoundsTest::Memory BoundsTest::MeasureMemory(
    const std::map<std::string, pid_t>& others) {
  std::map<std::string, pid_t> pids = others;
  pids["broker"] = fleet_.BrokerPid();
  pids["agent"] = fleet_.AgentPid("Server01");
  pids["holder"] = fleet_.HolderPid("1");
  Memory memory;
  for (const auto& [name, pid] : pids) {
    memory[name] = ProportionalKilobytes(pid);
    EXPECT_GT(memory[name], 0) << name << " " << pid;
  }
  return memory;
}

void BoundsTest::ExpectGrewLessThan(
    int64_t kilobytes, const Memory& before,
    const std::map<std::string, pid_t>& others) {
  const Memory now = MeasureMemory(others);
  for (const auto& [name, was] : before) {
    std::printf("  %s: %ld kB, %+ld\n", name.c_str(), now.at(name),
                now.at(name) - was);
    EXPECT_LT(now.at(name) - was, kilobytes) << name;
  }
}

std::string BoundsTest::SessionDirectory(const std::string& selector) {
  return absl::StrCat(fleet_.AgentDirectory("Server01"), "/sessions/",
                      fleet_.Session(selector).instance_id());
}

uint64_t BoundsTest::LoggedBytes() {
  uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(SessionDirectory(), error)) {
    if (!absl::StartsWith(entry.path().filename().string(), "c")) continue;
    struct stat info;
    if (stat(entry.path().c_str(), &info) == 0) bytes += info.st_size;
  }
  return bytes;
}

}  // namespace berth::testing
