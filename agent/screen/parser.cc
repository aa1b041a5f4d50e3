#include "agent/screen/parser.h"

#include <algorithm>

namespace berth::screen {
namespace {

constexpr char kCancel = 0x18;
constexpr char kSubstitute = 0x1a;
constexpr char kEscapeByte = 0x1b;
constexpr char kBell = 7;
constexpr unsigned char kDelete = 0x7f;
constexpr char32_t kReplacement = 0xFFFD;
// Control characters of 8 bits, which a terminal that expects UTF-8 ignores.
constexpr char32_t kLastControl = 0x9F;

bool IsControl(unsigned char byte) { return byte < 0x20; }

}  // namespace

void Parser::Feed(absl::string_view bytes) {
  for (char byte : bytes) Byte(static_cast<unsigned char>(byte));
}

std::string Parser::Pending() const {
  switch (state_) {
    case State::kGround:
      return partial_;
    case State::kOsc:
      return raw_ + text_;
    case State::kEscape:
    case State::kCsi:
    case State::kCsiIgnored:
    case State::kString:
      return raw_;
  }
  return "";
}

void Parser::Enter(State state) {
  state_ = state;
  if (state == State::kEscape) {
    raw_.assign(1, kEscapeByte);
    sequence_ = Sequence();
  }
  if (state == State::kGround) raw_.clear();
}

void Parser::Byte(unsigned char byte) {
  if (state_ == State::kGround) return Ground(byte);
  if (byte == kCancel || byte == kSubstitute) {
    Enter(State::kGround);
    return handler_.Control(static_cast<char>(byte));
  }
  if (byte == kEscapeByte) {
    if (state_ == State::kOsc) handler_.Osc(text_);
    if (state_ == State::kString) handler_.Osc("");
    return Enter(State::kEscape);
  }
  switch (state_) {
    case State::kGround:
      return;
    case State::kOsc:
      return InOsc(byte);
    case State::kString:
      if (byte != kBell) return;
      Enter(State::kGround);
      return handler_.Osc("");
    case State::kEscape:
    case State::kCsi:
    case State::kCsiIgnored:
      break;
  }
  if (IsControl(byte)) return handler_.Control(static_cast<char>(byte));
  if (byte == kDelete) return;
  if (byte > kDelete) {
    Enter(State::kGround);
    return Ground(byte);
  }
  if (state_ == State::kEscape) return InEscape(byte);
  InCsi(byte);
}

void Parser::Ground(unsigned char byte) {
  if (missing_ > 0 || byte > kDelete) return Utf8(byte);
  if (byte == kEscapeByte) return Enter(State::kEscape);
  if (IsControl(byte)) return handler_.Control(static_cast<char>(byte));
  if (byte != kDelete) handler_.Print(byte);
}

void Parser::Utf8(unsigned char byte) {
  if (missing_ > 0) {
    if ((byte & 0xC0) == 0x80) {
      character_ = character_ << 6 | (byte & 0x3F);
      partial_ += static_cast<char>(byte);
      if (--missing_ > 0) return;
      partial_.clear();
      bool valid = character_ >= smallest_ && character_ < 0x110000 &&
                   (character_ < 0xD800 || character_ > 0xDFFF);
      if (!valid) return handler_.Print(kReplacement);
      if (character_ > kLastControl) handler_.Print(character_);
      return;
    }
    missing_ = 0;
    partial_.clear();
    handler_.Print(kReplacement);
    return Ground(byte);
  }
  if (byte >= 0xC2 && byte <= 0xDF) {
    missing_ = 1;
    smallest_ = 0x80;
    character_ = byte & 0x1F;
  } else if (byte >= 0xE0 && byte <= 0xEF) {
    missing_ = 2;
    smallest_ = 0x800;
    character_ = byte & 0x0F;
  } else if (byte >= 0xF0 && byte <= 0xF4) {
    missing_ = 3;
    smallest_ = 0x10000;
    character_ = byte & 0x07;
  } else {
    return handler_.Print(kReplacement);
  }
  partial_.assign(1, static_cast<char>(byte));
}

void Parser::InEscape(unsigned char byte) {
  char c = static_cast<char>(byte);
  raw_ += c;
  if (c < 0x30) {
    sequence_.intermediate = c;
    if (raw_.size() > kMaxSequence) Enter(State::kGround);
    return;
  }
  if (sequence_.intermediate == 0) {
    switch (c) {
      case '[':
        return Enter(State::kCsi);
      case ']':
        text_.clear();
        return Enter(State::kOsc);
      case 'P':
      case 'X':
      case '^':
      case '_':
        return Enter(State::kString);
      default:
        break;
    }
  }
  sequence_.final = c;
  Enter(State::kGround);
  handler_.Escape(sequence_);
}

void Parser::Parameter(char byte) {
  if (sequence_.count == 0) sequence_.count = 1;
  if (byte == ';' || byte == ':') {
    // One more than fits is where the rest goes.
    if (sequence_.count <= Sequence::kMaxParameters) ++sequence_.count;
    if (sequence_.count <= Sequence::kMaxParameters) {
      sequence_.parameters[sequence_.count - 1].sub = byte == ':';
    }
    return;
  }
  if (sequence_.count > Sequence::kMaxParameters) return;
  int& value = sequence_.parameters[sequence_.count - 1].value;
  value = std::min(std::max(value, 0) * 10 + (byte - '0'), Sequence::kMaxValue);
}

void Parser::InCsi(unsigned char byte) {
  char c = static_cast<char>(byte);
  if (c >= 0x40) {
    sequence_.final = state_ == State::kCsiIgnored ? '\0' : c;
    sequence_.count = std::min(sequence_.count, Sequence::kMaxParameters);
    Enter(State::kGround);
    handler_.Csi(sequence_);
    return;
  }
  if (state_ == State::kCsiIgnored) return;
  raw_ += c;
  bool first = raw_.size() == 3;
  if (raw_.size() > kMaxSequence) return Enter(State::kCsiIgnored);
  if (c < 0x30) {
    sequence_.intermediate = c;
  } else if (sequence_.intermediate != 0) {
    Enter(State::kCsiIgnored);
  } else if (c <= ';') {
    Parameter(c);
  } else if (first) {
    sequence_.leader = c;
  } else {
    Enter(State::kCsiIgnored);
  }
}

void Parser::InOsc(unsigned char byte) {
  if (byte == kBell) {
    Enter(State::kGround);
    return handler_.Osc(text_);
  }
  if (IsControl(byte)) return;
  text_ += static_cast<char>(byte);
  if (text_.size() <= kMaxString) return;
  text_.clear();
  text_.shrink_to_fit();
  Enter(State::kString);
}

}  // namespace berth::screen
