#include "broker/audit_setup.h"

#include <poll.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/escape.h"
#include "base/files.h"
#include "base/status_macros.h"
#include "broker/audit/verify.h"

namespace berth::broker {
namespace {

// A pipe that can be written takes this much without blocking.
constexpr size_t kPipeBytes = 4096;

std::string Join(const std::string& directory, absl::string_view file) {
  return absl::StrCat(directory, "/", file);
}

// Whoever reads our output may be slow, and the log must not wait for that:
// what can't be written at once is left out, from there to a line's end.
void CopyToStdout(absl::string_view lines) {
  while (!lines.empty()) {
    pollfd fd = {STDOUT_FILENO, POLLOUT, 0};
    if (poll(&fd, 1, 0) != 1 || (fd.revents & POLLOUT) == 0) return;
    const size_t end = lines.find('\n') + 1;
    const absl::string_view line = lines.substr(0, end);
    if (line.size() <= kPipeBytes) WriteAll(STDOUT_FILENO, line).IgnoreError();
    lines.remove_prefix(end);
  }
}

void CopyToSyslog(absl::string_view lines) {
  for (const absl::string_view line :
       absl::StrSplit(lines, '\n', absl::SkipEmpty())) {
    syslog(LOG_AUTHPRIV | LOG_INFO, "%.*s", static_cast<int>(line.size()),
           line.data());
  }
}

absl::StatusOr<AuditKey> MakeKey(const std::string& directory) {
  BERTH_ASSIGN_OR_RETURN(const std::string pem, AuditKey::NewPem());
  BERTH_ASSIGN_OR_RETURN(AuditKey key, AuditKey::Parse(pem));
  // Of keys that were lost, what they signed can still be verified.
  const std::string public_path = Join(directory, kAuditPublicFile);
  absl::StatusOr<std::string> old = ReadFile(public_path);
  if (!old.ok() && !absl::IsNotFound(old.status())) return old.status();
  BERTH_RETURN_IF_ERROR(WriteFileAtomically(
      public_path, absl::StrCat(old.ok() ? *old : "", key.public_pem()), 0644));
  BERTH_RETURN_IF_ERROR(
      WriteFileAtomically(Join(directory, kAuditKeyFile), pem));
  return key;
}

// The audit directory and the public keys for it: of a broker's directory, or
// of a copy of the audit directory alone.
std::string LogDirectory(const std::string& directory) {
  struct stat info = {};
  const std::string inside = Join(directory, kAuditDirectory);
  return stat(inside.c_str(), &info) == 0 ? inside : directory;
}

void Print(const AuditReport& report) {
  printf("%s: %llu lines, %llu to %llu\n",
         report.intact() ? "intact" : "CHANGED",
         static_cast<unsigned long long>(report.lines),
         static_cast<unsigned long long>(report.first_seq),
         static_cast<unsigned long long>(report.last_seq));
  if (report.signed_through > 0) {
    printf("signed through line %llu (%s)\n",
           static_cast<unsigned long long>(report.signed_through),
           absl::FormatTime(absl::RFC3339_sec, report.signed_at,
                            absl::UTCTimeZone())
               .c_str());
  }
  for (const std::string& note : report.notes) {
    printf("note: %s\n", EscapeForTerminal(note).c_str());
  }
}

}  // namespace

absl::StatusOr<AuditKey> LoadOrMakeAuditKey(const std::string& directory) {
  const std::string path = Join(directory, kAuditKeyFile);
  absl::StatusOr<std::string> pem = ReadFile(path);
  if (absl::IsNotFound(pem.status())) return MakeKey(directory);
  BERTH_RETURN_IF_ERROR(pem.status());
  absl::StatusOr<AuditKey> key = AuditKey::Parse(*pem);
  if (key.ok()) return key;
  return absl::InvalidArgumentError(absl::StrCat(
      path, ": ", key.status().message(),
      "; put the right one back, or move it away and a new one is made"));
}

absl::StatusOr<std::unique_ptr<AuditLog>> OpenAuditLog(
    const std::string& directory, const AuditConfig& config) {
  BERTH_ASSIGN_OR_RETURN(AuditKey key, LoadOrMakeAuditKey(directory));
  AuditLog::Options options;
  options.mode = config.mode;
  options.command_text = config.command_text;
  if (config.also == AuditConfig::Also::kStdout) options.copy = CopyToStdout;
  if (config.also == AuditConfig::Also::kSyslog) {
    openlog("berth-audit", LOG_PID | LOG_NDELAY, LOG_AUTHPRIV);
    options.copy = CopyToSyslog;
  }
  AuditLogFile::Options file;
  file.directory = Join(directory, kAuditDirectory);
  file.segment_bytes = config.segment_bytes;
  file.retention = config.retention;
  return std::make_unique<AuditLog>(options, file, std::move(key));
}

absl::Status VerifyOffline(const std::string& directory,
                           const std::string& public_key) {
  const std::string path =
      public_key.empty() ? Join(directory, kAuditPublicFile) : public_key;
  absl::StatusOr<std::string> pem = ReadFile(path);
  if (absl::IsNotFound(pem.status())) {
    return absl::NotFoundError(
        absl::StrCat("no public key ", path,
                     "; name the log's with --key (a broker has it "
                     "in ",
                     kAuditPublicFile, ")"));
  }
  BERTH_RETURN_IF_ERROR(pem.status());
  absl::StatusOr<AuditPublicKeys> keys = AuditPublicKeys::Parse(*pem);
  if (!keys.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", keys.status().message()));
  }
  BERTH_ASSIGN_OR_RETURN(const AuditReport report,
                         VerifyAuditLog(LogDirectory(directory), *keys, {}));
  Print(report);
  if (report.intact()) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("the audit log was changed: ", report.finding));
}

}  // namespace berth::broker
