#include "broker/audit/event.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "broker/audit/json.h"

namespace berth::broker {
namespace {

struct Field {
  absl::string_view name;
  std::string AuditEvent::*value;
};

// In the order in which they are written.
constexpr Field kFields[] = {
    {"verb", &AuditEvent::verb},
    {"outcome", &AuditEvent::outcome},
    {"code", &AuditEvent::code},
    {"reason", &AuditEvent::reason},
    {"user", &AuditEvent::user},
    {"purpose", &AuditEvent::purpose},
    {"client", &AuditEvent::client},
    {"client_name", &AuditEvent::client_name},
    {"peer", &AuditEvent::peer},
    {"certificate", &AuditEvent::certificate},
    {"serial", &AuditEvent::serial},
    {"rpc", &AuditEvent::rpc},
    {"session", &AuditEvent::session},
    {"session_id", &AuditEvent::session_id},
    {"session_name", &AuditEvent::session_name},
    {"owner", &AuditEvent::owner},
    {"computer", &AuditEvent::computer},
    {"configuration", &AuditEvent::configuration},
    {"command", &AuditEvent::command},
    {"text", &AuditEvent::text},
    {"detail", &AuditEvent::detail},
};

constexpr absl::string_view kTimeFormat = "%Y-%m-%dT%H:%M:%E6SZ";

void SetMember(const std::string& name, std::string value, AuditLine& line) {
  if (name == "prev") line.prev = std::move(value);
  if (name == "key") line.key = std::move(value);
  if (name == "sig") line.signature = std::move(value);
  for (const Field& field : kFields) {
    if (field.name == name) line.event.*field.value = std::move(value);
  }
}

}  // namespace

std::string NoHash() { return std::string(64, '0'); }

void SetOutcome(const absl::Status& status, AuditEvent& event) {
  if (status.ok()) {
    event.outcome = "allowed";
    return;
  }
  const bool denied = absl::IsPermissionDenied(status) ||
                      absl::IsUnauthenticated(status) ||
                      absl::IsResourceExhausted(status);
  event.outcome = denied ? "denied" : "failed";
  event.code = absl::StatusCodeToString(status.code());
  event.reason = std::string(status.message());
}

std::string FormatLine(const AuditLine& line) {
  const AuditEvent& event = line.event;
  std::string out = absl::StrCat(
      "{\"seq\":", line.seq, ",\"time\":\"",
      absl::FormatTime(kTimeFormat, event.time, absl::UTCTimeZone()), "\"");
  for (const Field& field : kFields) {
    const std::string& value = event.*field.value;
    if (value.empty()) continue;
    absl::StrAppend(&out, ",\"", field.name, "\":",
                    QuoteJson(absl::string_view(value).substr(
                        0, AuditEvent::kMaxValueBytes)));
  }
  absl::StrAppend(&out, ",\"prev\":\"", line.prev, "\"");
  if (line.key.empty()) return absl::StrCat(out, "}");
  return absl::StrCat(out, ",\"key\":", QuoteJson(line.key));
}

std::string AddSignature(absl::string_view unsigned_line,
                         absl::string_view signature) {
  return absl::StrCat(unsigned_line, kSignatureMember, signature, "\"}");
}

absl::StatusOr<AuditLine> ParseLine(absl::string_view text) {
  auto members = ParseFlatJson(text);
  if (!members.ok()) return members.status();
  AuditLine line;
  bool has_seq = false;
  for (auto& [name, value] : *members) {
    if (name == "seq") {
      has_seq = absl::SimpleAtoi(value, &line.seq);
    } else if (name == "time") {
      absl::ParseTime(kTimeFormat, value, absl::UTCTimeZone(), &line.event.time,
                      nullptr);
    } else {
      SetMember(name, std::move(value), line);
    }
  }
  if (!has_seq || line.seq == 0 || line.prev.size() != 64) {
    return absl::InvalidArgumentError("no line of an audit log");
  }
  return line;
}

}  // namespace berth::broker
