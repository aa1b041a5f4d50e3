// `berth play` and `berth export`.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/files.h"
#include "base/proto_time.h"
#include "base/unique_fd.h"
#include "cli/commands/parser.h"
#include "cli/commands/recordings.h"
#include "cli/recordings/asciicast.h"
#include "cli/recordings/player.h"
#include "cli/recordings/recordings.h"
#include "cli/recordings/rendering.h"
#include "cli/recordings/terminal_filter.h"
#include "cli/run/exit_status.h"

namespace berth::cli {
namespace {

constexpr char kPlayExamples[] =
    "Examples:\n"
    "  berth play 3\n"
    "  berth play deploy --speed 4 --max-idle 2s\n"
    "  berth play deploy --at 10:31\n"
    "  berth play deploy --owner alice | less\n";
constexpr char kEvenIfChanged[] = "--even-if-changed";
constexpr char kEvenIfChangedHelp[] =
    "show what is left of a recording that was changed; it is only said then";
constexpr char kExportExamples[] =
    "Examples:\n"
    "  berth export --asciicast demo.cast deploy\n"
    "  berth export --text - 3 | grep ERROR\n";

// Prints a recording as text, without waiting.
int PrintText(Invocation& invocation, Connection& connection,
              const v1::Recording& recording, RecordingReading reading,
              Output& out) {
  RecordingRendering rendering;
  TerminalFilter filter(TerminalFilter::Keep::kText);
  absl::Status written;
  const absl::Status read =
      ReadRecording(invocation, connection, recording.info().instance_id(),
                    reading, [&](const v1::RecordingEntry& entry) {
                      written = out.Write(filter.Take(rendering.Render(entry)));
                      return written.ok();
                    });
  if (absl::IsAborted(written)) return kPipeExit;
  if (!written.ok()) return invocation.Fail(written);
  return EndReading(invocation, reading, read);
}

int PrintAsciicast(Invocation& invocation, Connection& connection,
                   const v1::Recording& recording, RecordingReading reading,
                   Output& out) {
  Asciicast cast(recording);
  absl::Status written;
  const absl::Status read =
      ReadRecording(invocation, connection, recording.info().instance_id(),
                    reading, [&](const v1::RecordingEntry& entry) {
                      written = out.Write(cast.Add(entry));
                      return written.ok();
                    });
  if (written.ok() && read.ok()) written = out.Write(cast.End());
  if (absl::IsAborted(written)) return kPipeExit;
  if (!written.ok()) return invocation.Fail(written);
  return EndReading(invocation, reading, read);
}

}  // namespace

int RunPlay(Invocation& invocation, std::vector<std::string> words) {
  std::string session, owner, at;
  Player::Options options;
  std::optional<absl::Duration> max_idle;
  Parser parser("play",
                "Plays a session's recording as it was. Space waits, the "
                "arrows go 10 s back and forth, + and - play twice and half "
                "as fast, q leaves. Into a pipe or file it is text, at once.",
                kPlayExamples);
  parser.app()
      .add_option("session", session,
                  "the session's number, name or instance id")
      ->required()
      ->type_name("SESSION");
  parser.app()
      .add_option("--owner", owner, "a session of this user")
      ->type_name("USER");
  parser.app()
      .add_option("--speed", options.speed, "so many times as fast")
      ->check(CLI::Range(0.01, 1000.0));
  parser.app()
      .add_option("--at", at,
                  "from there: 10:31 by the clock, or 90s after its beginning")
      ->type_name("PLACE");
  parser.app().add_flag(kEvenIfChanged, options.even_if_changed,
                        kEvenIfChangedHelp);
  parser.AddTime("--max-idle", max_idle, "no pause is longer than this");
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  const auto connection = parser.Connect(invocation);
  if (!connection.ok()) return invocation.Fail(connection.status());
  auto found = FindRecording(invocation, **connection, owner, session);
  if (!found.ok()) return invocation.Fail(found.status());
  if (!at.empty()) {
    const auto place =
        ParsePlace(at, FromProto(found->from()), absl::LocalTimeZone());
    if (!place.ok()) return invocation.Fail(place.status(), kUsageExit);
    options.from = *place;
  }
  if (max_idle.has_value()) options.max_idle = *max_idle;
  if (!invocation.out().IsTerminal()) {
    return PrintText(invocation, **connection, *found,
                     {options.even_if_changed}, invocation.out());
  }
  return Player(invocation, **connection, *std::move(found), options).Play();
}

int RunExport(Invocation& invocation, std::vector<std::string> words) {
  std::string session, owner, asciicast, text;
  Parser parser("export", "Writes a session's recording to a file.",
                kExportExamples);
  parser.app()
      .add_option("session", session,
                  "the session's number, name or instance id")
      ->required()
      ->type_name("SESSION");
  parser.app()
      .add_option("--owner", owner, "a session of this user")
      ->type_name("USER");
  auto* cast = parser.app()
                   .add_option("--asciicast", asciicast,
                               "as asciicast version 2, for asciinema; - is "
                               "standard output")
                   ->type_name("FILE");
  auto* plain = parser.app()
                    .add_option("--text", text,
                                "as text, without what draws; - is standard "
                                "output")
                    ->type_name("FILE");
  RecordingReading reading;
  parser.app().add_flag(kEvenIfChanged, reading.even_if_changed,
                        kEvenIfChangedHelp);
  cast->excludes(plain);
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  const std::string& file = asciicast.empty() ? text : asciicast;
  if (file.empty()) {
    invocation.Say("say as what: --asciicast FILE or --text FILE");
    return kUsageExit;
  }
  const auto connection = parser.Connect(invocation);
  if (!connection.ok()) return invocation.Fail(connection.status());
  const auto found = FindRecording(invocation, **connection, owner, session);
  if (!found.ok()) return invocation.Fail(found.status());
  const auto print = [&](Output& out) {
    return asciicast.empty()
               ? PrintText(invocation, **connection, *found, reading, out)
               : PrintAsciicast(invocation, **connection, *found, reading, out);
  };
  if (file == "-") return print(invocation.out());
  const std::string path = invocation.AbsolutePath(file);
  // It may show more than others may see.
  const UniqueFd fd(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd.valid()) return invocation.Fail(ErrnoToStatus(errno, path));
  Output out(fd.get(), invocation.signals());
  return print(out);
}

}  // namespace berth::cli
