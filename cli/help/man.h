#ifndef BERTH_CLI_HELP_MAN_H_
#define BERTH_CLI_HELP_MAN_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "cli/help/description.h"

namespace berth::cli {

// The manual page of one command, "berth-run(1)", as roff source.
std::string ManPage(const Description& command);

// The manual page of a topic, "berth-about-jobs(7)".
std::string ManPage(absl::string_view topic, absl::string_view title,
                    absl::string_view text);

// The page of berth itself: all commands and topics, with what they are.
std::string ManPage(
    const std::vector<std::pair<std::string, std::string>>& commands,
    const std::vector<std::pair<std::string, std::string>>& topics);

}  // namespace berth::cli

#endif  // BERTH_CLI_HELP_MAN_H_
