#include "cli/invocation/invocation.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/escape.h"

namespace berth::cli {

std::string Invocation::AbsolutePath(absl::string_view path) const {
  if (absl::StartsWith(path, "/")) return std::string(path);
  return absl::StrCat(params_.cwd, "/", path);
}

void Invocation::Conclude(int exit_status) {
  if (let_go_ == nullptr) return;
  signals_.Settle();
  out_.Close();
  err_.Close();
  let_go_(exit_status);
}

absl::Status Invocation::Become(const std::vector<std::string>& command) {
  if (become_ == nullptr) {
    return absl::FailedPreconditionError(
        "this can't be done in a keeper; use --no-keeper");
  }
  return become_(command);
}

void Invocation::Say(absl::string_view text) {
  // There is nowhere left to tell that telling failed.
  err_.Write(absl::StrCat("berth: ", EscapeForTerminal(text), "\n"))
      .IgnoreError();
}

int Invocation::Print(absl::string_view text) {
  const absl::Status status = out_.Write(text);
  if (status.ok()) return 0;
  if (absl::IsAborted(status)) return 141;
  return Fail(status);
}

int Invocation::Fail(const absl::Status& status, int exit_code) {
  if (signals_.left()) return signals_.exit_code();
  Say(status.message());
  return exit_code;
}

}  // namespace berth::cli
