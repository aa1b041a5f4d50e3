#include "cli/commands/complete.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "cli/client/call.h"
#include "cli/client/connector.h"
#include "cli/client/sessions.h"
#include "cli/commands/command.h"
#include "cli/commands/help.h"
#include "cli/config/contexts.h"
#include "cli/help/completion.h"
#include "cli/help/topics.h"
#include "cli/invocation/deadline.h"
#include "cli/render/sessions.h"

namespace berth::cli {
namespace {

// Somebody waits at a key for it: rather nothing than late.
constexpr absl::Duration kPatience = absl::Milliseconds(300);

using Words = std::vector<Candidates::Word>;

void AddSessions(Invocation& invocation, Connection& connection, Words& words) {
  const SessionList list =
      ListSessions(connection, invocation.signals(), SessionQuery());
  for (const v1::Session& session : list.sessions) {
    const std::string what =
        absl::StrCat(session.name(), " on ", session.computer(), ", ",
                     StateName(session.state()));
    words.push_back({absl::StrCat(session.id()), what});
    words.push_back({session.name(), absl::StrCat("on ", session.computer())});
  }
}

void AddComputers(Invocation& invocation, Connection& connection,
                  Words& words) {
  v1::ListComputersResponse response;
  if (!Call(connection, invocation.signals(), connection.computers(),
            &v1::Computers::Stub::ListComputers, v1::ListComputersRequest(),
            response)
           .ok()) {
    return;
  }
  for (const v1::Computer& computer : response.computers()) {
    words.push_back(
        {computer.name(),
         computer.state() == v1::COMPUTER_STATE_ONLINE ? "online" : "offline"});
  }
}

// Adds what only the broker, or the configuration, knows.
void AddLive(Invocation& invocation, Candidates& candidates) {
  if (candidates.live == Candidates::Live::kNone) return;
  if (candidates.live == Candidates::Live::kContexts) {
    const auto contexts = LoadContexts(invocation.environment());
    if (!contexts.ok()) return;
    for (const auto& [name, context] : contexts->contexts) {
      candidates.words.push_back({name, context.broker});
    }
    return;
  }
  const Deadline deadline(invocation.signals(), kPatience);
  const auto connection =
      invocation.connector().Connect(invocation.environment(), "");
  if (!connection.ok()) return;
  if (candidates.live == Candidates::Live::kSessions) {
    AddSessions(invocation, **connection, candidates.words);
  } else {
    AddComputers(invocation, **connection, candidates.words);
  }
}

Candidates CompleteVerb(const std::string& typed) {
  Candidates candidates;
  candidates.typed = typed;
  for (const Command& command : AllCommands()) {
    candidates.words.push_back({command.name, command.summary});
  }
  candidates.words.push_back({"keeper", "the process behind 'berth'"});
  for (const char* option : {"--help", "--version", "--no-keeper"}) {
    if (absl::StartsWith(typed, "-")) candidates.words.push_back({option, ""});
  }
  return candidates;
}

// Commands whose words no option describes.
bool CompleteSpecial(const std::vector<std::string>& words,
                     Candidates& candidates) {
  candidates.typed = words.back();
  if (words.size() != 2 || absl::StartsWith(words[1], "-")) return false;
  if (words[0] == "keeper") {
    candidates.words = {{"status", ""}, {"stop", ""}};
  } else if (words[0] == "completion") {
    candidates.words = {{"bash", ""}, {"zsh", ""}, {"fish", ""}};
  } else if (words[0] == "help") {
    candidates.words = CompleteVerb("").words;
    for (const Topic& topic : AllTopics()) {
      candidates.words.push_back(
          {std::string(topic.name), std::string(topic.title)});
    }
  } else {
    return false;
  }
  return true;
}

Candidates CompleteWords(Invocation& invocation,
                         const std::vector<std::string>& words) {
  if (words.size() == 1) return CompleteVerb(words[0]);
  Candidates candidates;
  if (CompleteSpecial(words, candidates)) return candidates;
  for (const Command& command : AllCommands()) {
    if (words[0] == command.name) {
      return Complete(DescribeCommand(invocation, command),
                      {words.begin() + 1, words.end()});
    }
  }
  return {};
}

}  // namespace

int RunComplete(Invocation& invocation, std::vector<std::string> words) {
  if (!words.empty() && words.front() == "--") words.erase(words.begin());
  if (words.empty()) words.emplace_back();
  const bool apart = std::find(words.begin(), words.end(), "=") != words.end();
  words = JoinAtEquals(words);
  // "berth --no-keeper ls": options before the command say nothing.
  while (words.size() > 1 && absl::StartsWith(words.front(), "--")) {
    const bool takes_next = words.front() == "--context" && words.size() > 2;
    words.erase(words.begin(), words.begin() + (takes_next ? 2 : 1));
  }
  Candidates candidates = CompleteWords(invocation, words);
  if (apart) candidates.prefix.erase(0, candidates.prefix.find('=') + 1);
  AddLive(invocation, candidates);
  std::string text;
  for (const Candidates::Word& word : candidates.words) {
    if (!absl::StartsWith(word.word, candidates.typed)) continue;
    absl::StrAppend(&text, candidates.prefix, EscapeForTerminal(word.word));
    if (!word.help.empty()) {
      absl::StrAppend(&text, "\t", EscapeForTerminal(word.help));
    }
    absl::StrAppend(&text, "\n");
  }
  // Silent, whatever went wrong: there is a prompt on the screen.
  invocation.out().Write(text).IgnoreError();
  return 0;
}

}  // namespace berth::cli
