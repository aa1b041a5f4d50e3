#include "cli/commands/recordings.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "base/uuid.h"
#include "cli/client/call.h"
#include "cli/commands/parser.h"
#include "cli/recordings/recordings.h"
#include "cli/render/table.h"

namespace berth::cli {
namespace {

// A whole recording is read.
constexpr absl::Duration kArchiveTimeout = absl::Minutes(10);

constexpr char kExamples[] =
    "Examples:\n"
    "  berth recordings ls\n"
    "  berth recordings ls --owner alice\n"
    "  berth recordings verify 3\n"
    "  berth recordings redact deploy --from '2026-03-01 10:31:00'\n"
    "      --until '2026-03-01 10:32:00' --reason 'a password was shown'\n";

// One command line of `berth recordings`.
struct Words {
  CLI::App* ls = nullptr;
  CLI::App* verify = nullptr;
  CLI::App* redact = nullptr;
  std::string session, owner, from, until, reason;
};

void AddSession(CLI::App& app, Words& words) {
  app.add_option("session", words.session,
                 "the session's number, name or instance id")
      ->required()
      ->type_name("SESSION");
  app.add_option("--owner", words.owner, "a session of this user")
      ->type_name("USER");
}

void AddWords(CLI::App& app, Words& words) {
  app.require_subcommand(1);
  words.ls = app.add_subcommand("ls", "Lists recordings that you may read");
  words.ls
      ->add_option("session", words.session,
                   "only of the session with this number, name or instance id")
      ->type_name("SESSION");
  words.ls->add_option("--owner", words.owner, "only of this user's sessions")
      ->type_name("USER");
  words.verify = app.add_subcommand(
      "verify", "Finds out whether a recording is as it was made");
  AddSession(*words.verify, words);
  words.redact = app.add_subcommand(
      "redact",
      "For administrators: takes a time out of a recording, for good");
  AddSession(*words.redact, words);
  const std::string time = "'2026-03-01 10:31:00', in this computer's zone";
  words.redact->add_option("--from", words.from, time)
      ->required()
      ->type_name("TIME");
  words.redact->add_option("--until", words.until, "the same; not included")
      ->required()
      ->type_name("TIME");
  words.redact->add_option("--reason", words.reason, "stays in the recording")
      ->required()
      ->type_name("TEXT");
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", FromProto(time),
                          absl::LocalTimeZone());
}

std::string StateText(const v1::Recording& recording) {
  if (!recording.damage().empty()) return "damaged";
  std::string text = recording.ended() ? "complete" : "goes on";
  if (recording.missing() > 0) {
    absl::StrAppend(&text, ", ", recording.missing(), " missing");
  }
  if (recording.redacted() > 0) {
    absl::StrAppend(&text, ", ", recording.redacted(), " redacted");
  }
  return text;
}

int List(Invocation& invocation, Connection& connection, const Words& words) {
  const auto found =
      ListRecordings(invocation, connection, words.owner, words.session);
  if (!found.ok()) return invocation.Fail(found.status());
  Table table({{"Id", 3, true},
               {"Name", 10},
               {"Owner", 10},
               {"Computer", 10},
               {"From", 19},
               {"Until", 19},
               {"KiB", 7, true},
               {"State", 8},
               {"Instance"}});
  for (const v1::Recording& recording : found->recordings()) {
    const v1::RecordingInfo& info = recording.info();
    table.AddRow({absl::StrCat(info.id()), info.name(), info.owner(),
                  info.computer(), TimeText(recording.from()),
                  TimeText(recording.until()),
                  absl::StrCat((recording.bytes() + 1023) / 1024),
                  StateText(recording), info.instance_id()});
  }
  if (found->more()) {
    invocation.Say("there are more: say --owner, or which session");
  }
  return invocation.Print(table.Render());
}

int Verify(Invocation& invocation, Connection& connection,
           const v1::Recording& recording) {
  auto stub = v1::Recordings::NewStub(connection.channel().shared_from_this());
  v1::VerifyRecordingRequest request;
  request.set_instance_id(recording.info().instance_id());
  v1::VerifyRecordingResponse report;
  const absl::Status status = Call(connection, invocation.signals(), *stub,
                                   &v1::Recordings::Stub::VerifyRecording,
                                   request, report, kArchiveTimeout);
  if (!status.ok()) return invocation.Fail(status);
  if (!report.finding().empty()) {
    return invocation.Fail(
        absl::DataLossError(
            absl::StrCat("the recording was changed: ", report.finding())),
        kChangedExit);
  }
  std::string text =
      absl::StrCat("intact: ", report.segments(), " segments, the last is ",
                   report.head_sha256(), "\n");
  for (const std::string& note : report.notes()) {
    absl::StrAppend(&text, "note: ", EscapeForTerminal(note), "\n");
  }
  return invocation.Print(text);
}

absl::StatusOr<absl::Time> ParseLocal(const std::string& text) {
  absl::Time time;
  std::string error;
  for (const char* format : {"%Y-%m-%d %H:%M:%E*S", "%Y-%m-%d %H:%M"}) {
    if (absl::ParseTime(format, text, absl::LocalTimeZone(), &time, &error)) {
      return time;
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", text, "' is no time; write it as 2026-03-01 10:31:00"));
}

int Redact(Invocation& invocation, Connection& connection, const Words& words,
           const v1::Recording& recording) {
  const auto from = ParseLocal(words.from);
  if (!from.ok()) return invocation.Fail(from.status(), kUsageExit);
  const auto until = ParseLocal(words.until);
  if (!until.ok()) return invocation.Fail(until.status(), kUsageExit);
  auto stub = v1::Recordings::NewStub(connection.channel().shared_from_this());
  v1::RedactRecordingRequest request;
  request.set_instance_id(recording.info().instance_id());
  *request.mutable_from() = ToProto(*from);
  *request.mutable_until() = ToProto(*until);
  request.set_reason(words.reason);
  v1::RedactRecordingResponse response;
  const absl::Status status = Call(connection, invocation.signals(), *stub,
                                   &v1::Recordings::Stub::RedactRecording,
                                   request, response, kArchiveTimeout);
  if (!status.ok()) return invocation.Fail(status);
  return invocation.Print(
      absl::StrCat(response.entries(), " entries taken out\n"));
}

}  // namespace

int RunRecordings(Invocation& invocation, std::vector<std::string> args) {
  Words words;
  Parser parser("recordings", "Recordings of sessions in the broker's archive.",
                kExamples);
  AddWords(parser.app(), words);
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(args))) {
    return *exit;
  }
  const auto connection = parser.Connect(invocation);
  if (!connection.ok()) return invocation.Fail(connection.status());
  if (words.ls->parsed()) return List(invocation, **connection, words);
  auto found =
      FindRecording(invocation, **connection, words.owner, words.session);
  // Of one that was removed from the archive the audit log may know.
  if (absl::IsNotFound(found.status()) && words.verify->parsed() &&
      IsUuid(words.session)) {
    found.emplace().mutable_info()->set_instance_id(words.session);
  }
  if (!found.ok()) return invocation.Fail(found.status());
  return words.verify->parsed()
             ? Verify(invocation, **connection, *found)
             : Redact(invocation, **connection, words, *found);
}

}  // namespace berth::cli
