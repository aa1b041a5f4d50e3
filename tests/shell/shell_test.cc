#include "tests/shell/shell_test.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace berth::testing {
namespace {

// So that a failure prints a line and not a megabyte.
std::string Shown(absl::string_view text) {
  constexpr size_t kMost = 400;
  if (text.size() <= kMost) return absl::CHexEscape(text);
  return absl::StrCat(absl::CHexEscape(text.substr(0, kMost)), "... (",
                      text.size(), " bytes)");
}

std::string Show(const HolderSession::Result& result) {
  return absl::StrCat("status ", result.status, ", how ",
                      static_cast<int>(result.how), ", out \"",
                      Shown(result.out), "\", err \"", Shown(result.err),
                      "\", detail \"", result.detail, "\"");
}

}  // namespace

int FromEnvironment(const char* name, int otherwise) {
  const char* value = getenv(name);
  return value != nullptr ? atoi(value) : otherwise;
}

void ShellTest::SetUp() {
  random_.seed(static_cast<unsigned>(FromEnvironment("BERTH_SUITE_SEED", 1)));
  Restart();
  // What could not be started can't be tested.
  ASSERT_TRUE(session_ != nullptr);
}

void ShellTest::TearDown() { End(); }

void ShellTest::Repeat(absl::FunctionRef<void(int)> body) {
  const int iterations = FromEnvironment("BERTH_SUITE_ITERATIONS", 3);
  for (int i = 0; i < iterations && !HasFailure(); ++i) {
    SCOPED_TRACE(absl::StrCat("iteration ", i));
    body(i);
  }
}

void ShellTest::RepeatFresh(absl::FunctionRef<void(int)> body) {
  Repeat([&](int i) {
    if (i > 0) Restart();
    if (session_ != nullptr) body(i);
  });
}

void ShellTest::Restart(const HolderSession::Options& options, Location where) {
  End(where);
  absl::StatusOr<std::unique_ptr<HolderSession>> session =
      HolderSession::Start(options);
  if (Check(session.status(), where)) session_ = std::move(*session);
}

void ShellTest::End(Location where) {
  if (session_ == nullptr) return;
  if (!HasFailure()) Check(session_->End(), where);
  session_.reset();
}

bool ShellTest::Check(const absl::Status& status, Location where) {
  if (status.ok()) return true;
  ADD_FAILURE_AT(where.file_name(), static_cast<int>(where.line())) << status;
  return false;
}

void ShellTest::Compare(const Result& result, const Want& want,
                        Location where) {
  if ((want.out && result.out != *want.out) ||
      (want.status && result.status != *want.status) ||
      (want.err && result.err != *want.err)) {
    ADD_FAILURE_AT(where.file_name(), static_cast<int>(where.line()))
        << "got:    " << Show(result) << "\nwanted: status "
        << (want.status ? absl::StrCat(*want.status) : "any") << ", out "
        << (want.out ? absl::StrCat("\"", Shown(*want.out), "\"") : "any")
        << ", err "
        << (want.err ? absl::StrCat("\"", Shown(*want.err), "\"") : "any");
  }
}

ShellTest::Result ShellTest::Run(absl::string_view script, const Want& want,
                                 Location where) {
  if (HasFailure()) return Result();
  Submission submission;
  submission.script = std::string(script);
  submission.input = want.input;
  absl::StatusOr<Result> result = session_->Run(submission);
  if (!Check(result.status(), where)) return Result();
  Compare(*result, want, where);
  return *std::move(result);
}

ShellTest::Result ShellTest::RunAnyhow(absl::string_view script,
                                       Location where) {
  return Run(script, {.status = kAny, .err = kAny}, where);
}

uint64_t ShellTest::Begin(absl::string_view script, Location where) {
  if (HasFailure()) return 0;
  Submission submission;
  submission.script = std::string(script);
  absl::StatusOr<uint64_t> sequence = session_->Submit(submission);
  if (!Check(sequence.status(), where)) return 0;
  Check(session_->WaitStarted(*sequence), where);
  return *sequence;
}

uint64_t ShellTest::Queue(absl::string_view script, Location where) {
  if (HasFailure()) return 0;
  Submission submission;
  submission.script = std::string(script);
  absl::StatusOr<uint64_t> sequence = session_->Submit(submission);
  if (!Check(sequence.status(), where)) return 0;
  const HolderSession::Command& command = session_->command(*sequence);
  if (!command.behind || command.started) {
    ADD_FAILURE_AT(where.file_name(), static_cast<int>(where.line()))
        << "it was not queued but started";
  }
  return *sequence;
}

ShellTest::Result ShellTest::Finish(uint64_t sequence, const Want& want,
                                    Location where) {
  if (HasFailure()) return Result();
  absl::StatusOr<Result> result = session_->Wait(sequence);
  if (!Check(result.status(), where)) return Result();
  Compare(*result, want, where);
  return *std::move(result);
}

void ShellTest::Interrupt(uint64_t sequence, bool force, Location where) {
  if (!HasFailure()) Check(session_->Interrupt(sequence, force), where);
}

std::string ShellTest::TypeLine(absl::string_view line, Location where) {
  const size_t from = session_->terminal().size();
  TypeUntilPrompt(absl::StrCat(line, "\n"), where);
  return session_->terminal().substr(from);
}

void ShellTest::TypePart(absl::string_view keys, Location where) {
  const size_t from = session_->terminal().size();
  Type(keys, where);
  if (!HasFailure()) Check(session_->WaitTerminal(keys, from), where);
}

void ShellTest::TypeUntilPrompt(absl::string_view keys, Location where) {
  if (HasFailure()) return;
  const uint64_t prompts = session_->prompts();
  Type(keys, where);
  if (!HasFailure() && Check(session_->WaitPrompt(prompts), where)) {
    Check(session_->Flush(), where);
  }
}

void ShellTest::Type(absl::string_view keys, Location where) {
  if (!HasFailure()) Check(session_->Type(keys), where);
}

std::string ShellTest::Printed(size_t from) {
  return absl::StrReplaceAll(session_->terminal().substr(from),
                             {{"\x1b[?2004l\r", ""}, {"\x1b[?2004h", ""}});
}

void ShellTest::ExpectPrinted(size_t from, absl::string_view text,
                              Location where) {
  if (HasFailure()) return;
  std::string printed = Printed(from);
  if (!absl::StrContains(printed, absl::StrCat("\n", text, "\r"))) {
    ADD_FAILURE_AT(where.file_name(), static_cast<int>(where.line()))
        << "no line \"" << absl::CHexEscape(text) << "\" in \""
        << Shown(printed) << "\"";
  }
}

}  // namespace berth::testing
