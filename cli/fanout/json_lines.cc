#include "cli/fanout/json_lines.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/escape.h"

namespace berth::cli {
namespace {

// How long the character is that begins with this byte; 0: none does.
size_t CharacterSize(unsigned char c) {
  if (c < 0x80) return 1;
  if (c >= 0xc2 && c < 0xe0) return 2;
  if (c >= 0xe0 && c < 0xf0) return 3;
  if (c >= 0xf0 && c < 0xf5) return 4;
  return 0;
}

bool IsContinuation(unsigned char c) { return (c & 0xc0) == 0x80; }

std::string Head(const TargetName& name) {
  std::string head = absl::StrCat("{\"computer\":", JsonString(name.computer));
  if (name.session != 0) absl::StrAppend(&head, ",\"session\":", name.session);
  return head;
}

std::string StateWord(TargetState state) {
  return state == TargetState::kTimedOut ? "timed_out"
                                         : std::string(StateName(state));
}

}  // namespace

std::string JsonString(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += c;
    }
  }
  return EscapeJson(out) + '"';
}

bool IsUtf8(absl::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const unsigned char first = text[i];
    const size_t size = CharacterSize(first);
    if (size == 0 || i + size > text.size()) return false;
    for (size_t j = 1; j < size; ++j) {
      if (!IsContinuation(text[i + j])) return false;
    }
    if (size > 2) {
      // Too long for what they say, surrogates, and beyond Unicode.
      const unsigned char second = text[i + 1];
      if ((first == 0xe0 && second < 0xa0) ||
          (first == 0xed && second >= 0xa0) ||
          (first == 0xf0 && second < 0x90) ||
          (first == 0xf4 && second >= 0x90)) {
        return false;
      }
    }
    i += size;
  }
  return true;
}

size_t IncompleteTail(absl::string_view text) {
  for (size_t back = 1; back <= std::min<size_t>(3, text.size()); ++back) {
    const unsigned char c = text[text.size() - back];
    if (IsContinuation(c)) continue;
    return CharacterSize(c) > back ? back : 0;
  }
  return 0;
}

JsonLinesPresenter::JsonLinesPresenter(std::vector<TargetName> names,
                                       Writer& writer)
    : writer_(writer) {
  for (TargetName& name : names) targets_.push_back({std::move(name), {}});
}

Presenter::Taken JsonLinesPresenter::Output(size_t index,
                                            v1::OutputStream stream,
                                            uint64_t offset,
                                            absl::string_view data) {
  Target& target = targets_[index];
  const bool err = stream == v1::OUTPUT_STREAM_STDERR;
  Part& part = target.parts[err];
  Taken taken{0, offset + data.size(), {}};
  std::string whole;
  if (!part.bytes.empty()) {
    // Offsets count both streams: only what follows at once belongs together.
    if (part.offset + part.bytes.size() == offset) {
      whole = absl::StrCat(part.bytes, data);
      data = whole;
      offset = part.offset;
    } else {
      taken.ticket = WriteData(target, err, part.offset, part.bytes);
    }
    part.bytes.clear();
  }
  const size_t tail = IncompleteTail(data);
  if (tail > 0) {
    part.bytes = std::string(data.substr(data.size() - tail));
    part.offset = offset + data.size() - tail;
    data.remove_suffix(tail);
  }
  if (!data.empty()) taken.ticket = WriteData(target, err, offset, data);
  for (const Part& kept : target.parts) {
    if (!kept.bytes.empty()) taken.safe = std::min(taken.safe, kept.offset);
  }
  return taken;
}

Presenter::Taken JsonLinesPresenter::Flush(size_t index, uint64_t end) {
  Target& target = targets_[index];
  Taken taken{0, end, {}};
  for (const bool err : {false, true}) {
    Part& part = target.parts[err];
    if (part.bytes.empty()) continue;
    taken.ticket = WriteData(target, err, part.offset, part.bytes);
    part.bytes.clear();
  }
  return taken;
}

uint64_t JsonLinesPresenter::WriteData(const Target& target, bool err,
                                       uint64_t offset,
                                       absl::string_view data) {
  std::string line =
      absl::StrCat(Head(target.name), ",\"stream\":\"",
                   err ? "stderr" : "stdout", "\",\"offset\":", offset, ",");
  if (IsUtf8(data)) {
    absl::StrAppend(&line, "\"data\":", JsonString(data), "}\n");
  } else {
    absl::StrAppend(&line, "\"data_base64\":\"", absl::Base64Escape(data),
                    "\"}\n");
  }
  return writer_.Write(/*to_err=*/false, std::move(line));
}

absl::Status JsonLinesPresenter::Ended(size_t index, const Outcome& outcome) {
  std::string line = absl::StrCat(Head(targets_[index].name), ",\"state\":\"",
                                  StateWord(outcome.state), "\"");
  if (outcome.state == TargetState::kOk ||
      outcome.state == TargetState::kFailed) {
    absl::StrAppend(&line, ",\"exit_code\":", outcome.exit_code);
  }
  if (!outcome.detail.empty()) {
    // Untrusted, and perhaps cut anywhere.
    absl::StrAppend(
        &line, ",\"detail\":",
        JsonString(IsUtf8(outcome.detail) ? outcome.detail
                                          : absl::CEscape(outcome.detail)));
  }
  writer_.Write(/*to_err=*/false, line + "}\n");
  return absl::OkStatus();
}

}  // namespace berth::cli
