#include "agent/sessions/shell_trial.h"

namespace berth::agent {
namespace {

using Ended = v1::CommandEnded;

absl::Span<const ShellCase> BashCases() {
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

absl::Span<const ShellCase> ZshCases() {
  static constexpr ShellCase kCases[] = {
      {.name = "set a variable",
       .script = "typeset x=kept; f() { echo \"f$1$x\" }"},
      {.name = "variable kept", .script = "echo $x", .out = "kept\n"},
      {.name = "function kept", .script = "f 7", .out = "f7kept\n"},
      {.name = "cd", .script = "cd /; pwd", .out = "/\n", .cwd = "/"},
      {.name = "input",
       .script = "read -r line; echo \"got $line\"",
       .input = "one line\n",
       .out = "got one line\n"},
      {.name = "stderr",
       .script = "echo out; echo err >&2",
       .out = "out\n",
       .err = "err\n"},
      {.name = "status", .script = "(exit 5)", .exit_code = 5},
      {.name = "exit",
       .script = "echo out; exit 3; echo not",
       .how = Ended::EXITED,
       .exit_code = 3,
       .out = "out\n"},
      {.name = "alive after exit", .script = "echo $x", .out = "kept\n"},
      {.name = "interrupt",
       .script = "echo on; sleep 30; echo not",
       .interrupt = true,
       .how = Ended::INTERRUPTED,
       .exit_code = 130,
       .out = "on\n",
       .err = std::nullopt},
      {.name = "alive after an interrupt",
       .script = "f 8",
       .out = "f8kept\n",
       .cwd = "/"},
  };
  return kCases;
}

absl::Span<const ShellCase> PythonCases() {
  static constexpr ShellCase kCases[] = {
      {.name = "set a variable", .script = "x = 'kept'\ndef f(): return x"},
      {.name = "variable kept", .script = "print(f())", .out = "kept\n"},
      {.name = "chdir",
       .script = "import os; os.chdir('/'); os.system('pwd')",
       .out = "/\n",
       .cwd = "/"},
      {.name = "input",
       .script = "print('got', input())",
       .input = "one line\n",
       .out = "got one line\n"},
      {.name = "stderr",
       .script = "import sys; print('out'); print('err', file=sys.stderr)",
       .out = "out\n",
       .err = "err\n"},
      {.name = "exception",
       .script = "1 / 0",
       .exit_code = 1,
       .err = std::nullopt},
      {.name = "exit",
       .script = "raise SystemExit(3)",
       .how = Ended::EXITED,
       .exit_code = 3},
      {.name = "interrupt",
       .script = "import time; print('on'); time.sleep(30)",
       .interrupt = true,
       .how = Ended::INTERRUPTED,
       .exit_code = 130,
       .out = "on\n",
       .err = std::nullopt},
      {.name = "alive after an interrupt",
       .script = "print(x)",
       .out = "kept\n",
       .cwd = "/"},
  };
  return kCases;
}

}  // namespace

absl::Span<const ShellCase> ShellCases(ShellKind kind) {
  switch (kind) {
    case ShellKind::kBash:
      return BashCases();
    case ShellKind::kZsh:
      return ZshCases();
    case ShellKind::kPython:
      return PythonCases();
    case ShellKind::kRestricted:
      break;
  }
  return {};
}

}  // namespace berth::agent
