#ifndef BERTH_CLI_HELP_DESCRIPTION_H_
#define BERTH_CLI_HELP_DESCRIPTION_H_

#include <string>
#include <vector>

#include "CLI/CLI.hpp"

namespace berth::cli {

// An option as people write it.
struct OptionDescription {
  std::vector<std::string> names;  // "-c", "--computer"; of a positional: none.
  std::string positional;          // "selectors"; empty: an option.
  std::string value;               // "NAME,..."; empty: it takes none.
  std::string help;
};

struct Subcommand;

// A command as its own parser knows it, whoever asks: --help, manual pages and
// completion all come from here.
struct Description {
  std::string name;     // "berth run".
  std::string summary;  // One sentence.
  std::string text;     // What is said before the examples.
  std::string examples;
  std::vector<OptionDescription> positionals;
  std::vector<OptionDescription> options;
  std::vector<Subcommand> subcommands;

  // The option of that name; null if there is none.
  const OptionDescription* Find(const std::string& name) const;
};

// One of a command's own: "ls" of "berth jobs".
struct Subcommand {
  std::string name;
  Description description;
};

Description Describe(const CLI::App& app);

}  // namespace berth::cli

#endif  // BERTH_CLI_HELP_DESCRIPTION_H_
