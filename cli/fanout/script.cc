#include "cli/fanout/script.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/escape.h"
#include "base/uuid.h"

namespace berth::cli {
namespace {

// "A='1' B='2' ": before a command they hold while it runs.
std::string Assignments(const ScriptParts& parts) {
  std::string text;
  for (const auto& [name, value] : parts.variables) {
    absl::StrAppend(&text, name, "=", QuoteForShell(value), " ");
  }
  return text;
}

// Sourced from a descriptor: has positional parameters of its own, and yet runs
// in the session's shell itself. What it reads as input stays free.
std::string FileForShell(const ScriptParts& parts) {
  std::string end;
  do {
    end = absl::StrCat("EOF_", absl::StrReplaceAll(NewUuid(), {{"-", ""}}));
  } while (absl::StrContains(parts.text, end));
  std::string script = absl::StrCat(Assignments(parts), "source /dev/fd/9");
  for (const std::string& argument : parts.arguments) {
    absl::StrAppend(&script, " ", QuoteForShell(argument));
  }
  absl::StrAppend(&script, " 9<<'", end, "'\n", parts.text);
  if (!absl::EndsWith(parts.text, "\n")) script += '\n';
  return absl::StrCat(script, end, "\n");
}

std::string ForShell(const ScriptParts& parts) {
  if (parts.is_file) return FileForShell(parts);
  return absl::StrCat(Assignments(parts), "eval ", QuoteForShell(parts.text),
                      "\n");
}

std::string ForPython(const ScriptParts& parts) {
  std::string head;
  for (const auto& [name, value] : parts.variables) {
    absl::StrAppend(&head, "__import__('os').environ[", QuoteForPython(name),
                    "] = ", name, " = ", QuoteForPython(value), "\n");
  }
  if (parts.is_file) {
    absl::StrAppend(&head, "__import__('sys').argv = ['script'",
                    parts.arguments.empty() ? "" : ", ",
                    absl::StrJoin(parts.arguments, ", ",
                                  [](std::string* out, const auto& argument) {
                                    *out += QuoteForPython(argument);
                                  }),
                    "]\n");
  }
  return head + parts.text;
}

}  // namespace

std::string QuoteForShell(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

std::string QuoteForPython(absl::string_view text) {
  std::string out = "'";
  for (const unsigned char c : text) {
    if (c == '\'' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c < 0x20 || c == 0x7f) {
      absl::StrAppendFormat(&out, "\\x%02x", c);
    } else {
      out += static_cast<char>(c);
    }
  }
  return out + "'";
}

absl::Status CheckVariable(absl::string_view name) {
  const bool fits = !name.empty() && name.size() <= 200 &&
                    !absl::ascii_isdigit(name[0]) &&
                    std::all_of(name.begin(), name.end(), [](unsigned char c) {
                      return absl::ascii_isalnum(c) || c == '_';
                    });
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("variable '", EscapeForTerminal(name.substr(0, 80)),
                   "': use letters, digits and _, and no digit in front"));
}

absl::StatusOr<std::string> MakeScript(const ScriptParts& parts,
                                       v1::ShellKind shell) {
  if (parts.plain()) return parts.text;
  switch (shell) {
    case v1::SHELL_KIND_PYTHON:
      return ForPython(parts);
    case v1::SHELL_KIND_RESTRICTED:
      return absl::InvalidArgumentError(
          "a session that is restricted to programs takes no --file, --env or "
          "--using");
    default:
      return ForShell(parts);
  }
}

}  // namespace berth::cli
