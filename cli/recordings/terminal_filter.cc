#include "cli/recordings/terminal_filter.h"

#include "absl/strings/match.h"

namespace berth::cli {
namespace {

constexpr char kEscape = '\x1b';
constexpr char kBell = '\x07';
constexpr char kCancel = '\x18';
constexpr char kSubstitute = '\x1a';
// The first byte of C1 controls in UTF-8.
constexpr char kC1Lead = '\xc2';
constexpr absl::string_view kStrings = "]PX^_";
// Final bytes of sequences that a terminal answers, or that do more than draw:
// reports, window operations, printing.
constexpr absl::string_view kAnswered = "cnxtiq";

bool IsControl(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '\x7f';
}

}  // namespace

std::string TerminalFilter::Take(absl::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (const char c : bytes) TakeByte(c, out);
  return out;
}

void TerminalFilter::TakeByte(char c, std::string& out) {
  switch (state_) {
    case State::kText:
      return TakeText(c, out);
    case State::kC1: {
      state_ = State::kText;
      const unsigned char byte = static_cast<unsigned char>(c);
      if (byte >= 0x80 && byte < 0xa0) return;  // Nobody needs these.
      out.push_back(kC1Lead);
      return TakeText(c, out);
    }
    case State::kEscape:
      return TakeEscape(c, out);
    case State::kIntermediate:
      sequence_.push_back(c);
      if (c >= 0x20 && c < 0x30 && sequence_.size() < kMaxSequence) return;
      return EndSequence(c >= 0x30 && c < 0x7f, out);
    case State::kCsi:
      if (c == kEscape) {
        sequence_.assign(1, c);
        state_ = State::kEscape;
        return;
      }
      sequence_.push_back(c);
      if (c >= 0x20 && c < 0x40 && sequence_.size() < kMaxSequence) return;
      // With "$" it is a request for a mode or a rectangle.
      return EndSequence(c >= 0x40 && c < 0x7f &&
                             !absl::StrContains(kAnswered, c) &&
                             !absl::StrContains(sequence_, '$'),
                         out);
    case State::kString:
      if (c == kEscape) state_ = State::kStringEnd;
      if (c == kBell || c == kCancel || c == kSubstitute) {
        state_ = State::kText;
      }
      return;
    case State::kStringEnd:
      if (c == '\\') {
        state_ = State::kText;
        return;
      }
      sequence_.assign(1, kEscape);
      return TakeEscape(c, out);
  }
}

void TerminalFilter::TakeText(char c, std::string& out) {
  if (c == kEscape) {
    sequence_.assign(1, c);
    state_ = State::kEscape;
  } else if (c == kC1Lead) {
    state_ = State::kC1;
  } else if (!IsControl(c) || c == '\n' || c == '\t') {
    out.push_back(c);
  } else if (keep_ == Keep::kDrawing && c != '\x05' && c != kBell) {
    out.push_back(c);  // ENQ is answered.
  }
}

void TerminalFilter::TakeEscape(char c, std::string& out) {
  sequence_.push_back(c);
  if (c == '[') {
    state_ = State::kCsi;
  } else if (absl::StrContains(kStrings, c)) {
    state_ = State::kString;
  } else if (c >= 0x20 && c < 0x30) {
    state_ = State::kIntermediate;
  } else {
    // ESC Z asks what terminal this is; another ESC begins anew.
    EndSequence(c >= 0x30 && c < 0x7f && c != 'Z', out);
    if (c == kEscape) {
      sequence_.assign(1, c);
      state_ = State::kEscape;
    }
  }
}

void TerminalFilter::EndSequence(bool draws, std::string& out) {
  if (draws && keep_ == Keep::kDrawing) out.append(sequence_);
  sequence_.clear();
  state_ = State::kText;
}

}  // namespace berth::cli
