#include "cli/fanout/live.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/escape.h"

namespace berth::cli {

LivePresenter::LivePresenter(const std::vector<std::string>& tags,
                             Writer& writer)
    : writer_(writer) {
  for (const std::string& tag : tags) {
    lines_.push_back(std::make_unique<Lines>(tag));
  }
}

Presenter::Taken LivePresenter::Output(size_t target, v1::OutputStream stream,
                                       uint64_t offset,
                                       absl::string_view data) {
  Lines& lines = *lines_[target];
  const bool to_err = stream == v1::OUTPUT_STREAM_STDERR;
  std::string text = (to_err ? lines.err : lines.out).Add(offset, data);
  Taken taken;
  taken.safe = offset + data.size();
  for (const LineTagger* tagger : {&lines.out, &lines.err}) {
    taken.safe =
        std::min(taken.safe, tagger->kept_offset().value_or(taken.safe));
  }
  if (!text.empty()) taken.ticket = writer_.Write(to_err, std::move(text));
  return taken;
}

Presenter::Taken LivePresenter::Flush(size_t target, uint64_t end) {
  Lines& lines = *lines_[target];
  Taken taken{0, end, {}};
  for (const bool to_err : {false, true}) {
    std::string line = (to_err ? lines.err : lines.out).Flush();
    if (!line.empty()) taken.ticket = writer_.Write(to_err, std::move(line));
  }
  return taken;
}

std::string MakeTag(const std::string& name, const std::string& computer,
                    bool colour) {
  const std::string label = EscapeForTerminal(name);
  if (!colour) return absl::StrCat(label, ": ");
  // FNV-1a: the same in every process, for ever.
  uint32_t hash = 2166136261;
  for (const unsigned char c : computer) hash = (hash ^ c) * 16777619;
  // Those of the 16 that can be read on black and on white.
  constexpr int kColours[] = {31, 32, 33, 34, 35, 36, 91, 92, 94, 95, 96};
  const int code = kColours[(hash >> 8) % std::size(kColours)];
  return absl::StrCat("\x1b[", code, "m", label, ":\x1b[0m ");
}

}  // namespace berth::cli
