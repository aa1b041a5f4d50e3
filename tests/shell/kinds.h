#ifndef BERTH_TESTS_SHELL_KINDS_H_
#define BERTH_TESTS_SHELL_KINDS_H_

#include <string>

#include "proto/berth/holder/v1/holder.pb.h"
#include "tests/support/holder_session.h"

namespace berth::testing {

// A kind of shell, and how to say in it what all tests of kinds need.
struct Kind {
  std::string name;
  holder::v1::HolderStart::ShellKind kind;
  std::string shell;
  // Writes `text`, which has nothing to be quoted, as a line to stdout.
  std::string (*print)(const std::string& text);
  // The same to stderr.
  std::string (*print_error)(const std::string& text);
  // Ends with a status.
  std::string (*fail)(int status);
  // Has /bin/sh execute something that has no ' in it.
  std::string (*child)(const std::string& script);
  // Sets and prints a variable.
  std::string (*set)(const std::string& name, const std::string& value);
  std::string (*get)(const std::string& name);
  // Joins statements.
  std::string separator = "; ";

  std::string copy_input;  // Copies stdin to stdout.
  std::string big_output;  // Ten thousand lines of "0123456789" to stdout, and
                           // of "error" to stderr.
  std::string loop;        // Never ends, without any child.
  std::string sleep;       // Nor this, in a system call.
  std::string wrong;       // Can't be parsed.
  int wrong_status = 1;
  std::string exit;  // Ends with status 3, by leaving the shell.
  std::string change_to_usr;
  std::string become_sleep;  // Replaces the shell.
  std::string typed_exit = "exit\n";
  // Typed, waits for a line; and the line.
  std::string typed_wait;
  std::string typed_answer = "answer\n";
};

// Those that this machine has.
const Kind& BashKind();
const Kind& ZshKind();
const Kind& PythonKind();
// Programs that may be run: echo, list, true, false, name, missing, cat, sh.
const Kind& RestrictedKind();

// A session of that kind.
HolderSession::Options OptionsFor(const Kind& kind);

}  // namespace berth::testing

#endif  // BERTH_TESTS_SHELL_KINDS_H_
