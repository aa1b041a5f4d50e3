#include "base/copy/names.h"

#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace berth::copy {
namespace {

constexpr absl::string_view kSuffix = ".berth-part";

// FNV-1a: the same in every process, and two names of one folder that share it
// are as good as impossible (and would only cost a file its resumption).
uint64_t Hash(absl::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char c : text) hash = (hash ^ c) * 0x100000001b3;
  return hash;
}

}  // namespace

bool IsEntryName(absl::string_view name) {
  return !name.empty() && name.size() <= kMaxName && name != "." &&
         name != ".." && name.find('/') == name.npos &&
         name.find('\0') == name.npos;
}

std::string PartName(absl::string_view name) {
  std::string part = absl::StrCat(".", name, kSuffix);
  if (part.size() <= kMaxName) return part;
  return absl::StrCat(".", absl::Hex(Hash(name), absl::kZeroPad16), kSuffix);
}

bool IsPartName(absl::string_view name) {
  return name.size() > kSuffix.size() + 1 && name[0] == '.' &&
         absl::EndsWith(name, kSuffix);
}

std::string LastName(absl::string_view path) {
  while (absl::ConsumeSuffix(&path, "/")) {
  }
  const size_t slash = path.rfind('/');
  const absl::string_view last =
      slash == path.npos ? path : path.substr(slash + 1);
  return IsEntryName(last) ? std::string(last) : "";
}

}  // namespace berth::copy
