#include "cli/commands/help.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/commands/parser.h"
#include "cli/help/man.h"
#include "cli/help/topics.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "Examples:\n"
    "  berth help run\n"
    "  berth help about-disconnected-sessions\n"
    "  berth help --man run | man -l -\n";

using Entries = std::vector<std::pair<std::string, std::string>>;

void Inspect(Invocation& invocation, const Command& command,
             Invocation::Inspector inspector) {
  Invocation::Params params;
  params.cwd = invocation.cwd();
  params.environment = invocation.environment();
  Invocation inner(std::move(params), invocation.connector());
  inner.OnInspect(std::move(inspector));
  command.run(inner, {});
}

const Command* FindCommand(const std::string& name) {
  for (const Command& command : AllCommands()) {
    if (name == command.name) return &command;
  }
  return nullptr;
}

Entries Commands() {
  Entries entries;
  for (const Command& command : AllCommands()) {
    entries.emplace_back(absl::StrCat("berth-", command.name), command.summary);
  }
  return entries;
}

Entries Topics() {
  Entries entries;
  for (const Topic& topic : AllTopics()) {
    entries.emplace_back(std::string(topic.name), std::string(topic.title));
  }
  return entries;
}

// `berth help`: the commands, and the topics.
std::string Overview() {
  std::string text =
      absl::StrCat(HelpText(), "\nTopics ('berth help TOPIC'):\n");
  for (const auto& [name, title] : Topics()) {
    absl::StrAppendFormat(&text, "  %-28s %s\n", name, title);
  }
  return text;
}

// Names of pages, for whoever makes all of them.
std::string PageNames() {
  std::string text = "berth\n";
  for (const Command& command : AllCommands()) {
    absl::StrAppend(&text, command.name, "\n");
  }
  for (const Topic& topic : AllTopics()) {
    absl::StrAppend(&text, topic.name, "\n");
  }
  return text;
}

int NoSuch(Invocation& invocation, const std::string& name) {
  return invocation.Fail(
      absl::NotFoundError(absl::StrCat(
          "'", name, "': neither a command nor a topic; see 'berth help'")),
      kUsageExit);
}

int PrintPage(Invocation& invocation, const std::string& name) {
  if (name.empty() || name == "berth") {
    return invocation.Print(ManPage(Commands(), Topics()));
  }
  if (const Command* command = FindCommand(name)) {
    return invocation.Print(ManPage(DescribeCommand(invocation, *command)));
  }
  if (const Topic* topic = FindTopic(name)) {
    return invocation.Print(ManPage(topic->name, topic->title, topic->text));
  }
  return NoSuch(invocation, name);
}

int PrintHelp(Invocation& invocation, const std::string& name) {
  if (name.empty()) return invocation.Print(Overview());
  if (const Command* command = FindCommand(name)) {
    return invocation.Print(CommandHelp(invocation, *command));
  }
  if (const Topic* topic = FindTopic(name)) {
    return invocation.Print(
        absl::StrCat(topic->title, "\n\n", topic->text, "\n"));
  }
  return NoSuch(invocation, name);
}

}  // namespace

Description DescribeCommand(Invocation& invocation, const Command& command) {
  Description description;
  Inspect(invocation, command,
          [&](const CLI::App& app) { description = Describe(app); });
  return description;
}

std::string CommandHelp(Invocation& invocation, const Command& command) {
  std::string text;
  Inspect(invocation, command, [&](const CLI::App& app) { text = app.help(); });
  return text;
}

int RunHelp(Invocation& invocation, std::vector<std::string> words) {
  std::string name;
  bool man = false;
  bool names = false;
  Parser parser("help", "Prints the help of a command, or about a topic.",
                kExamples);
  parser.app()
      .add_option("name", name, "a command or a topic; without it, a list")
      ->type_name("NAME");
  parser.app().add_flag("--man", man, "as the source of a manual page");
  parser.app().add_flag("--names", names, "only the names there are");
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  if (names) return invocation.Print(PageNames());
  return man ? PrintPage(invocation, name) : PrintHelp(invocation, name);
}

}  // namespace berth::cli
