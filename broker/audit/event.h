#ifndef BERTH_BROKER_AUDIT_EVENT_H_
#define BERTH_BROKER_AUDIT_EVENT_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace berth::broker {

// What one line of the audit log says. Empty fields are not written. Values
// may be anything that a peer sent; they are cut to kMaxValueBytes and escaped
// when they are written.
struct AuditEvent {
  static constexpr size_t kMaxValueBytes = 512;

  // When it happened; not set: when it was handed over.
  absl::Time time = absl::InfinitePast();
  // What was done, or asked for: "run", "enter", "create", "enroll", ...
  std::string verb;
  // "allowed", "denied" (by a right or a limit) or "failed"; of what nobody
  // asks for, such as a session that ended, "done".
  std::string outcome;
  // The canonical code of what was denied or failed, and the text with it.
  std::string code;
  std::string reason;
  // Who: the name in the certificate and its purpose.
  std::string user;
  std::string purpose;
  // The client's id and the name it gives itself.
  std::string client;
  std::string client_name;
  // From where, as gRPC writes addresses: "ipv4:192.0.2.7:51234".
  std::string peer;
  // The certificate's SHA-256 and serial number, in hex.
  std::string certificate;
  std::string serial;
  // "/berth.v1.Sessions/Run".
  std::string rpc;
  // Which session: instance id, number, name, and whose it is.
  std::string session;
  std::string session_id;
  std::string session_name;
  std::string owner;
  std::string computer;
  std::string configuration;
  // Which command: its id, and the first line of its text.
  std::string command;
  std::string text;
  // Anything else, for people.
  std::string detail;
};

// A line of the log: an event and its place in the chain.
struct AuditLine {
  uint64_t seq = 0;
  AuditEvent event;
  // SHA-256 of the line before it, in hex; of the first line, zeros.
  std::string prev;
  // Of checkpoints alone: which key signed, and the signature in hex.
  std::string key;
  std::string signature;
};

// The verbs of the log's own lines.
inline constexpr absl::string_view kCheckpointVerb = "audit.checkpoint";
inline constexpr absl::string_view kGapVerb = "audit.gap";
inline constexpr absl::string_view kRecoveredVerb = "audit.recovered";
inline constexpr absl::string_view kRetiredVerb = "audit.retired";

// Where the signature begins in a checkpoint; what is before it is signed.
inline constexpr absl::string_view kSignatureMember = ",\"sig\":\"";

// Zeros, for the first line.
std::string NoHash();

// Sets outcome, code and reason: of OK "allowed", of what a right or a limit
// refused "denied", of everything else "failed".
void SetOutcome(const absl::Status& status, AuditEvent& event);

// A line without its newline; of one without a signature it is complete.
std::string FormatLine(const AuditLine& line);
// `line` (which has a key), signed.
std::string AddSignature(absl::string_view unsigned_line,
                         absl::string_view signature);

// The opposite. InvalidArgument: it is none. Fields of later versions are
// passed over.
absl::StatusOr<AuditLine> ParseLine(absl::string_view line);

}  // namespace berth::broker

#endif  // BERTH_BROKER_AUDIT_EVENT_H_
