#ifndef BERTH_AGENT_SCREEN_PARSER_H_
#define BERTH_AGENT_SCREEN_PARSER_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "agent/screen/sequence.h"

namespace berth::screen {

// Takes what programs write to a terminal apart, as a terminal that expects
// UTF-8 does. Any bytes will do, in pieces of any size.
class Parser {
 public:
  // Longer control sequences, and longer strings such as titles, have no
  // effect.
  static constexpr size_t kMaxSequence = 256;
  static constexpr size_t kMaxString = 2048;

  class Handler {
   public:
    virtual ~Handler() = default;
    // Never a control character. What is no UTF-8 comes as U+FFFD.
    virtual void Print(char32_t c) = 0;
    virtual void Control(char c) = 0;
    virtual void Escape(const Sequence& sequence) = 0;
    // One that is malformed or too long has no final byte.
    virtual void Csi(const Sequence& sequence) = 0;
    // An operating system command, without its introducer and end; empty for
    // another kind of string.
    virtual void Osc(absl::string_view text) = 0;
  };

  explicit Parser(Handler& handler) : handler_(handler) {}

  void Feed(absl::string_view bytes);

  // What to write to a terminal for it to be as far as this is in what has
  // come in part only.
  std::string Pending() const;

 private:
  enum class State {
    kGround,
    kEscape,
    kCsi,
    kCsiIgnored,  // Too long or malformed: up to its end.
    kOsc,
    kString,  // One of no interest.
  };

  void Byte(unsigned char byte);
  void Ground(unsigned char byte);
  void Utf8(unsigned char byte);
  void InEscape(unsigned char byte);
  void InCsi(unsigned char byte);
  void InOsc(unsigned char byte);
  void Enter(State state);
  void Parameter(char byte);
  // Between the first byte of a sequence and its last.
  bool InSequence() const {
    return state_ == State::kEscape || state_ == State::kCsi ||
           state_ == State::kCsiIgnored;
  }

  Handler& handler_;
  State state_ = State::kGround;
  // The sequence as it came so far, without control characters within.
  std::string raw_;
  Sequence sequence_;
  std::string text_;  // Of the string.
  // Of a character of several bytes.
  char32_t character_ = 0;
  char32_t smallest_ = 0;
  int missing_ = 0;
  std::string partial_;
};

}  // namespace berth::screen

#endif  // BERTH_AGENT_SCREEN_PARSER_H_
