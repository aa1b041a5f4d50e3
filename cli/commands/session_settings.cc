#include "cli/commands/session_settings.h"

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "cli/render/duration.h"

namespace berth::cli {

void SessionSettings::AddTo(Parser& parser) {
  parser.app()
      .add_option_function<std::string>(
          "--idle-timeout",
          [this](const std::string& text) {
            idle_timeout.reset();
            never_idles = text == "never";
            if (never_idles) return;
            const absl::StatusOr<absl::Duration> time = ReadDuration(text);
            if (!time.ok()) {
              throw CLI::ValidationError("--idle-timeout",
                                         std::string(time.status().message()));
            }
            idle_timeout = *time;
          },
          "ends it after this time with nobody connected; \"never\" where its "
          "configuration allows that")
      ->type_name("TIME");
  parser.app()
      .add_option_function<std::string>(
          "--buffering",
          [this](const std::string& text) {
            if (text == "block") {
              buffering = v1::BUFFERING_MODE_BLOCK;
            } else if (text == "drop") {
              buffering = v1::BUFFERING_MODE_DROP;
            } else {
              throw CLI::ValidationError(
                  "--buffering", absl::StrCat("'", EscapeForTerminal(text),
                                              "': use block or drop"));
            }
          },
          "when its log is full of output that nobody received: block the "
          "command, or drop the oldest")
      ->type_name("MODE");
}

}  // namespace berth::cli
