#include "agent/sessions/configuration.h"

#include <regex.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/sessions/environment.h"
#include "base/files.h"
#include "base/names.h"
#include "base/status_macros.h"

namespace berth::agent {
namespace {

constexpr absl::Duration kMaxIdleTimeout = absl::Hours(24 * 366);
constexpr uint64_t kKiB = 1 << 10;
constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kTiB = uint64_t{1} << 40;
constexpr uint64_t kMaxCount = 1'000'000;
constexpr size_t kMaxScript = 64 << 10;  // As holders take it.
constexpr size_t kMaxPrograms = 256;
constexpr size_t kMaxDescription = 200;

// How often, at most, a pattern repeats what: compiling unrolls it, so a few
// nested "{255}" would take all memory.
constexpr uint64_t kMaxRepeats = 10'000;

bool RepeatsTooMuch(absl::string_view pattern) {
  uint64_t product = 1;
  for (size_t at = pattern.find('{'); at != absl::string_view::npos;
       at = pattern.find('{', at + 1)) {
    uint64_t most = 1;
    uint64_t number = 0;
    for (const char c : pattern.substr(at + 1)) {
      if (absl::ascii_isdigit(c)) {
        number = std::min(number * 10 + (c - '0'), kMaxRepeats + 1);
      } else if (c == ',') {
        number = 0;
      } else {
        break;
      }
      most = std::max(most, number);
    }
    product *= most;
    if (product > kMaxRepeats) return true;
  }
  return false;
}

ShellKind GuessKind(absl::string_view shell) {
  const absl::string_view name = shell.substr(shell.rfind('/') + 1);
  if (absl::StartsWith(name, "zsh")) return ShellKind::kZsh;
  if (absl::StartsWith(name, "python")) return ShellKind::kPython;
  return ShellKind::kBash;
}

// Reads one table into one Configuration.
class Reader {
 public:
  Reader(const TomlReader& toml, Configuration& out) : toml_(toml), out_(out) {}

  absl::Status Read(const toml::table& table) {
    for (auto&& [key, node] : table) {
      BERTH_RETURN_IF_ERROR(Key(KeyText(key), node));
    }
    if (!has_kind_) out_.kind = GuessKind(out_.shell);
    return CheckWhole(table);
  }

 private:
  absl::Status Key(absl::string_view key, const toml::node& node) {
    if (key == "description") return Description(node);
    if (key == "enabled") return toml_.Flag(node, key, out_.enabled);
    if (key == "shell") return toml_.Path(node, key, out_.shell);
    if (key == "kind") return Kind(node);
    if (key == "login") return toml_.Flag(node, key, out_.login);
    if (key == "arguments") return toml_.Texts(node, key, out_.arguments);
    if (key == "startup_script") {
      return toml_.Text(node, key, out_.startup_script);
    }
    if (key == "environment") return Environment(node);
    if (key == "cwd") return toml_.Path(node, key, out_.cwd);
    if (key == "run_as") return toml_.Account(node, key, out_.run_as);
    if (key == "no_new_privileges") {
      return toml_.Flag(node, key, out_.no_new_privileges);
    }
    if (key == "allowed") return Allowed(node);
    if (key == "limits") return Limits(node);
    if (key == "record") return Record(node);
    return Lifetime(key, node);
  }

  absl::Status Lifetime(absl::string_view key, const toml::node& node) {
    if (key == "idle_timeout") {
      return toml_.Time(node, key, kMinIdleTimeout, kMaxIdleTimeout,
                        out_.idle_timeout);
    }
    if (key == "max_idle_timeout") {
      return toml_.Time(node, key, kMinIdleTimeout, kMaxIdleTimeout,
                        out_.max_idle_timeout);
    }
    if (key == "may_never_idle") {
      return toml_.Flag(node, key, out_.may_never_idle);
    }
    if (key == "idle_while_busy") {
      return toml_.Choice(node, key, "activity", "idle", out_.idle_while_busy);
    }
    if (key == "when_full") {
      return toml_.Choice(node, key, "block", "drop", out_.drop_when_full);
    }
    if (key == "copy_limit") {
      return toml_.Size(node, key, kMiB, kTiB, out_.copy_limit);
    }
    if (key == "log_limit") {
      return toml_.Size(node, key, kMiB, kTiB, out_.log_limit);
    }
    return toml_.Unknown(node, key);
  }

