#include "cli/recordings/rendering.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "base/escape.h"

namespace berth::cli {
namespace {

std::string WhoRan(const v1::RecordedStart& started) {
  return started.user().empty() ? std::string("somebody")
                                : EscapeForTerminal(started.user());
}

}  // namespace

std::string RecordingRendering::Render(const v1::RecordingEntry& entry) {
  switch (entry.entry_case()) {
    case v1::RecordingEntry::kTerminal:
      return Note(entry.terminal());
    case v1::RecordingEntry::kOutput:
      return Output(entry.output().data());
    case v1::RecordingEntry::kStarted:
      return Line(absl::StrCat(
          WhoRan(entry.started()), " runs ", entry.started().sequence(), ": ",
          EscapeForTerminal(
              absl::StripTrailingAsciiWhitespace(entry.started().text()))));
    case v1::RecordingEntry::kEnded:
      return Line(absl::StrCat(entry.ended().sequence(), " ended with ",
                               entry.ended().exit_code()));
    case v1::RecordingEntry::kGap:
      return Line(
          absl::StrCat(entry.gap().bytes() > 0
                           ? absl::StrCat(entry.gap().bytes(), " bytes are")
                           : "something is",
                       " missing: ", EscapeForTerminal(entry.gap().reason())));
    case v1::RecordingEntry::kRedacted:
      return Line(absl::StrCat("taken out by ",
                               EscapeForTerminal(entry.redacted().user()), ": ",
                               EscapeForTerminal(entry.redacted().reason())));
    case v1::RecordingEntry::kSessionEnded:
      return Line(
          absl::StrCat("the session ended: ",
                       EscapeForTerminal(entry.session_ended().reason())));
    case v1::RecordingEntry::kSize:
    case v1::RecordingEntry::ENTRY_NOT_SET:
      return "";
  }
  return "";
}

std::string RecordingRendering::Line(const std::string& text) {
  return Note(absl::StrCat(line_start_ ? "" : "\r\n", "[", text, "]\r\n"));
}

std::string RecordingRendering::Output(absl::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    if (c == '\n' && !after_return_) out.push_back('\r');
    out.push_back(c);
    after_return_ = c == '\r';
  }
  return Note(std::move(out));
}

std::string RecordingRendering::Note(std::string bytes) {
  if (!bytes.empty()) {
    line_start_ = bytes.back() == '\n';
    after_return_ = bytes.back() == '\r';
  }
  return bytes;
}

}  // namespace berth::cli
