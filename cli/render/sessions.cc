#include "cli/render/sessions.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "base/session_events.h"
#include "cli/render/duration.h"

namespace berth::cli {
namespace {

// As about_PSSessions prints them: the same columns, widths and alignment.
std::vector<Table::Column> Columns(bool wide) {
  std::vector<Table::Column> columns = {
      {"Id", 3, true},           {"Name", 15},
      {"ComputerName", 15},      {"State", 13},
      {"ConfigurationName", 20}, {"Availability", 13, true}};
  if (!wide) return columns;
  for (const char* heading :
       {"InstanceId", "Owner", "RunAs", "Shell", "Running", "Since", "LastExit",
        "HeldBy", "Idle", "Expires", "Buffering", "Log", "Unread", "Dropped",
        "Directory", "Created"}) {
    columns.push_back({heading});
  }
  return columns;
}

std::string Ago(const google::protobuf::Timestamp& time, absl::Time now) {
  return ShortDuration(now - FromProto(time));
}

// Since when: that of the activity, or of the state if there is none.
std::string Since(const v1::Session& session, absl::Time now) {
  if (session.has_broken_since()) return Ago(session.broken_since(), now);
  if (session.has_end()) return Ago(session.end().at(), now);
  if (session.activity().has_since()) {
    return Ago(session.activity().since(), now);
  }
  return "";
}

std::string Running(const v1::Session& session) {
  if (session.has_end()) {
    std::string reason = v1::EndReason_Name(session.end().reason());
    reason = reason.substr(std::string("END_REASON_").size());
    for (char& c : reason) c = c == '_' ? ' ' : absl::ascii_tolower(c);
    return absl::StrCat("(", reason, ")");
  }
  return session.has_activity() ? Describe(session.activity()) : "";
}

void AddWide(const v1::Session& session, absl::Time now,
             std::vector<std::string>& row) {
  row.push_back(session.instance_id());
  row.push_back(session.owner());
  row.push_back(session.run_as());
  row.push_back(ShellName(session.shell()));
  row.push_back(Running(session));
  row.push_back(Since(session, now));
  row.push_back(session.has_last_command() ? Outcome(session.last_command())
                                           : "");
  row.push_back(session.has_holder() ? session.holder().client().name() : "");
  row.push_back(session.never_idles()
                    ? "never"
                    : ShortDuration(FromProto(session.idle_timeout())));
  row.push_back(Expiry(session, now));
  row.push_back(BufferingName(session.buffering()));
  row.push_back(absl::StrCat(ByteSize(session.log_bytes()), "/",
                             ByteSize(session.log_limit())));
  row.push_back(ByteSize(session.unacknowledged_bytes()));
  row.push_back(ByteSize(session.dropped_bytes()));
  row.push_back(session.cwd());
  row.push_back(absl::FormatTime("%Y-%m-%d %H:%M:%S",
                                 FromProto(session.created_at()),
                                 absl::LocalTimeZone()));
}

void AddRow(const v1::Session& session, bool wide, bool with_owner,
            absl::Time now, Table& table) {
  std::vector<std::string> row = {
      absl::StrCat(with_owner ? session.owner() + "/" : "", session.id()),
      session.name(),
      session.computer(),
      StateName(session.state()),
      session.configuration(),
      AvailabilityName(session.availability())};
  if (wide) AddWide(session, now, row);
  table.AddRow(std::move(row));
}

}  // namespace

std::string StateName(v1::SessionState state) {
  switch (state) {
    case v1::SESSION_STATE_OPENED:
      return "Opened";
    case v1::SESSION_STATE_DISCONNECTED:
      return "Disconnected";
    case v1::SESSION_STATE_BROKEN:
      return "Broken";
    case v1::SESSION_STATE_CLOSED:
      return "Closed";
    default:
      return "Unknown";
  }
}

absl::StatusOr<v1::SessionState> ParseState(absl::string_view name) {
  for (int i = v1::SESSION_STATE_OPENED; i <= v1::SESSION_STATE_CLOSED; ++i) {
    const auto state = static_cast<v1::SessionState>(i);
    if (absl::EqualsIgnoreCase(name, StateName(state))) return state;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--state '", EscapeForTerminal(name),
                   "': not a state; use Opened, Disconnected, Broken or "
                   "Closed"));
}

