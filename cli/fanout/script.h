#ifndef BERTH_CLI_FANOUT_SCRIPT_H_
#define BERTH_CLI_FANOUT_SCRIPT_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {

// What the user wants run, before it is put into words of a shell.
struct ScriptParts {
  // The script: as typed, or a file's.
  std::string text;
  // It is a file's, run with these arguments as its own.
  bool is_file = false;
  std::vector<std::string> arguments;
  // Set while it runs, and not afterwards.
  std::map<std::string, std::string> variables;

  // Whether it reads the same for every kind of shell.
  bool plain() const { return !is_file && variables.empty(); }
};

// The script for a session's shell. Nothing of the session but what the script
// itself does is changed: variables and positional parameters are as before
// once it has ended. InvalidArgument: that kind of shell can't.
absl::StatusOr<std::string> MakeScript(const ScriptParts& parts,
                                       v1::ShellKind shell);

// Whether `name` can be a variable's: letters, digits and "_".
absl::Status CheckVariable(absl::string_view name);

// `text` as one word of a POSIX shell, whatever is in it.
std::string QuoteForShell(absl::string_view text);

// `text` as a string literal of Python.
std::string QuoteForPython(absl::string_view text);

}  // namespace berth::cli

#endif  // BERTH_CLI_FANOUT_SCRIPT_H_
