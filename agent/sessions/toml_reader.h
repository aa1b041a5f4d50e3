#ifndef BERTH_AGENT_SESSIONS_TOML_READER_H_
#define BERTH_AGENT_SESSIONS_TOML_READER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "toml++/toml.h"

namespace berth::agent {

// Reads values out of one TOML file, and says where it is wrong: all errors are
// INVALID_ARGUMENT and begin with the file and the line. `key` is what people
// call the value. Thread-compatible.
class TomlReader {
 public:
  explicit TomlReader(absl::string_view path) : path_(path) {}

  absl::StatusOr<toml::table> Parse(absl::string_view text) const;

  absl::Status At(const toml::node& where, absl::string_view what) const;
  absl::Status Unknown(const toml::node& where, absl::string_view key) const;

  absl::Status Text(const toml::node& node, absl::string_view key,
                    std::string& out) const;
  absl::Status Flag(const toml::node& node, absl::string_view key,
                    bool& out) const;
  absl::Status Texts(const toml::node& node, absl::string_view key,
                     std::vector<std::string>& out) const;
  // The name of an account, or a word that stands for one; not empty.
  absl::Status Account(const toml::node& node, absl::string_view key,
                       std::string& out) const;
  // An absolute path.
  absl::Status Path(const toml::node& node, absl::string_view key,
                    std::string& out) const;
  // One of two words; true: the second.
  absl::Status Choice(const toml::node& node, absl::string_view key,
                      absl::string_view first, absl::string_view second,
                      bool& out) const;
  // "90s", "2h".
  absl::Status Time(const toml::node& node, absl::string_view key,
                    absl::Duration least, absl::Duration most,
                    absl::Duration& out) const;
  // "64MiB", or a number of bytes.
  absl::Status Size(const toml::node& node, absl::string_view key,
                    uint64_t least, uint64_t most, uint64_t& out) const;
  absl::Status Count(const toml::node& node, absl::string_view key,
                     uint64_t least, uint64_t most, uint64_t& out) const;
  // A number with or without a fraction.
  absl::Status Number(const toml::node& node, absl::string_view key,
                      double least, double most, double& out) const;

 private:
  const std::string path_;
};

inline std::string KeyText(const toml::key& key) {
  return std::string(key.str());
}

// "512MiB": a number of bytes as the files have it.
std::string SizeText(uint64_t bytes);

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_TOML_READER_H_
