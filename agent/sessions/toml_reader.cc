#include "agent/sessions/toml_reader.h"

#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/escape.h"
#include "base/toml.h"

namespace berth::agent {
namespace {

constexpr struct {
  const char* name;
  uint64_t bytes;
} kUnits[] = {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}};

bool ParseSize(absl::string_view text, uint64_t& bytes) {
  uint64_t unit = 1;
  for (const auto& each : kUnits) {
    if (absl::ConsumeSuffix(&text, each.name)) {
      unit = each.bytes;
      break;
    }
  }
  uint64_t value = 0;
  if (!absl::SimpleAtoi(text, &value) || value > UINT64_MAX / unit) {
    return false;
  }
  bytes = value * unit;
  return true;
}

std::string Quoted(absl::string_view text) {
  return absl::StrCat("'", EscapeForTerminal(text.substr(0, 80)), "'");
}

}  // namespace

std::string SizeText(uint64_t bytes) {
  for (const auto& unit : kUnits) {
    if (bytes != 0 && bytes % unit.bytes == 0) {
      return absl::StrCat(bytes / unit.bytes, unit.name);
    }
  }
  return absl::StrCat(bytes);
}

absl::StatusOr<toml::table> TomlReader::Parse(absl::string_view text) const {
  return ParseToml(text, path_);
}

absl::Status TomlReader::At(const toml::node& where,
                            absl::string_view what) const {
  return absl::InvalidArgumentError(
      absl::StrCat(path_, ":", where.source().begin.line, ": ", what));
}

absl::Status TomlReader::Unknown(const toml::node& where,
                                 absl::string_view key) const {
  return At(where,
            absl::StrCat(Quoted(key), " is unknown, or of the wrong type"));
}

absl::Status TomlReader::Text(const toml::node& node, absl::string_view key,
                              std::string& out) const {
  if (!node.is_string()) return Unknown(node, key);
  const std::string& text = node.as_string()->get();
  if (text.find('\0') != std::string::npos) {
    return At(node, absl::StrCat(key, " has a NUL in it"));
  }
  out = text;
  return absl::OkStatus();
}

absl::Status TomlReader::Flag(const toml::node& node, absl::string_view key,
                              bool& out) const {
  if (!node.is_boolean()) return Unknown(node, key);
  out = node.as_boolean()->get();
  return absl::OkStatus();
}

absl::Status TomlReader::Texts(const toml::node& node, absl::string_view key,
                               std::vector<std::string>& out) const {
  if (!node.is_array()) return Unknown(node, key);
  out.clear();
  for (const toml::node& each : *node.as_array()) {
    const absl::Status status = Text(each, key, out.emplace_back());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status TomlReader::Account(const toml::node& node,
                                 absl::string_view key,
                                 std::string& out) const {
  const absl::Status read = Text(node, key, out);
  if (!read.ok() || !out.empty()) return read;
  return At(node, absl::StrCat(key, " must name an account"));
}

absl::Status TomlReader::Path(const toml::node& node, absl::string_view key,
                              std::string& out) const {
  std::string path;
  const absl::Status status = Text(node, key, path);
  if (!status.ok()) return status;
  if (path.empty() || path[0] != '/') {
    return At(node, absl::StrCat(key, " must be an absolute path"));
  }
  out = std::move(path);
  return absl::OkStatus();
}

absl::Status TomlReader::Choice(const toml::node& node, absl::string_view key,
                                absl::string_view first,
                                absl::string_view second, bool& out) const {
  std::string word;
  const absl::Status status = Text(node, key, word);
  if (!status.ok()) return status;
  if (word != first && word != second) {
    return At(node, absl::StrCat(key, " must be \"", first, "\" or \"", second,
                                 "\""));
  }
  out = word == second;
  return absl::OkStatus();
}

absl::Status TomlReader::Time(const toml::node& node, absl::string_view key,
                              absl::Duration least, absl::Duration most,
                              absl::Duration& out) const {
  std::string text;
  const absl::Status status = Text(node, key, text);
  if (!status.ok()) return status;
  absl::Duration parsed;
  if (!absl::ParseDuration(text, &parsed) || parsed < least || parsed > most) {
    return At(node, absl::StrCat(key, ": ", Quoted(text),
                                 " is no time such as \"2h\" from ",
                                 absl::FormatDuration(least), " to ",
                                 absl::FormatDuration(most)));
  }
  out = parsed;
  return absl::OkStatus();
}

absl::Status TomlReader::Size(const toml::node& node, absl::string_view key,
                              uint64_t least, uint64_t most,
                              uint64_t& out) const {
  if (node.is_integer()) return Count(node, key, least, most, out);
  std::string text;
  const absl::Status status = Text(node, key, text);
  if (!status.ok()) return status;
  uint64_t bytes = 0;
  if (!ParseSize(text, bytes) || bytes < least || bytes > most) {
    return At(node, absl::StrCat(key, ": ", Quoted(text),
                                 " is no size such as \"64MiB\" from ",
                                 SizeText(least), " to ", SizeText(most)));
  }
  out = bytes;
  return absl::OkStatus();
}

absl::Status TomlReader::Count(const toml::node& node, absl::string_view key,
                               uint64_t least, uint64_t most,
                               uint64_t& out) const {
  if (!node.is_integer()) return Unknown(node, key);
  const int64_t value = node.as_integer()->get();
  if (value < 0 || static_cast<uint64_t>(value) < least ||
      static_cast<uint64_t>(value) > most) {
    return At(node, absl::StrCat(key, " must be ", least, " to ", most));
  }
  out = value;
  return absl::OkStatus();
}

absl::Status TomlReader::Number(const toml::node& node, absl::string_view key,
                                double least, double most, double& out) const {
  double value = 0;
  if (node.is_integer()) {
    value = static_cast<double>(node.as_integer()->get());
  } else if (node.is_floating_point()) {
    value = node.as_floating_point()->get();
  } else {
    return Unknown(node, key);
  }
  if (!(value >= least && value <= most)) {  // NaN is neither.
    return At(node, absl::StrCat(key, " must be ", least, " to ", most));
  }
  out = value;
  return absl::OkStatus();
}

}  // namespace berth::agent
