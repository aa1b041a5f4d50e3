#ifndef BERTH_TESTS_SHELL_SHELL_TEST_H_
#define BERTH_TESTS_SHELL_SHELL_TEST_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <source_location>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tests/support/holder_session.h"

namespace berth::testing {

// Any value will do.
inline constexpr std::nullopt_t kAny = std::nullopt;

// What a command is expected to come to, and its input.
struct Want {
  std::optional<std::string> out = kAny;
  std::optional<int> status = 0;
  std::optional<std::string> err = "";
  std::optional<std::string> input = kAny;
};

// ShellTest gives each test a fresh session: a real berth-holder with a real
// bash, whose home and logs are in a directory of their own. At the end the
// session is ended, and no process of it may stay.
//
// The helpers report what goes wrong at the line of the caller, and do nothing
// once something has: a test stops soon after its first failure, without a
// deadline for each of its other lines.
class ShellTest : public ::testing::Test {
 protected:
  using Location = std::source_location;
  using Result = HolderSession::Result;
  using Submission = HolderSession::Submission;
  using State = holder::v1::State;

  void SetUp() override;
  void TearDown() override;

  // Calls `body` with 0, 1, 2 and so on, BERTH_SUITE_ITERATIONS times (default
  // 3), on one session. Stops at the first failure.
  void Repeat(absl::FunctionRef<void(int)> body);
  // The same, with a fresh session for each.
  void RepeatFresh(absl::FunctionRef<void(int)> body);

  HolderSession& session() { return *session_; }
  bool started() const { return session_ != nullptr; }
  // Ends the session and starts another.
  void Restart(const HolderSession::Options& options = {},
               Location where = Location::current());
  // Ends the session; no process of it may stay.
  void End(Location where = Location::current());

  // Runs a script and checks what came of it.
  Result Run(absl::string_view script, const Want& want = {},
             Location where = Location::current());
  // Runs a script that may do what it wants.
  Result RunAnyhow(absl::string_view script,
                   Location where = Location::current());
  // Submits a script and returns its number once it has started.
  uint64_t Begin(absl::string_view script,
                 Location where = Location::current());
  // Submits a script, which must be queued and not be started.
  uint64_t Queue(absl::string_view script,
                 Location where = Location::current());
  // Waits for the end of what Begin or Queue submitted.
  Result Finish(uint64_t sequence, const Want& want = {},
                Location where = Location::current());
  void Interrupt(uint64_t sequence, bool force = false,
                 Location where = Location::current());

  // Types a whole command and waits for the next prompt. Returns what the
  // terminal printed.
  std::string TypeLine(absl::string_view line,
                       Location where = Location::current());
  // Types part of a line, and waits until it is shown.
  void TypePart(absl::string_view keys, Location where = Location::current());
  // Types what makes the shell come back to its prompt.
  void TypeUntilPrompt(absl::string_view keys,
                       Location where = Location::current());
  // Types, and waits for nothing.
  void Type(absl::string_view keys, Location where = Location::current());
  // What the terminal printed from `from` on, without the switches of bracketed
  // paste.
  std::string Printed(size_t from);
  // `text` was printed as a line (or lines, with "\r\n" between) of its own.
  void ExpectPrinted(size_t from, absl::string_view text,
                     Location where = Location::current());

  // Reports an error at `where`. False if there is one.
  bool Check(const absl::Status& status, Location where = Location::current());

  // The same numbers in each run of a test; BERTH_SUITE_SEED for others.
  int Random(int below) {
    return std::uniform_int_distribution<int>(0, below - 1)(random_);
  }

 private:
  void Compare(const Result& result, const Want& want, Location where);

  std::unique_ptr<HolderSession> session_;
  std::mt19937 random_;
};

// The number in the environment variable `name`, or `otherwise`.
int FromEnvironment(const char* name, int otherwise);

}  // namespace berth::testing

#endif  // BERTH_TESTS_SHELL_SHELL_TEST_H_
