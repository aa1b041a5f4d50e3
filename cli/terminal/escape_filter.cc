#include "cli/terminal/escape_filter.h"

namespace berth::cli {
namespace {

constexpr char kCtrlZ = 'Z' & 0x1f;

Escape Meaning(char key) {
  switch (key) {
    case '.':
      return Escape::kDetach;
    case '?':
      return Escape::kHelp;
    case kCtrlZ:
      return Escape::kSuspend;
    case 'R':
    case 'r':
      return Escape::kRedraw;
    case 'B':
    case 'b':
      return Escape::kBreak;
    default:
      return Escape::kNone;
  }
}

}  // namespace

EscapeFilter::Result EscapeFilter::Take(absl::string_view input) {
  Result result;
  for (const char key : input) {
    ++result.used;
    if (pending_) {
      pending_ = false;
      result.escape = Meaning(key);
      // Still at the beginning of the line: another one may follow.
      if (result.escape != Escape::kNone) return result;
      result.typed.push_back(*escape_);
      if (key == *escape_) {
        line_start_ = false;
        continue;
      }
    } else if (line_start_ && escape_ == key) {
      pending_ = true;
      continue;
    }
    result.typed.push_back(key);
    line_start_ = key == '\r' || key == '\n';
  }
  return result;
}

}  // namespace berth::cli
