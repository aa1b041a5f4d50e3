#include "agent/link/holder_requests.h"

#include <openssl/sha.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "agent/holder/text.h"
#include "agent/log/journal.h"
#include "agent/sessions/session_journal.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "base/uuid.h"
#include "spdlog/spdlog.h"

namespace berth::agent {
namespace {

constexpr size_t kMaxScriptBytes = 1 << 20;
// Together, so that a start fits into one packet to the holder.
constexpr size_t kMaxSecretBytes = 64 << 10;
constexpr size_t kWhatBytes = 200;

std::string Sha256(absl::string_view data) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(data.data()), data.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

// At least 1 for any time at all: 0 means that there is none.
uint64_t Milliseconds(const google::protobuf::Duration& duration) {
  const absl::Duration time = FromProto(duration);
  if (time <= absl::ZeroDuration()) return 0;
  return std::max<int64_t>(
      1, absl::ToInt64Milliseconds(std::min(time, absl::Hours(24 * 366))));
}

}  // namespace

absl::StatusOr<holder::v1::Request> MakeStartRequest(
    const v1::StartCommand& start) {
  if (!IsUuid(start.command_id())) {
    return absl::InvalidArgumentError(
        absl::StrCat("command id '", EscapeForTerminal(start.command_id()),
                     "' is not a UUID in lower case"));
  }
  if (start.script().size() > kMaxScriptBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a script of ", start.script().size(),
                     " bytes is too long: at most ", kMaxScriptBytes));
  }
  holder::v1::Request request;
  holder::v1::Start& to = *request.mutable_start();
  to.set_command_id(start.command_id());
  to.set_digest(Sha256(start.script()));
  to.set_what(holder::ValidText(start.script(), kWhatBytes));
  to.set_with_stdin(start.with_stdin());
  to.set_wait_ms(Milliseconds(start.wait()));
  to.set_timeout_ms(Milliseconds(start.timeout()));
  to.set_exit_ends_session(start.exit_ends_session());
  size_t secret_bytes = 0;
  for (const auto& [name, bytes] : start.secrets()) {
    secret_bytes += name.size() + bytes.size();
  }
  if (secret_bytes > kMaxSecretBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the command's secrets have ", secret_bytes,
                     " bytes with their names: at most ", kMaxSecretBytes));
  }
  *to.mutable_secrets() = start.secrets();
  return request;
}

absl::Status CheckSameDigest(uint64_t number, const JournalCommand& command,
                             absl::string_view digest) {
  if (command.digest == digest) return absl::OkStatus();
  return absl::AlreadyExistsError(
      absl::StrCat("command ", number, " has the id ", command.command_id,
                   " and another text; use a new id"));
}

absl::Status CheckSameText(uint64_t number, const JournalCommand& command,
                           absl::string_view script) {
  return CheckSameDigest(number, command, Sha256(script));
}

absl::StatusOr<uint64_t> FindCommand(const std::string& directory,
                                     absl::string_view command_id) {
  BERTH_ASSIGN_OR_RETURN(const SessionJournal journal,
                         ReadSessionJournal(directory));
  const uint64_t number = journal.Find(command_id);
  if (number == 0) {
    return absl::NotFoundError(absl::StrCat(
        "no command ", EscapeForTerminal(command_id), " in this session"));
  }
  return number;
}

void AcknowledgeEnded(const ManagedSession& session,
                      const holder::v1::Ack& ack) {
  absl::StatusOr<Journal> journal =
      Journal::Open(absl::StrCat(session.directory(), "/journal"));
  absl::Status status = journal.status();
  if (journal.ok()) {
    holder::v1::JournalRecord record;
    *record.mutable_acked() = ack;
    status = journal->Append(record);
  }
  // It will be delivered once more, which is no harm.
  if (!status.ok()) {
    SPDLOG_WARN("session {}: {}", session.instance_id(), status.ToString());
  }
}

}  // namespace berth::agent
