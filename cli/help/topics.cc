#include "cli/help/topics.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace berth::cli {

// Made from the files in topics/ when this is built: name and text.
struct EmbeddedTopic {
  const char* name;
  const char* text;
};
extern const EmbeddedTopic kEmbeddedTopics[];

const std::vector<Topic>& AllTopics() {
  static const auto* const topics = [] {
    auto* all = new std::vector<Topic>;
    for (const EmbeddedTopic* topic = kEmbeddedTopics; topic->name != nullptr;
         ++topic) {
      const absl::string_view text = absl::StripAsciiWhitespace(topic->text);
      const size_t end = text.find('\n');
      all->push_back(
          {topic->name, text.substr(0, end),
           end == absl::string_view::npos
               ? ""
               : absl::StripLeadingAsciiWhitespace(text.substr(end))});
    }
    return all;
  }();
  return *topics;
}

const Topic* FindTopic(absl::string_view name) {
  for (const Topic& topic : AllTopics()) {
    if (topic.name == name || absl::StripPrefix(topic.name, "about-") == name) {
      return &topic;
    }
  }
  return nullptr;
}

}  // namespace berth::cli
