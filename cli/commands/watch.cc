#include "cli/commands/watch.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/client/session_watcher.h"
#include "cli/commands/parser.h"
#include "cli/render/events.h"
#include "cli/run/exit_status.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "One line for each event: first the sessions that are there, as "
    "\"known\",\n"
    "then created, started, ended, holder-changed, idle-warning, closed,\n"
    "removed, broken (its computer is out of reach), healed, changed. When\n"
    "the broker was away, what happened meanwhile is told afterwards. Ctrl-C\n"
    "ends it.\n\n"
    "Examples:\n"
    "  berth watch\n"
    "  berth watch 'build*' -c web01 -o jsonl\n"
    "  berth watch 3 --until ended       # a detached command is finished\n";

// Prints events, in one of the formats.
class Printer {
 public:
  // `with_owner`: ids are "alice/3".
  Printer(Invocation& invocation, Format format, bool with_owner)
      : invocation_(invocation), format_(format), with_owner_(with_owner) {}

  // False: it can't be written.
  bool Print(const v1::SessionEvent& event) {
    std::string text;
    switch (format_) {
      case Format::kJson:
        text = absl::StrCat(first_ ? "[\n  " : ",\n  ", ToJson(event));
        break;
      case Format::kJsonl:
        text = absl::StrCat(ToJson(event), "\n");
        break;
      case Format::kName:
        text = absl::StrCat(EventName(event.kind()), "\n");
        break;
      case Format::kTable:
      case Format::kWide:
        text = absl::StrCat(first_ ? EventHeading() : "",
                            RenderEvent(event, with_owner_));
    }
    first_ = false;
    status_ = invocation_.out().Write(text);
    return status_.ok();
  }

  // What belongs behind the last event.
  int Finish(int exit) {
    if (absl::IsAborted(status_)) return kPipeExit;
    if (format_ == Format::kJson && status_.ok()) {
      status_ = invocation_.out().Write(first_ ? "[]\n" : "\n]\n");
    }
    return exit;
  }

 private:
  Invocation& invocation_;
  const Format format_;
  const bool with_owner_;
  bool first_ = true;
  absl::Status status_;
};

}  // namespace

int RunWatch(Invocation& invocation, std::vector<std::string> words) {
  SessionQuery query;
  Format format = Format::kTable;
  std::string until_name;
  Parser parser("watch", "Prints what happens to sessions.", kExamples);
  parser.AddSelectors(query, "which sessions; without it, all");
  parser.app().add_flag("--all-owners", query.all_owners,
                        "sessions of all users, as far as you may list them");
  parser.app()
      .add_option("--until", until_name, "end after the first event of a kind")
      ->type_name("EVENT");
  parser.AddFormat(format);
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  std::optional<v1::SessionEvent::Kind> until;
  if (!until_name.empty()) {
    const auto kind = ParseEventName(until_name);
    if (!kind.ok()) return invocation.Fail(kind.status(), kUsageExit);
    until = *kind;
  }
  if (absl::Status status = CheckSelectors(query.selectors); !status.ok()) {
    return invocation.Fail(status, kUsageExit);
  }
  const auto connection = parser.Connect(invocation);
  if (!connection.ok()) return invocation.Fail(connection.status());
  Printer printer(invocation, format, IsAboutOthers(query));
  SessionWatcher watcher(**connection, invocation, query);
  const absl::Status status = watcher.Run([&](const v1::SessionEvent& event) {
    return printer.Print(event) && event.kind() != until;
  });
  if (invocation.signals().left()) {
    return printer.Finish(invocation.signals().exit_code());
  }
  return printer.Finish(status.ok() ? 0 : invocation.Fail(status));
}

}  // namespace berth::cli
