#include "broker/audit/json.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/escape.h"

namespace berth::broker {
namespace {

constexpr uint32_t kReplacement = 0xfffd;

// Takes one character off `text`; kReplacement and one byte if there is none.
uint32_t TakeCharacter(absl::string_view& text) {
  const auto byte = [&](size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const unsigned char first = byte(0);
  const size_t length = first < 0x80                    ? 1
                        : first >= 0xf0 && first < 0xf5 ? 4
                        : first >= 0xe0 && first < 0xf0 ? 3
                        : first >= 0xc2 && first < 0xe0 ? 2
                                                        : 0;
  uint32_t point = kReplacement;
  size_t taken = 1;
  if (length > 0 && text.size() >= length) {
    point = length == 1 ? first : first & (0xff >> (length + 1));
    taken = length;
    for (size_t i = 1; i < length; ++i) {
      if ((byte(i) & 0xc0) != 0x80) {
        point = kReplacement;
        taken = 1;
        break;
      }
      point = point << 6 | (byte(i) & 0x3f);
    }
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool bad = point < kSmallest[taken] || point > 0x10ffff ||
                   (point >= 0xd800 && point < 0xe000);
  if (bad) {
    point = kReplacement;
    taken = 1;
  }
  text.remove_prefix(taken);
  return point;
}

void AppendUtf8(uint32_t point, std::string& out) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0 | point >> 6);
    out += static_cast<char>(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0 | point >> 12);
    out += static_cast<char>(0x80 | (point >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (point & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | point >> 18);
    out += static_cast<char>(0x80 | (point >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (point >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (point & 0x3f));
  }
}

// Reads from the front of a text.
class Reader {
 public:
  explicit Reader(absl::string_view text) : rest_(text) {}

  bool Take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool TakeString(std::string* out) {
    if (!Take('"')) return false;
    out->clear();
    while (!rest_.empty() && rest_[0] != '"') {
      if (static_cast<unsigned char>(rest_[0]) < 0x20) return false;
      if (rest_[0] != '\\') {
        *out += rest_[0];
        rest_.remove_prefix(1);
      } else if (!TakeEscape(out)) {
        return false;
      }
    }
    return Take('"');
  }

  bool TakeWord(std::string* out) {
    size_t n = 0;
    while (n < rest_.size() && n < 32 &&
           (isalnum(static_cast<unsigned char>(rest_[n])) || rest_[n] == '-')) {
      ++n;
    }
    out->assign(rest_.data(), n);
    rest_.remove_prefix(n);
    return n > 0;
  }

  bool TakeValue(std::string* out) {
    return !rest_.empty() && rest_[0] == '"' ? TakeString(out) : TakeWord(out);
  }

  bool empty() const { return rest_.empty(); }

 private:
  bool TakeEscape(std::string* out) {
    if (rest_.size() < 2) return false;
    const char kind = rest_[1];
    rest_.remove_prefix(2);
    if (kind == '"' || kind == '\\' || kind == '/') {
      *out += kind;
      return true;
    }
    if (kind == 'n' || kind == 't') {
      *out += kind == 'n' ? '\n' : '\t';
      return true;
    }
    if (kind != 'u' || rest_.size() < 4) return false;
    uint32_t point = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = rest_[i];
      if (!isxdigit(static_cast<unsigned char>(c))) return false;
      point = point << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    if (point >= 0xd800 && point < 0xe000) return false;  // We write no pairs.
    rest_.remove_prefix(4);
    AppendUtf8(point, *out);
    return true;
  }

  absl::string_view rest_;
};

}  // namespace

std::string QuoteJson(absl::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  out += '"';
  while (!text.empty()) {
    const uint32_t point = TakeCharacter(text);
    if (point == '"' || point == '\\') {
      out += '\\';
      out += static_cast<char>(point);
    } else if (point == '\n') {
      out += "\\n";
    } else if (point == '\t') {
      out += "\\t";
    } else if (ActsOnTerminal(point)) {
      absl::StrAppendFormat(&out, "\\u%04x", point);
    } else {
      AppendUtf8(point, out);
    }
  }
  out += '"';
  return out;
}

absl::StatusOr<std::vector<JsonMember>> ParseFlatJson(absl::string_view text) {
  const absl::Status bad = absl::InvalidArgumentError("no flat JSON object");
  std::vector<JsonMember> members;
  Reader reader(text);
  if (!reader.Take('{')) return bad;
  if (reader.Take('}')) {
    if (!reader.empty()) return bad;
    return members;
  }
  do {
    JsonMember member;
    if (!reader.TakeString(&member.first) || !reader.Take(':') ||
        !reader.TakeValue(&member.second)) {
      return bad;
    }
    members.push_back(std::move(member));
  } while (reader.Take(','));
  if (!reader.Take('}') || !reader.empty()) return bad;
  return members;
}

}  // namespace berth::broker