  absl::Status Description(const toml::node& node) {
    BERTH_RETURN_IF_ERROR(toml_.Text(node, "description", out_.description));
    if (out_.description.size() > kMaxDescription ||
        absl::StrContains(out_.description, '\n')) {
      return toml_.At(node, absl::StrCat("description must be one line of ",
                                         kMaxDescription, " bytes at most"));
    }
    return absl::OkStatus();
  }

  absl::Status Record(const toml::node& node) {
    const bool all = node.value_exact<bool>().value_or(false);
    const std::string part = node.value_exact<std::string>().value_or("");
    if (!node.is_boolean() && part != "terminal" && part != "commands") {
      return toml_.At(
          node, "record must be true, false, \"terminal\" or \"commands\"");
    }
    out_.record_terminal = all || part == "terminal";
    out_.record_commands = all || part == "commands";
    return absl::OkStatus();
  }

  absl::Status Kind(const toml::node& node) {
    std::string word;
    BERTH_RETURN_IF_ERROR(toml_.Text(node, "kind", word));
    has_kind_ = true;
    for (const ShellKind kind : {ShellKind::kBash, ShellKind::kZsh,
                                 ShellKind::kPython, ShellKind::kRestricted}) {
      out_.kind = kind;
      if (word == KindName(kind)) return absl::OkStatus();
    }
    return toml_.At(node,
                    "kind must be \"bash\", \"zsh\", \"python\" or "
                    "\"restricted\"");
  }

  absl::Status Environment(const toml::node& node) {
    if (!node.is_table()) return toml_.Unknown(node, "environment");
    out_.environment.clear();
    for (auto&& [key, value] : *node.as_table()) {
      const std::string name = KeyText(key);
      std::string& to = out_.environment[name];
      BERTH_RETURN_IF_ERROR(toml_.Text(value, name, to));
      const absl::Status good = CheckVariable(name, to);
      if (!good.ok()) return toml_.At(value, good.message());
    }
    const absl::Status good = CheckVariables(out_.environment);
    return good.ok() ? good : toml_.At(node, good.message());
  }

  absl::Status Limits(const toml::node& node) {
    if (!node.is_table()) return toml_.Unknown(node, "limits");
    for (auto&& [key, value] : *node.as_table()) {
      BERTH_RETURN_IF_ERROR(Limit(KeyText(key), value));
    }
    return absl::OkStatus();
  }

  absl::Status Limit(absl::string_view key, const toml::node& node) {
    struct Limits& limits = out_.limits;
    if (key == "max_sessions") {
      return toml_.Count(node, key, 1, kMaxCount,
                         limits.max_sessions.emplace());
    }
    if (key == "max_sessions_per_user") {
      return toml_.Count(node, key, 1, kMaxCount,
                         limits.max_sessions_per_user.emplace());
    }
    // Less, and no shell would start.
    if (key == "memory") {
      return toml_.Size(node, key, 16 * kMiB, kTiB, limits.memory.emplace());
    }
    if (key == "processes") {
      return toml_.Count(node, key, 2, kMaxCount, limits.processes.emplace());
    }
    if (key == "cpu") {
      return toml_.Number(node, key, 0.01, 10'000, limits.cpu.emplace());
    }
    if (key == "open_files") {
      return toml_.Count(node, key, 32, kMaxCount, limits.open_files.emplace());
    }
    if (key == "file_size") {
      return toml_.Size(node, key, kKiB, kTiB, limits.file_size.emplace());
    }
    return toml_.Unknown(node, key);
  }

  absl::Status Allowed(const toml::node& node) {
    if (!node.is_array()) return toml_.Unknown(node, "allowed");
    if (node.as_array()->size() > kMaxPrograms) {
      return toml_.At(
          node, absl::StrCat("allowed: at most ", kMaxPrograms, " programs"));
    }
    out_.allowed.clear();
    for (const toml::node& each : *node.as_array()) {
      if (!each.is_table()) return toml_.Unknown(each, "allowed");
      BERTH_RETURN_IF_ERROR(Program(*each.as_table()));
    }
    return absl::OkStatus();
  }

  absl::Status Program(const toml::table& table) {
    AllowedProgram program;
    for (auto&& [key, node] : table) {
      absl::Status status;
      if (key == "name") {
        status = toml_.Text(node, "name", program.name);
      } else if (key == "path") {
        status = toml_.Path(node, "path", program.path);
      } else if (key == "arguments") {
        status = toml_.Texts(node, "arguments", program.arguments);
      } else if (key == "repeat_last") {
        status = toml_.Flag(node, "repeat_last", program.repeat_last);
      } else {
        status = toml_.Unknown(node, KeyText(key));
      }
      BERTH_RETURN_IF_ERROR(status);
    }
    const std::string wrong = WhatIsWrong(program);
    if (!wrong.empty()) return toml_.At(table, wrong);
    out_.allowed.push_back(std::move(program));
    return absl::OkStatus();
  }

  // Empty: nothing.
  std::string WhatIsWrong(const AllowedProgram& program) const {
    if (const absl::Status named = CheckName("program", program.name);
        !named.ok()) {
      return std::string(named.message());
    }
    if (program.path.empty()) {
      return absl::StrCat("program '", program.name, "' needs a path");
    }
    for (const AllowedProgram& other : out_.allowed) {
      if (other.name == program.name) {
        return absl::StrCat("program '", program.name, "' is there twice");
      }
    }
    if (program.repeat_last && program.arguments.empty()) {
      return absl::StrCat("program '", program.name,
                          "' has repeat_last and no arguments");
    }
    for (const std::string& pattern : program.arguments) {
      regex_t compiled;
      if (RepeatsTooMuch(pattern)) {
        return absl::StrCat("program '", program.name,
                            "': an argument's pattern repeats more than ",
                            kMaxRepeats, " times");
      }
      if (regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB) != 0) {
        return absl::StrCat("program '", program.name,
                            "': an argument is no regular expression");
      }
      regfree(&compiled);
    }
    return "";
  }

