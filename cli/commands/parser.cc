#include "cli/commands/parser.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/node_set.h"
#include "cli/render/duration.h"

namespace berth::cli {

Parser::Parser(const std::string& verb, const std::string& summary,
               const std::string& examples)
    : app_(summary, "berth " + verb) {
  app_.footer(examples);
}

void Parser::AddSelectors(SessionQuery& query, const std::string& what) {
  app_.add_option_function<std::vector<std::string>>(
          "selectors",
          [&query](const std::vector<std::string>& lists) {
            for (std::string& selector : SplitLists(lists)) {
              query.selectors.push_back(std::move(selector));
            }
          },
          what +
              ": 3, 1,2, 1..3, a name, \"web*\", an instance id; of "
              "others alice/3")
      ->type_name("SELECTOR");
  AddOwner(query.owner);
  AddComputers(query.computers, "only sessions on these computers");
}

void Parser::AddOwner(std::string& owner) {
  app_.add_option("--owner", owner,
                  "sessions of this user, as far as you may; 3 is then "
                  "USER/3")
      ->type_name("USER");
}

void Parser::AddComputers(std::vector<std::string>& computers,
                          const std::string& what) {
  using Texts = std::vector<std::string>;
  app_.add_option_function<Texts>(
          "-c,--computer",
          [&computers](const Texts& sets) {
            computers.insert(computers.end(), sets.begin(), sets.end());
          },
          what + ": web01, \"web[01-20]\", \"web*\", @label:role=db, @all")
      ->type_name("SET,...")
      ->allow_extra_args(false);
  app_.add_option_function<Texts>(
          "-x,--exclude",
          [&computers](const Texts& sets) {
            for (const std::string& set : sets) {
              for (absl::string_view part : SplitNodeSets(set)) {
                computers.push_back(absl::StrCat("!", part));
              }
            }
          },
          "without these computers")
      ->type_name("SET,...")
      ->allow_extra_args(false);
}

void Parser::AddTime(CLI::App& app, const std::string& name,
                     std::optional<absl::Duration>& value,
                     const std::string& what) {
  app.add_option_function<std::string>(
         name,
         [&value, name](const std::string& text) {
           const absl::StatusOr<absl::Duration> time = ReadDuration(text);
           if (!time.ok()) {
             throw CLI::ValidationError(name,
                                        std::string(time.status().message()));
           }
           value = *time;
         },
         what)
      ->type_name("TIME");
}

void Parser::AddFormat(CLI::App& app, Format& format) {
  app.add_option_function<std::string>(
         "-o,--output",
         [&format](const std::string& text) {
           const absl::StatusOr<Format> parsed = ParseFormat(text);
           if (!parsed.ok()) {
             throw CLI::ValidationError(std::string(parsed.status().message()),
                                        CLI::ExitCodes::ValidationError);
           }
           format = *parsed;
         },
         "how to print: table, wide, json, jsonl or name")
      ->type_name("FORMAT");
}

void Parser::AddContext() {
  app_.add_option("--context", context_,
                  "the broker to talk to (see 'berth context ls')")
      ->type_name("NAME");
}

std::optional<int> Parser::Parse(Invocation& invocation,
                                 std::vector<std::string> words,
                                 int usage_exit) {
  if (invocation.inspector()) {
    invocation.inspector()(app_);
    return 0;
  }
  std::reverse(words.begin(), words.end());  // As CLI11 takes them.
  try {
    app_.parse(words);
  } catch (const CLI::CallForHelp&) {
    return invocation.Print(app_.help());
  } catch (const CLI::CallForAllHelp&) {
    return invocation.Print(app_.help());
  } catch (const CLI::ParseError& error) {
    invocation.Say(
        absl::StrCat(error.what(), "; see '", app_.get_name(), " --help'"));
    return usage_exit;
  }
  return std::nullopt;
}

absl::StatusOr<std::shared_ptr<Connection>> Parser::Connect(
    Invocation& invocation) {
  return invocation.connector().Connect(invocation.environment(), context_);
}

}  // namespace berth::cli
