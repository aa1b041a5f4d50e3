#include "agent/sessions/shell_trial.h"

namespace berth::agent {

absl::Span<const ShellCase> ShellCases() {
  using Ended = v1::CommandEnded;
  static constexpr ShellCase kCases[] = {
      {.name = "set a variable", .script = "x=kept; f() { echo \"f$1$x\"; }"},
      {.name = "variable kept", .script = "echo $x", .out = "kept\n"},
      {.name = "function kept", .script = "f 7", .out = "f7kept\n"},
      {.name = "cd", .script = "cd /; pwd", .out = "/\n", .cwd = "/"},
      {.name = "input",
       .script = "read -r line; echo \"got $line\"",
       .input = "one line\n",
       .out = "got one line\n"},
      {.name = "no input",
       .script = "read -r line || echo none",
       .out = "none\n"},
      {.name = "stderr",
       .script = "echo out; echo err >&2",
       .out = "out\n",
       .err = "err\n"},
      {.name = "exit",
       .script = "echo out; exit 3; echo not",
       .how = Ended::EXITED,
       .exit_code = 3,
       .out = "out\n"},
      {.name = "set -e",
       .script = "set -e; false; echo not",
       .how = Ended::EXITED,
       .exit_code = 1},
      {.name = "alive after set -e",
       .script = "set +e; false; echo $x",
       .out = "kept\n"},
      {.name = "syntax error",
       .script = "echo not; if then",
       .exit_code = 2,
       .err = std::nullopt},
      {.name = "return", .script = "return 4; echo not", .exit_code = 4},
      {.name = "pipeline",
       .script = "true | (exit 3) | false; echo ${PIPESTATUS[*]}",
       .out = "0 3 1\n"},
      // It has the command's output open.
      {.name = "background child",
       .script = "sleep 30 & echo on",
       .out = "on\n"},
      {.name = "child kept", .script = "kill $! && echo $x", .out = "kept\n"},
      {.name = "interrupt",
       .script = "echo on; sleep 30; echo not",
       .interrupt = true,
       .how = Ended::INTERRUPTED,
       .exit_code = 130,
       .out = "on\n",
       .err = std::nullopt},
      {.name = "alive after an interrupt",
       .script = "f 8; pwd",
       .out = "f8kept\n/\n",
       .cwd = "/"},
  };
  return kCases;
}

}  // namespace berth::agent