  absl::Status CheckWhole(const toml::table& table) const {
    if (out_.idle_timeout > out_.max_idle_timeout) {
      return toml_.At(table, "idle_timeout must be at most max_idle_timeout");
    }
    if (out_.startup_script.size() > kMaxScript) {
      return toml_.At(table, absl::StrCat("startup_script must be at most ",
                                          kMaxScript, " bytes"));
    }
    const bool restricted = out_.kind == ShellKind::kRestricted;
    if (restricted && out_.allowed.empty()) {
      return toml_.At(table, "kind restricted needs programs in 'allowed'");
    }
    if (!restricted && !out_.allowed.empty()) {
      return toml_.At(table, "'allowed' is for kind restricted");
    }
    if (restricted && (!out_.startup_script.empty() || out_.login)) {
      return toml_.At(table,
                      "kind restricted has no shell: neither startup_script "
                      "nor login");
    }
    if (out_.login && out_.kind == ShellKind::kPython) {
      return toml_.At(table, "kind python has no login");
    }
    return absl::OkStatus();
  }

  const TomlReader& toml_;
  Configuration& out_;
  bool has_kind_ = false;
};

}  // namespace

std::string RecordText(const Configuration& configuration) {
  if (configuration.record_terminal && configuration.record_commands) {
    return "all";
  }
  if (configuration.record_terminal) return "terminal";
  return configuration.record_commands ? "commands" : "";
}

std::string KindName(ShellKind kind) {
  switch (kind) {
    case ShellKind::kBash:
      return "bash";
    case ShellKind::kZsh:
      return "zsh";
    case ShellKind::kPython:
      return "python";
    case ShellKind::kRestricted:
      return "restricted";
  }
  return "";
}

absl::StatusOr<Configuration> ReadConfiguration(const TomlReader& reader,
                                                const toml::table& table) {
  Configuration configuration;
  BERTH_RETURN_IF_ERROR(Reader(reader, configuration).Read(table));
  return configuration;
}

absl::StatusOr<Configuration> ParseConfiguration(absl::string_view text,
                                                 absl::string_view path) {
  const TomlReader reader(path);
  BERTH_ASSIGN_OR_RETURN(const toml::table table, reader.Parse(text));
  return ReadConfiguration(reader, table);
}

absl::StatusOr<std::string> StartupScript(const Configuration& configuration) {
  const std::string& script = configuration.startup_script;
  if (!absl::StartsWith(script, "/") || absl::StrContains(script, '\n') ||
      absl::StrContains(script, ' ')) {
    return script;
  }
  absl::StatusOr<std::string> text = ReadFile(script, kMaxScript);
  if (!text.ok()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the startup script can't be read: ", text.status().message()));
  }
  return text;
}

}  // namespace berth::agent
