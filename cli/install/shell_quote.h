#ifndef BERTH_CLI_INSTALL_SHELL_QUOTE_H_
#define BERTH_CLI_INSTALL_SHELL_QUOTE_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace berth::cli {

// As one word of a POSIX shell's command line.
inline std::string ShellQuote(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

}  // namespace berth::cli

#endif  // BERTH_CLI_INSTALL_SHELL_QUOTE_H_
