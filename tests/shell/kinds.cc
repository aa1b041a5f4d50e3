#include "tests/shell/kinds.h"

#include <vector>

#include "absl/strings/str_cat.h"

namespace berth::testing {
namespace {

using absl::StrCat;
using holder::v1::HolderStart;

Kind ShellLike(const std::string& name, HolderStart::ShellKind number,
               const std::string& shell) {
  Kind kind;
  kind.name = name;
  kind.kind = number;
  kind.shell = shell;
  kind.print = [](const std::string& text) { return StrCat("echo ", text); };
  kind.print_error = [](const std::string& text) {
    return StrCat("echo ", text, " >&2");
  };
  kind.fail = [](int status) { return StrCat("(exit ", status, ")"); };
  kind.child = [](const std::string& script) {
    return StrCat("sh -c '", script, "'");
  };
  kind.set = [](const std::string& variable, const std::string& value) {
    return StrCat(variable, "=", value);
  };
  kind.get = [](const std::string& variable) {
    return StrCat("echo \"$", variable, "\"");
  };
  kind.copy_input = "cat";
  kind.big_output =
      "i=0; while [ $i -lt 10000 ]; do echo 0123456789; echo error >&2; "
      "i=$((i+1)); done";
  kind.loop = "while :; do :; done";
  kind.sleep = "read never </dev/tty";
  kind.wrong = "if then";
  kind.exit = "exit 3";
  kind.change_to_usr = "cd /usr";
  kind.become_sleep = "exec sleep 30";
  kind.typed_wait = "cat >/dev/null\n";
  kind.typed_answer = "\x04";
  return kind;
}

Kind Python() {
  Kind kind;
  kind.name = "Python";
  kind.kind = HolderStart::PYTHON;
  kind.shell = "/usr/bin/python3";
  kind.print = [](const std::string& text) {
    return StrCat("print('", text, "')");
  };
  kind.print_error = [](const std::string& text) {
    return StrCat("import sys; print('", text, "', file=sys.stderr)");
  };
  kind.fail = [](int status) {
    return StrCat("raise SystemExit(", status, ")");
  };
  kind.child = [](const std::string& script) {
    return StrCat("import subprocess; child = subprocess.run(['sh', '-c', '''",
                  script,
                  "''']).returncode\nif child: raise SystemExit(child)");
  };
  kind.set = [](const std::string& variable, const std::string& value) {
    return StrCat(variable, " = '", value, "'");
  };
  kind.get = [](const std::string& variable) {
    return StrCat("print(", variable, ")");
  };
  kind.separator = "\n";
  kind.copy_input =
      "import shutil, sys\n"
      "shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)";
  kind.big_output =
      "import sys\n"
      "for i in range(10000):\n"
      "    print('0123456789')\n"
      "    print('error', file=sys.stderr)\n";
  kind.loop = "while True: pass";
  kind.sleep = "import time; time.sleep(1000)";
  kind.wrong = "if then";
  kind.exit = "import sys; sys.exit(3)";
  kind.change_to_usr = "import os; os.chdir('/usr')";
  kind.become_sleep = "import os; os.execvp('sleep', ['sleep', '30'])";
  kind.typed_exit = "exit()\n";
  kind.typed_wait = "answer = input('? ')\n";
  return kind;
}

// What needs more than one program goes to sh, which is one that is allowed.
Kind Restricted() {
  Kind kind;
  kind.name = "Restricted";
  kind.kind = HolderStart::RESTRICTED;
  kind.print = [](const std::string& text) { return StrCat("echo ", text); };
  kind.print_error = [](const std::string& text) {
    return StrCat("sh -c 'echo ", text, " >&2'");
  };
  kind.fail = [](int status) { return StrCat("sh -c 'exit ", status, "'"); };
  kind.child = [](const std::string& script) {
    return StrCat("sh -c '", script, "'");
  };
  kind.copy_input = "cat";
  kind.big_output =
      "sh -c 'i=0; while [ $i -lt 10000 ]; do echo 0123456789; echo error >&2; "
      "i=$((i+1)); done'";
  return kind;
}

struct Allowed {
  const char* name;
  const char* path;
  std::vector<std::string> arguments;
  bool repeat = false;
};

void AllowPrograms(HolderStart& start) {
  const Allowed all[] = {
      {"echo", "/bin/echo", {"(.|\n)*"}, true},
      {"list", "/bin/ls", {"/|/usr"}},
      {"true", "/bin/true", {}},
      {"false", "/bin/false", {}},
      {"name", "/bin/sh", {}},
      {"missing", "/nonexistent/program", {}},
      {"cat", "/bin/cat", {}},
      {"sh", "/bin/sh", {"-c", "(.|\n)*"}},
  };
  for (const Allowed& it : all) {
    holder::v1::AllowedProgram& program = *start.add_allowed();
    program.set_name(it.name);
    program.set_path(it.path);
    for (const std::string& pattern : it.arguments) {
      program.add_arguments(pattern);
    }
    program.set_repeat_last(it.repeat);
  }
}

}  // namespace

const Kind& RestrictedKind() {
  static const Kind kind = Restricted();
  return kind;
}

const Kind& BashKind() {
  static const Kind kind = [] {
    Kind bash = ShellLike("Bash", HolderStart::BASH, "/bin/bash");
    bash.wrong_status = 2;
    return bash;
  }();
  return kind;
}

const Kind& ZshKind() {
  static const Kind kind = [] {
    Kind zsh = ShellLike("Zsh", HolderStart::ZSH, "/usr/bin/zsh");
    zsh.wrong_status = 126;  // As `.` has it.
    return zsh;
  }();
  return kind;
}

const Kind& PythonKind() {
  static const Kind kind = Python();
  return kind;
}

HolderSession::Options OptionsFor(const Kind& kind) {
  HolderSession::Options options;
  options.kind = kind.kind;
  options.shell = kind.shell;
  if (kind.kind == HolderStart::RESTRICTED) {
    options.change_start = AllowPrograms;
  }
  return options;
}

}  // namespace berth::testing
