#include "broker/policy/verb.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/escape.h"

namespace berth::broker {

absl::string_view VerbName(Verb verb) {
  switch (verb) {
    case Verb::kList:
      return "list";
    case Verb::kCreate:
      return "create";
    case Verb::kRun:
      return "run";
    case Verb::kEnter:
      return "enter";
    case Verb::kPeek:
      return "peek";
    case Verb::kTake:
      return "take";
    case Verb::kReceive:
      return "receive";
    case Verb::kCopy:
      return "copy";
    case Verb::kRemove:
      return "remove";
    case Verb::kAdmin:
      return "admin";
  }
  return "";
}

absl::StatusOr<Verb> ParseVerb(absl::string_view name) {
  for (const Verb verb : kVerbs) {
    if (VerbName(verb) == name) return verb;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "no verb '", EscapeForTerminal(name.substr(0, 80)), "'; there are ",
      absl::StrJoin(kVerbs, ", ", [](std::string* out, Verb verb) {
        absl::StrAppend(out, VerbName(verb));
      })));
}

bool IsAboutSessions(Verb verb) {
  return verb != Verb::kCreate && verb != Verb::kAdmin;
}

std::string VerbSet::ToString() const {
  std::string text;
  for (const Verb verb : kVerbs) {
    if (!Has(verb)) continue;
    absl::StrAppend(&text, text.empty() ? "" : ", ", VerbName(verb));
  }
  return text;
}

}  // namespace berth::broker
