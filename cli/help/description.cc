#include "cli/help/description.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace berth::cli {
namespace {

constexpr char kExamplesMark[] = "Examples:\n";

OptionDescription DescribeOption(const CLI::Option& option) {
  OptionDescription description;
  for (const std::string& name : option.get_snames()) {
    description.names.push_back("-" + name);
  }
  for (const std::string& name : option.get_lnames()) {
    description.names.push_back("--" + name);
  }
  if (option.get_positional()) {
    description.positional = option.get_name(/*positional=*/true);
  }
  if (option.get_type_size() != 0) description.value = option.get_type_name();
  description.help = option.get_description();
  return description;
}

Description DescribeNamed(const CLI::App& app, std::string name) {
  Description description;
  description.name = std::move(name);
  description.summary = app.get_description();
  const std::string footer = app.get_footer();
  const size_t mark = footer.find(kExamplesMark);
  description.text = std::string(
      absl::StripAsciiWhitespace(absl::string_view(footer).substr(0, mark)));
  if (mark != std::string::npos) {
    description.examples = footer.substr(mark + strlen(kExamplesMark));
  }
  for (const CLI::Option* option : app.get_options()) {
    OptionDescription one = DescribeOption(*option);
    if (one.positional.empty()) {
      description.options.push_back(std::move(one));
    } else {
      description.positionals.push_back(std::move(one));
    }
  }
  for (const CLI::App* sub :
       app.get_subcommands([](const CLI::App*) { return true; })) {
    description.subcommands.push_back(
        {sub->get_name(),
         DescribeNamed(*sub,
                       absl::StrCat(description.name, " ", sub->get_name()))});
  }
  return description;
}

}  // namespace

const OptionDescription* Description::Find(const std::string& name) const {
  for (const OptionDescription& option : options) {
    if (std::find(option.names.begin(), option.names.end(), name) !=
        option.names.end()) {
      return &option;
    }
  }
  return nullptr;
}

Description Describe(const CLI::App& app) {
  return DescribeNamed(app, app.get_name());
}

}  // namespace berth::cli
