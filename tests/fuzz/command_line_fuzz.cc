// Command lines of restricted sessions: what anybody who may run commands
// there sends.

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "agent/shell/restricted/command_line.h"

namespace {

std::string Quoted(const std::string& word) {
  std::string text = "'";
  for (char c : word) {
    if (c == '\'') {
      text += "'\\''";
    } else {
      text.push_back(c);
    }
  }
  return text + "'";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view line(reinterpret_cast<const char*>(data), size);
  auto words = berth::shell::SplitCommandLine(line);
  if (!words.ok()) return 0;
  // Quoted, they are the same words again, and no longer than they came.
  std::string again;
  size_t length = 0;
  for (const std::string& word : *words) {
    again += Quoted(word) + " ";
    length += word.size();
  }
  if (words->empty() || length > size) abort();
  auto same = berth::shell::SplitCommandLine(again);
  if (!same.ok() || *same != *words) abort();
  return 0;
}
