#include "cli/recordings/asciicast.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/escape.h"
#include "base/proto_time.h"

namespace berth::cli {
namespace {

// The length of the character that begins with `c`; 0: none does.
size_t LengthOf(unsigned char c) {
  if (c < 0x80) return 1;
  if (c >= 0xc2 && c < 0xe0) return 2;
  if (c >= 0xe0 && c < 0xf0) return 3;
  if (c >= 0xf0 && c < 0xf5) return 4;
  return 0;
}

bool IsContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

}  // namespace

std::string AsciicastString(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return EscapeJson(out) + '"';
}

size_t UnfinishedBytes(absl::string_view text) {
  for (size_t i = 1; i <= std::min<size_t>(3, text.size()); ++i) {
    const char c = text[text.size() - i];
    if (IsContinuation(c)) continue;
    return LengthOf(static_cast<unsigned char>(c)) > i ? i : 0;
  }
  return 0;
}

std::string Asciicast::Header() const {
  const v1::RecordingInfo& info = recording_.info();
  return absl::StrCat(
      "{\"version\": 2, \"width\": ", columns_, ", \"height\": ", rows_,
      ", \"timestamp\": ", first_ns_ / 1'000'000'000, ", \"title\": ",
      AsciicastString(absl::StrCat(info.owner(), " on ", info.computer(), ": ",
                                   info.name())),
      "}\n");
}

std::string Asciicast::Event(absl::string_view type,
                             absl::string_view data) const {
  return absl::StrFormat("[%.6f, \"%s\", %s]\n",
                         static_cast<double>(now_ns_ - first_ns_) / 1e9, type,
                         AsciicastString(data));
}

std::string Asciicast::Add(const v1::RecordingEntry& entry) {
  std::string out;
  if (!begun_) first_ns_ = now_ns_ = entry.time_ns();
  now_ns_ = std::max(now_ns_, entry.time_ns());
  const bool sized =
      entry.has_size() && entry.size().rows() > 0 && entry.size().columns() > 0;
  if (sized) {
    rows_ = entry.size().rows();
    columns_ = entry.size().columns();
  }
  if (!begun_) {
    begun_ = true;
    out = Header();
  } else if (sized) {
    absl::StrAppend(&out, Event("r", absl::StrCat(columns_, "x", rows_)));
  }
  absl::StrAppend(&pending_, rendering_.Render(entry));
  // Players take each event for whole characters.
  const size_t ready = pending_.size() - UnfinishedBytes(pending_);
  if (ready > 0) {
    absl::StrAppend(&out, Event("o", pending_.substr(0, ready)));
    pending_.erase(0, ready);
  }
  return out;
}

std::string Asciicast::End() {
  std::string out = begun_ ? "" : Header();
  begun_ = true;
  if (!pending_.empty()) absl::StrAppend(&out, Event("o", pending_));
  pending_.clear();
  return out;
}

}  // namespace berth::cli