std::string AvailabilityName(v1::SessionAvailability availability) {
  switch (availability) {
    case v1::SESSION_AVAILABILITY_NONE:
      return "None";
    case v1::SESSION_AVAILABILITY_AVAILABLE:
      return "Available";
    case v1::SESSION_AVAILABILITY_BUSY:
      return "Busy";
    default:
      return "Unknown";
  }
}

std::string Describe(const v1::Activity& activity) {
  std::string text;
  switch (activity.kind()) {
    case v1::Activity::IDLE:
      return "idle";
    case v1::Activity::STARTING:
      return "starting";
    case v1::Activity::TERMINAL:
      text = absl::StrCat(activity.what(), " (terminal)");
      break;
    case v1::Activity::REPLACED:
      text = absl::StrCat(activity.what(), " (instead of the shell)");
      break;
    default:
      text = activity.what();
  }
  if (activity.queued() > 0) {
    absl::StrAppend(&text, " (+", activity.queued(), ")");
  }
  return text;
}

std::string ShellName(v1::ShellKind shell) {
  switch (shell) {
    case v1::SHELL_KIND_BASH:
      return "bash";
    case v1::SHELL_KIND_ZSH:
      return "zsh";
    case v1::SHELL_KIND_PYTHON:
      return "python";
    case v1::SHELL_KIND_RESTRICTED:
      return "restricted";
    default:
      return "";
  }
}

std::string BufferingName(v1::BufferingMode mode) {
  switch (mode) {
    case v1::BUFFERING_MODE_BLOCK:
      return "block";
    case v1::BUFFERING_MODE_DROP:
      return "drop";
    default:
      return "";
  }
}

std::string ByteSize(uint64_t bytes) {
  if (bytes < 1024) return absl::StrCat(bytes);
  double value = static_cast<double>(bytes);
  const char* unit = "";
  for (const char* next : {"KiB", "MiB", "GiB"}) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return absl::StrFormat("%.1f%s", value, unit);
}

std::string Expiry(const v1::Session& session, absl::Time now) {
  if (!session.has_expires_at()) return "";
  const absl::Duration left = FromProto(session.expires_at()) - now;
  const std::string text = ShortDuration(std::max(left, absl::ZeroDuration()));
  return left > kIdleWarning ? text : absl::StrCat("! ends in ", text);
}

std::string Outcome(const v1::CommandSummary& command) {
  const std::string code = absl::StrCat(command.exit_code());
  switch (command.how()) {
    case v1::CommandEnded::INTERRUPTED:
      return absl::StrCat("interrupted (", code, ")");
    case v1::CommandEnded::TIMED_OUT:
      return absl::StrCat("timed out (", code, ")");
    case v1::CommandEnded::NOT_STARTED:
      return "not started";
    case v1::CommandEnded::SHELL_ENDED:
      return "shell ended";
    case v1::CommandEnded::UNKNOWN:
      return "not known";
    default:
      return code;
  }
}

SessionListing::SessionListing(Format format, absl::Time now, bool with_owner)
    : format_(format),
      now_(now),
      with_owner_(with_owner),
      table_(Columns(format == Format::kWide)) {}

std::string SessionListing::Add(const std::vector<v1::Session>& sessions) {
  std::string out;
  for (const v1::Session& session : sessions) {
    switch (format_) {
      case Format::kJson:
        absl::StrAppend(&out, empty_ ? "[\n  " : ",\n  ", ToJson(session));
        break;
      case Format::kJsonl:
        absl::StrAppend(&out, ToJson(session), "\n");
        break;
      case Format::kName:
        absl::StrAppend(&out, EscapeForTerminal(session.name()), "\n");
        break;
      case Format::kTable:
      case Format::kWide:
        AddRow(session, format_ == Format::kWide, with_owner_, now_, table_);
        break;
    }
    empty_ = false;
  }
  // As there: no headings over nothing.
  return table_.empty() ? out : table_.Render();
}

std::string SessionListing::End() const {
  if (format_ != Format::kJson) return "";
  return empty_ ? "[]\n" : "\n]\n";
}

std::string RenderSessions(const std::vector<v1::Session>& sessions,
                           Format format, absl::Time now) {
  SessionListing listing(format, now);
  std::string out = listing.Add(sessions);
  return absl::StrCat(out, listing.End());
}

}  // namespace berth::cli
