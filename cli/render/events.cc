#include "cli/render/events.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "cli/render/duration.h"
#include "cli/render/sessions.h"

namespace berth::cli {
namespace {

using Event = v1::SessionEvent;

constexpr char kLine[] = "%-8s  %-14s  %3s  %-15s  %-15s  %s";

std::string HowItEnded(const v1::CommandSummary& command) {
  const std::string time = ShortDuration(FromProto(command.ended_at()) -
                                         FromProto(command.started_at()));
  std::string how;
  switch (command.how()) {
    case v1::CommandEnded::COMPLETED:
    case v1::CommandEnded::EXITED:
      how = absl::StrCat("status ", command.exit_code());
      break;
    case v1::CommandEnded::INTERRUPTED:
      how = "interrupted";
      break;
    case v1::CommandEnded::TIMED_OUT:
      how = "timed out";
      break;
    case v1::CommandEnded::SHELL_ENDED:
      how = absl::StrCat("the shell ended, status ", command.exit_code());
      break;
    case v1::CommandEnded::NOT_STARTED:
      return absl::StrCat("not started: ", command.what());
    default:
      how = "its end was not seen";
  }
  return absl::StrCat(how, " after ", time, ": ", command.what());
}

std::string Detail(const Event& event) {
  const v1::Session& session = event.session();
  switch (event.kind()) {
    case Event::HOLDER_CHANGED:
      return session.has_holder()
                 ? absl::StrCat("held by ", session.holder().client().name())
                 : "nobody holds it";
    case Event::STARTED:
      return Describe(session.activity());
    case Event::ENDED:
      return session.has_last_command() ? HowItEnded(session.last_command())
                                        : "";
    case Event::IDLE_WARNING:
      return absl::StrCat("ends in ",
                          ShortDuration(FromProto(session.expires_at()) -
                                        FromProto(event.at())),
                          " unless somebody connects");
    case Event::CLOSED: {
      std::string reason = v1::EndReason_Name(session.end().reason());
      reason = absl::AsciiStrToLower(absl::StripPrefix(reason, "END_REASON_"));
      return absl::StrReplaceAll(reason, {{"_", " "}});
    }
    case Event::BROKEN:
      return "its computer is out of reach";
    case Event::HEALED:
    case Event::REMOVED:
      return "";
    default:
      return absl::StrCat(StateName(session.state()), ", ",
                          session.has_activity()
                              ? Describe(session.activity())
                              : AvailabilityName(session.availability()));
  }
}

}  // namespace

std::string EventHeading() {
  return absl::StrFormat(kLine, "Time", "Event", "Id", "Name", "ComputerName",
                         "Detail") +
         "\n";
}

std::string RenderEvent(const Event& event, bool with_owner) {
  const v1::Session& session = event.session();
  std::string line = absl::StrFormat(
      kLine,
      absl::FormatTime("%H:%M:%S", FromProto(event.at()),
                       absl::LocalTimeZone()),
      EventName(event.kind()),
      with_owner
          ? EscapeForTerminal(absl::StrCat(session.owner(), "/", session.id()))
          : absl::StrCat(session.id()),
      EscapeForTerminal(session.name()), EscapeForTerminal(session.computer()),
      EscapeForTerminal(Detail(event)));
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line + "\n";
}

std::string EventName(Event::Kind kind) {
  const std::string name = absl::AsciiStrToLower(Event::Kind_Name(kind));
  return absl::StrReplaceAll(name, {{"_", "-"}});
}

absl::StatusOr<Event::Kind> ParseEventName(absl::string_view name) {
  std::vector<std::string> names;
  for (int i = Event::KNOWN; i <= Event::Kind_MAX; ++i) {
    const auto kind = static_cast<Event::Kind>(i);
    if (absl::EqualsIgnoreCase(name, EventName(kind))) return kind;
    names.push_back(EventName(kind));
  }
  return absl::InvalidArgumentError(absl::StrCat("'", EscapeForTerminal(name),
                                                 "': no such event; there are ",
                                                 absl::StrJoin(names, ", ")));
}

}  // namespace berth::cli
