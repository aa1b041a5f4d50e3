#ifndef BERTH_CLI_COMMANDS_PARSER_H_
#define BERTH_CLI_COMMANDS_PARSER_H_

#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/time/time.h"
#include "cli/client/computers.h"
#include "cli/client/connector.h"
#include "cli/client/sessions.h"
#include "cli/invocation/invocation.h"
#include "cli/render/format.h"

namespace berth::cli {

// The exit status for a command line that can't be understood.
inline constexpr int kUsageExit = 1;

// The options of one verb, with those that all verbs share: --help, --context.
class Parser {
 public:
  // `examples` is shown at the end of the help, as it is.
  Parser(const std::string& verb, const std::string& summary,
         const std::string& examples);

  CLI::App& app() { return app_; }

  // A positional list of selectors ("1,2 web*") and -c for computers.
  void AddSelectors(SessionQuery& query, const std::string& what);
  // Whose sessions the selectors mean, unless they say it themselves.
  void AddOwner(std::string& owner);
  // -c and -x: sets of computers as in base/node_set.h. Those that -x names
  // are kept with "!" in front.
  void AddComputers(std::vector<std::string>& computers,
                    const std::string& what);
  void AddComputers(ComputerQuery& query, const std::string& what) {
    AddComputers(query.sets, what);
  }
  // A time option: "90s", "5m", "2h".
  void AddTime(const std::string& name, std::optional<absl::Duration>& value,
               const std::string& what) {
    AddTime(app_, name, value, what);
  }
  static void AddTime(CLI::App& app, const std::string& name,
                      std::optional<absl::Duration>& value,
                      const std::string& what);
  // -o.
  void AddFormat(Format& format) { AddFormat(app_, format); }
  static void AddFormat(CLI::App& app, Format& format);
  // --context.
  void AddContext();

  // Reads `words`. Returns the exit status if that was all: after --help, or
  // `usage_exit` after telling what is wrong.
  std::optional<int> Parse(Invocation& invocation,
                           std::vector<std::string> words,
                           int usage_exit = kUsageExit);

  // What --context says; empty: nothing.
  const std::string& context() const { return context_; }

  // The connection for --context.
  absl::StatusOr<std::shared_ptr<Connection>> Connect(Invocation& invocation);

 private:
  CLI::App app_;
  std::string context_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_PARSER_H_
