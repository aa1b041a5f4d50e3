#ifndef BERTH_CLI_HELP_TOPICS_H_
#define BERTH_CLI_HELP_TOPICS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace berth::cli {

// A text that explains something, from cli/help/topics/.
struct Topic {
  absl::string_view name;   // "about-sessions".
  absl::string_view title;  // Its first line.
  absl::string_view text;   // What follows.
};

// In the order of their names.
const std::vector<Topic>& AllTopics();

// The topic `name`, with or without "about-"; null if there is none.
const Topic* FindTopic(absl::string_view name);

}  // namespace berth::cli

#endif  // BERTH_CLI_HELP_TOPICS_H_
