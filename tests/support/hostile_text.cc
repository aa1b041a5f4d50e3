#include "tests/support/hostile_text.h"

#include <stddef.h>
#include <stdint.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace berth::testing {
namespace {

std::string Byte(int byte) { return std::string(1, static_cast<char>(byte)); }

std::string Utf8(uint32_t point) {
  if (point < 0x80) return Byte(point);
  if (point < 0x800) {
    return Byte(0xc0 | point >> 6) + Byte(0x80 | (point & 0x3f));
  }
  return Byte(0xe0 | point >> 12) + Byte(0x80 | (point >> 6 & 0x3f)) +
         Byte(0x80 | (point & 0x3f));
}

// What is seen as nothing, or makes what is around it look like something else.
constexpr uint32_t kUnseen[] = {
    0x61c,  0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c,
    0x202d, 0x202e, 0x2060, 0x2061, 0x2062, 0x2063, 0x2064, 0x2066, 0x2067,
    0x2068, 0x2069, 0x206a, 0x206f, 0xfeff, 0xfff9, 0xfffa, 0xfffb};

bool IsUnseen(uint32_t point) {
  for (const uint32_t one : kUnseen) {
    if (one == point) return true;
  }
  return false;
}

void AddStrings(std::vector<std::string>& texts) {
  const std::string introducers[][2] = {{"\x1b]", Utf8(0x9d)},   // OSC
                                        {"\x1bP", Utf8(0x90)},   // DCS
                                        {"\x1bX", Utf8(0x98)},   // SOS
                                        {"\x1b^", Utf8(0x9e)},   // PM
                                        {"\x1b_", Utf8(0x9f)}};  // APC
  const std::string ends[] = {"\x07", "\x1b\\", Utf8(0x9c), "\x18", ""};
  const char* const contents[] = {
      "0;title",     "2;title", "52;c;b3duZWQ=", "8;;http://x/",
      "10;?",        "4;1;?",   "50;font",       "777;notify;a;b",
      "1337;File=:", "$q\"p",   "+q544e",        "tmux;\x1b\x1b]0;t\x07"};
  for (const auto& forms : introducers) {
    for (const std::string& form : forms) {
      for (const char* content : contents) {
        for (const std::string& end : ends) {
          texts.push_back(absl::StrCat("a", form, content, end, "b"));
        }
      }
    }
  }
}

// The character at the front of `text`; 0 bytes if there is none.
size_t Decode(absl::string_view text, uint32_t& point) {
  const unsigned char first = text[0];
  point = first;
  if (first < 0x80) return 1;
  const size_t size = first >= 0xf5   ? 0
                      : first >= 0xf0 ? 4
                      : first >= 0xe0 ? 3
                      : first >= 0xc2 ? 2
                                      : 0;
  if (size == 0 || text.size() < size) return 0;
  point = first & (0x7f >> size);
  for (size_t i = 1; i < size; ++i) {
    const unsigned char next = text[i];
    if (next >> 6 != 2) return 0;
    point = point << 6 | (next & 0x3f);
  }
  const bool too_long =
      (size == 3 && point < 0x800) || (size == 4 && point < 0x10000);
  if (too_long || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
    return 0;
  }
  return size;
}

// The length of "ESC [ digits and ; m" or "ESC [ K" at the front; else 0.
size_t DrawingLength(absl::string_view text) {
  if (text.substr(0, 2) != "\x1b[") return 0;
  size_t i = 2;
  while (i < text.size() && (absl::string_view("0123456789;").find(text[i]) !=
                             absl::string_view::npos)) {
    ++i;
  }
  if (i == text.size()) return 0;
  return text[i] == 'm' || (text[i] == 'K' && i == 2) ? i + 1 : 0;
}

}  // namespace

