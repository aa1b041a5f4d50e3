#include "cli/help/man.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/version.h"

namespace berth::cli {
namespace {

// Text that means nothing but itself to roff.
std::string Escape(absl::string_view text) {
  std::string escaped = absl::StrReplaceAll(text, {{"\\", "\\e"},
                                                   {"-", "\\-"},
                                                   {"~", "\\(ti"},
                                                   {"^", "\\(ha"},
                                                   {"'", "\\(aq"},
                                                   {"`", "\\(ga"}});
  if (absl::StartsWith(escaped, ".")) escaped.insert(0, "\\&");
  return escaped;
}

std::string Bold(absl::string_view text) {
  return absl::StrCat("\\fB", Escape(text), "\\fR");
}
std::string Italic(absl::string_view text) {
  return absl::StrCat("\\fI", Escape(text), "\\fR");
}

std::string Head(absl::string_view page, absl::string_view section,
                 absl::string_view what) {
  return absl::StrCat(".TH ", Escape(absl::AsciiStrToUpper(page)), " ", section,
                      " \"\" \"berth ", Escape(kVersion), "\" \"Berth\"\n",
                      ".SH NAME\n", Escape(page), " \\- ", Escape(what), "\n");
}

// Text whose lines are kept as they are.
std::string Lines(absl::string_view text) {
  std::string out = ".nf\n";
  for (absl::string_view line :
       absl::StrSplit(absl::StripTrailingAsciiWhitespace(text), '\n')) {
    // An empty line is an empty line only where nothing is filled.
    absl::StrAppend(&out, line.empty() ? "\\&" : Escape(line), "\n");
  }
  return out + ".fi\n";
}

// Paragraphs are filled, but what is indented keeps its lines.
std::string Paragraphs(absl::string_view text) {
  std::string out;
  for (absl::string_view paragraph : absl::StrSplit(text, "\n\n")) {
    paragraph = absl::StripSuffix(paragraph, "\n");
    if (paragraph.empty()) continue;
    absl::StrAppend(&out, ".PP\n");
    if (absl::StrContains(absl::StrCat("\n", paragraph), "\n  ")) {
      absl::StrAppend(&out, Lines(paragraph));
      continue;
    }
    for (absl::string_view line : absl::StrSplit(paragraph, '\n')) {
      absl::StrAppend(&out, Escape(line), "\n");
    }
  }
  return out;
}

std::string Synopsis(const Description& command) {
  std::string out = absl::StrCat(Bold(command.name));
  if (!command.options.empty()) absl::StrAppend(&out, " [OPTIONS]");
  for (const OptionDescription& positional : command.positionals) {
    absl::StrAppend(&out, " [", Italic(positional.positional), "...]");
  }
  if (!command.subcommands.empty()) {
    absl::StrAppend(&out, " ", Italic("COMMAND"));
  }
  return out + "\n";
}

std::string Options(const Description& command) {
  std::string out;
  for (const OptionDescription& option : command.positionals) {
    absl::StrAppend(&out, ".TP\n", Italic(option.positional), "\n",
                    Escape(option.help), "\n");
  }
  for (const OptionDescription& option : command.options) {
    absl::StrAppend(
        &out, ".TP\n",
        absl::StrJoin(option.names, ", ",
                      [](std::string* text, const std::string& name) {
                        absl::StrAppend(text, Bold(name));
                      }),
        option.value.empty() ? "" : " ",
        option.value.empty() ? "" : Italic(option.value), "\n",
        Escape(option.help), "\n");
  }
  return out;
}

std::string Subcommands(const Description& command) {
  std::string out;
  for (const auto& [name, sub] : command.subcommands) {
    absl::StrAppend(&out, ".SS ", Escape(sub.name), "\n", Escape(sub.summary),
                    "\n.PP\n", Synopsis(sub), Options(sub), Subcommands(sub));
  }
  return out;
}

std::string Listed(
    const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string out;
  for (const auto& [name, what] : entries) {
    absl::StrAppend(&out, ".TP\n", Bold(name), "\n", Escape(what), "\n");
  }
  return out;
}

}  // namespace

std::string ManPage(const Description& command) {
  const std::string page = absl::StrReplaceAll(command.name, {{" ", "-"}});
  std::string what(absl::StripSuffix(command.summary, "."));
  if (!what.empty()) what[0] = absl::ascii_tolower(what[0]);
  std::string out =
      absl::StrCat(Head(page, "1", what), ".SH SYNOPSIS\n", Synopsis(command));
  if (!command.text.empty()) {
    absl::StrAppend(&out, ".SH DESCRIPTION\n", Paragraphs(command.text));
  }
  absl::StrAppend(&out, ".SH OPTIONS\n", Options(command));
  if (!command.subcommands.empty()) {
    absl::StrAppend(&out, ".SH COMMANDS\n", Subcommands(command));
  }
  if (!command.examples.empty()) {
    absl::StrAppend(&out, ".SH EXAMPLES\n", Lines(command.examples));
  }
  return absl::StrCat(out, ".SH SEE ALSO\n.BR berth (1)\n");
}

std::string ManPage(absl::string_view topic, absl::string_view title,
                    absl::string_view text) {
  std::string what(title);
  if (!what.empty()) what[0] = absl::ascii_tolower(what[0]);
  return absl::StrCat(Head(absl::StrCat("berth-", topic), "7", what),
                      ".SH DESCRIPTION\n", Paragraphs(text),
                      ".SH SEE ALSO\n.BR berth (1)\n");
}

std::string ManPage(
    const std::vector<std::pair<std::string, std::string>>& commands,
    const std::vector<std::pair<std::string, std::string>>& topics) {
  return absl::StrCat(
      Head("berth", "1", "shell sessions that outlive their connections"),
      ".SH SYNOPSIS\n", Bold("berth"), " [", Bold("--no-keeper"), "] [",
      Bold("--version"), "] ", Italic("COMMAND"), " [OPTIONS]\n",
      ".SH COMMANDS\nEach has a page of its own, such as berth\\-run(1).\n",
      Listed(commands), ".SH TOPICS\nRead with ", Bold("berth help"), " ",
      Italic("TOPIC"), ".\n", Listed(topics));
}

}  // namespace berth::cli
