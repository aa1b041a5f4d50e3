#include "tests/faults/restart/counters.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

constexpr int kStatus = 7;

// Without a process for each number: what is counted here are Berth's.
std::string CountUntil(const std::string& file) {
  return absl::StrCat("exec 8<> <(:); i=0; while [ ! -e ", file,
                      " ]; do echo $((i++)); read -t 0.1 -u 8; done; (exit ",
                      kStatus, ")");
}

}  // namespace

Counters::Counters(Fleet& fleet, const std::string& computer, size_t count)
    : fleet_(fleet), stop_(fleet.directory() + "/stop") {
  for (size_t i = 0; i < count; ++i) {
    const std::string id = absl::StrCat(i + 1);
    fleet_.Run({"new", "-c", computer});
    Process::Options options =
        fleet_.Command({"run", "-s", id, "--", CountUntil(stop_)}, "laptop");
    std::vector<std::string> argv = {
        "/bin/sh", "-c",
        absl::StrCat("exec \"$0\" \"$@\" >>", OutputOf(i), " </dev/null")};
    argv.insert(argv.end(), options.argv.begin(), options.argv.end());
    options.argv = argv;
    options.stderr_path = ErrorsOf(i);
    auto client = Process::Start(options);
    EXPECT_TRUE(client.ok()) << client.status();
    if (client.ok()) clients_.push_back(*std::move(client));
  }
}

std::string Counters::OutputOf(size_t i) const {
  return absl::StrCat(fleet_.directory(), "/out-", i + 1);
}

std::string Counters::ErrorsOf(size_t i) const {
  return absl::StrCat(fleet_.directory(), "/err-", i + 1);
}

int Counters::Lines(size_t i) const {
  const std::string text = ReadTextFile(OutputOf(i));
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

void Counters::WaitForLines(int more, absl::Duration limit) {
  std::vector<int> want;
  for (size_t i = 0; i < size(); ++i) want.push_back(Lines(i) + more);
  const absl::Time deadline = absl::Now() + limit;
  for (size_t i = 0; i < size();) {
    if (Lines(i) >= want[i]) {
      ++i;
    } else if (absl::Now() > deadline) {
      FAIL() << "session " << i + 1 << ": " << Lines(i) << " lines, not "
             << want[i] << " in " << limit << ": " << ReadTextFile(ErrorsOf(i));
    } else {
      absl::SleepFor(absl::Milliseconds(5));  // Between two looks, no more.
    }
  }
}

void Counters::StopAndCheck(absl::Duration limit) {
  WriteTextFile(stop_, "");
  for (size_t i = 0; i < size(); ++i) {
    auto code = clients_[i].Wait(limit);
    ASSERT_TRUE(code.ok()) << code.status() << ReadTextFile(ErrorsOf(i));
    EXPECT_EQ(*code, kStatus) << ReadTextFile(ErrorsOf(i));
    std::string expected;
    const int lines = Lines(i);
    for (int n = 0; n < lines; ++n) absl::StrAppend(&expected, n, "\n");
    EXPECT_EQ(ReadTextFile(OutputOf(i)), expected) << "session " << i + 1;
  }
}

size_t CountLiving(Fleet& fleet) {
  const std::vector<v1::Session> sessions = fleet.Sessions({});
  return std::count_if(
      sessions.begin(), sessions.end(), [](const v1::Session& session) {
        return session.state() == v1::SESSION_STATE_OPENED ||
               session.state() == v1::SESSION_STATE_DISCONNECTED;
      });
}

absl::Duration WaitForLiving(Fleet& fleet, size_t count, absl::Duration limit) {
  const absl::Time start = absl::Now();
  for (;;) {
    const size_t living = CountLiving(fleet);
    const absl::Duration passed = absl::Now() - start;
    if (living == count) return passed;
    if (passed > limit) {
      ADD_FAILURE() << living << " of " << count << " sessions live after "
                    << passed;
      return passed;
    }
    absl::SleepFor(absl::Milliseconds(10));  // Between two looks, no more.
  }
}

}  // namespace berth::testing