std::vector<std::string> HostileTexts() {
  std::vector<std::string> texts;
  for (int c = 1; c < 0x20; ++c)
    texts.push_back(absl::StrCat("a", Byte(c), "b"));
  texts.push_back("a\x7f");
  for (uint32_t c = 0x80; c < 0xa0; ++c) {
    texts.push_back(absl::StrCat("a", Utf8(c), "31mb"));
  }
  for (int final_byte = 0x30; final_byte < 0x7f; ++final_byte) {
    texts.push_back(absl::StrCat("\x1b", Byte(final_byte)));
    for (const char* between : {" ", "#", "%", "(", "$)"}) {
      texts.push_back(absl::StrCat("\x1b", between, Byte(final_byte)));
    }
    if (final_byte < 0x40) continue;
    for (const char* between : {"", "2", "?1049", ">4;2", "=", "1;2 ", "6$"}) {
      texts.push_back(absl::StrCat("\x1b[", between, Byte(final_byte), "x"));
      texts.push_back(absl::StrCat(Utf8(0x9b), between, Byte(final_byte)));
    }
  }
  AddStrings(texts);
  for (const uint32_t point : kUnseen) {
    texts.push_back(absl::StrCat("user", Utf8(point), "nimda"));
  }
  texts.push_back("name\r\nberth: all is well\r\n");
  texts.push_back("name\b\b\b\bevil");
  texts.push_back(HostileText());
  return texts;
}

std::string HostileText() {
  std::string text = "name";
  for (int c = 1; c < 0x20; ++c) text += Byte(c);
  text += '\x7f';
  for (uint32_t c = 0x80; c < 0xa0; ++c) text += Utf8(c);
  for (const uint32_t point : kUnseen) text += Utf8(point);
  return absl::StrCat(
      text,
      "\x1b]0;title\x07\x1b]52;c;b3duZWQ=\x1b\\\x1b[2J\x1b[6n"
      "\x1bP$q\"p\x1b\\\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\",
      Utf8(0x9b), "2J", Utf8(0x9d), "0;t", Utf8(0x9c),
      "\x1b]8;;http://x/\x1b\\link\x1b]8;;\x1b\\\x1b", "c\r\b\b\b\bevil");
}

std::vector<std::string> HostileBytes() {
  std::vector<std::string> texts;
  for (int c = 0x80; c < 0x100; ++c)
    texts.push_back(absl::StrCat("a", Byte(c)));
  for (int c = 0x80; c < 0xa0; ++c) {
    texts.push_back(absl::StrCat("a", Byte(c), "31mb"));
  }
  for (const char* bad :
       {"\xc0\x9b", "\xc1\xbf", "\xe0\x80\x9b",
        "\xf0\x80\x80\x9b",                      // Too long.
        "\xed\xa0\x80", "\xed\xbf\xbf",          // Halves of pairs.
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",  // Beyond what there is.
        "\xe6\xbc", "\xf0\x9f\x8e", "\xc2",      // Cut.
        "\xe2\x80\x1b[2J", "\xc2\x1b]0;t\x07"}) {
    texts.push_back(absl::StrCat("a", bad));
    texts.push_back(absl::StrCat("a", bad, "b"));
  }
  return texts;
}

std::string FirstActing(absl::string_view shown, Shown may) {
  const auto around = [&](size_t i) {
    const size_t begin = i < 60 ? 0 : i - 60;
    return absl::StrCat("at ", i, ": ",
                        absl::CHexEscape(shown.substr(begin, 100)));
  };
  for (size_t i = 0; i < shown.size();) {
    uint32_t point = 0;
    const size_t size = Decode(shown.substr(i), point);
    if (size == 0) return around(i);
    const bool own = point == '\n' || (point == '\t' && may != Shown::kPlain) ||
                     (point == '\r' && may == Shown::kTerminal);
    const bool acts =
        point < 0x20 || (point >= 0x7f && point < 0xa0) || IsUnseen(point);
    if (acts && !own) {
      const size_t drawing =
          may == Shown::kTerminal ? DrawingLength(shown.substr(i)) : 0;
      if (drawing == 0) return around(i);
      i += drawing;
      continue;
    }
    i += size;
  }
  return "";
}

}  // namespace berth::testing
