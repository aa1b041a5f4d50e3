#include "cli/help/completion.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace berth::cli {

// Made from the files in completions/ when this is built.
extern const char* const kBashCompletion;
extern const char* const kZshCompletion;
extern const char* const kFishCompletion;

namespace {

Candidates::Live LiveFor(const std::string& value) {
  if (absl::StrContains(value, "SELECTOR") ||
      absl::StartsWith(value, "SESSION")) {
    return Candidates::Live::kSessions;
  }
  if (absl::StartsWith(value, "NODES") || absl::StartsWith(value, "COMPUTER")) {
    return Candidates::Live::kComputers;
  }
  return Candidates::Live::kNone;
}

// The values of an option that are known without asking.
std::vector<std::string> ValuesOf(const Description& command,
                                  const std::string& option) {
  if (option == "--output") return {"table", "wide", "json", "jsonl", "name"};
  if (option == "--state")
    return {"Opened", "Disconnected", "Broken", "Closed"};
  if (option == "--buffering") return {"block", "drop"};
  if (option == "--until" && command.name == "berth wait") {
    return {"exit", "idle", "output"};
  }
  if (option == "--until") {
    return {"created", "holder-changed", "started", "ended",  "broken",
            "healed",  "idle-warning",   "closed",  "removed"};
  }
  return {};
}

void CompleteValue(const Description& command, const OptionDescription& option,
                   Candidates& candidates) {
  const std::string& name = option.names.back();
  if (name == "--context") {
    candidates.live = Candidates::Live::kContexts;
  } else if (name == "--computer" || name == "--exclude") {
    candidates.live = Candidates::Live::kComputers;
  } else {
    candidates.live = LiveFor(option.value);
  }
  for (std::string& value : ValuesOf(command, name)) {
    candidates.words.push_back({std::move(value), ""});
  }
}

// Lists, "web01,web02": the last part is the word.
void SplitPrefix(Candidates& candidates) {
  const size_t comma = candidates.typed.rfind(',');
  if (comma == std::string::npos) return;
  candidates.prefix += candidates.typed.substr(0, comma + 1);
  candidates.typed.erase(0, comma + 1);
}

void CompleteOptions(const Description& command, Candidates& candidates) {
  for (const OptionDescription& option : command.options) {
    for (const std::string& name : option.names) {
      candidates.words.push_back({name, option.help});
    }
  }
}

}  // namespace

absl::string_view CompletionScript(absl::string_view shell) {
  if (shell == "bash") return kBashCompletion;
  if (shell == "zsh") return kZshCompletion;
  if (shell == "fish") return kFishCompletion;
  return "";
}

std::vector<std::string> JoinAtEquals(const std::vector<std::string>& words) {
  std::vector<std::string> joined;
  bool glue = false;
  for (const std::string& word : words) {
    const bool equals =
        word == "=" && !joined.empty() && absl::StartsWith(joined.back(), "--");
    if (glue || equals) {
      joined.back() += word;
    } else {
      joined.push_back(word);
    }
    glue = equals;
  }
  return joined;
}

Candidates Complete(const Description& command,
                    const std::vector<std::string>& words) {
  Candidates candidates;
  const Description* at = &command;
  const OptionDescription* waiting = nullptr;  // An option without its value.
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == "--") return candidates;  // A script: anything.
    if (waiting != nullptr) {
      waiting = nullptr;
      continue;
    }
    if (const OptionDescription* option = at->Find(words[i])) {
      if (!option->value.empty()) waiting = option;
      continue;
    }
    const auto sub =
        std::find_if(at->subcommands.begin(), at->subcommands.end(),
                     [&](const auto& entry) { return entry.name == words[i]; });
    if (sub != at->subcommands.end()) at = &sub->description;
  }
  candidates.typed = words.back();
  const size_t equals = candidates.typed.find('=');
  if (waiting == nullptr && absl::StartsWith(candidates.typed, "--") &&
      equals != std::string::npos) {
    waiting = at->Find(candidates.typed.substr(0, equals));
    if (waiting == nullptr || waiting->value.empty()) return candidates;
    candidates.prefix = candidates.typed.substr(0, equals + 1);
    candidates.typed.erase(0, equals + 1);
  }
  if (waiting != nullptr) {
    CompleteValue(*at, *waiting, candidates);
    SplitPrefix(candidates);
  } else if (absl::StartsWith(candidates.typed, "-")) {
    CompleteOptions(*at, candidates);
  } else if (!at->subcommands.empty()) {
    for (const auto& [name, sub] : at->subcommands) {
      candidates.words.push_back({name, sub.summary});
    }
  } else if (!at->positionals.empty()) {
    candidates.live = LiveFor(at->positionals.front().value);
    SplitPrefix(candidates);
  }
  return candidates;
}

}  // namespace berth::cli
