#ifndef BERTH_CLI_HELP_COMPLETION_H_
#define BERTH_CLI_HELP_COMPLETION_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "cli/help/description.h"

namespace berth::cli {

// The script that teaches a shell (bash, zsh, fish) to complete; empty if
// there is none for it. It asks `berth complete` at every key.
absl::string_view CompletionScript(absl::string_view shell);

// What may stand where a word is being typed.
struct Candidates {
  enum class Live {
    kNone,
    kSessions,   // Ids and names of sessions.
    kComputers,  // Names of computers.
    kContexts,   // Names of contexts.
  };
  // Also these, which somebody else must look up.
  Live live = Live::kNone;
  struct Word {
    std::string word;
    std::string help;
  };
  std::vector<Word> words;
  // What stands before the word in a list, "1,2,": it belongs to each.
  std::string prefix;
  // What was typed of the word: candidates start with it.
  std::string typed;
};

// bash takes words apart at '='; puts "--output", "=", "js" together again.
std::vector<std::string> JoinAtEquals(const std::vector<std::string>& words);

// What may stand as the last of `words`, which follow the command's name. At
// least one is there; the last may be empty.
Candidates Complete(const Description& command,
                    const std::vector<std::string>& words);

}  // namespace berth::cli

#endif  // BERTH_CLI_HELP_COMPLETION_H_
