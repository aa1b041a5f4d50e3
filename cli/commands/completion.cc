#include "cli/commands/completion.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/commands/parser.h"
#include "cli/help/completion.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "Completes commands, options, and the names of sessions, computers and\n"
    "contexts that there are just now.\n\n"
    "Examples:\n"
    "  eval \"$(berth completion bash)\"      # in ~/.bashrc\n"
    "  source <(berth completion zsh)       # in ~/.zshrc, after compinit\n"
    "  berth completion fish | source       # in config.fish\n";

}  // namespace

int RunCompletion(Invocation& invocation, std::vector<std::string> words) {
  std::string shell;
  Parser parser("completion", "Prints a script that lets a shell complete.",
                kExamples);
  parser.app()
      .add_option("shell", shell, "bash, zsh or fish")
      ->type_name("SHELL")
      ->required();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  const absl::string_view script = CompletionScript(shell);
  if (script.empty()) {
    return invocation.Fail(
        absl::InvalidArgumentError(
            absl::StrCat("'", shell,
                         "': no completion for it; there is one for bash, zsh "
                         "and fish")),
        kUsageExit);
  }
  return invocation.Print(script);
}

}  // namespace berth::cli
