#ifndef BERTH_BASE_ESCAPE_H_
#define BERTH_BASE_ESCAPE_H_

#include <stdint.h>

#include <string>

#include "absl/strings/string_view.h"

namespace berth {

// Whether a character could act on a terminal or make a line look like another:
// controls (C0, DEL, C1), the ends of lines and paragraphs, what turns the
// direction of text, and what joins, breaks or marks it without being seen.
// The joiners that scripts and emoji need (U+200C, U+200D) are none.
bool ActsOnTerminal(uint32_t code_point);

// `text` with everything that could act on a terminal made visible: characters
// that ActsOnTerminal(), and bytes that are not valid UTF-8, become "\xNN",
// byte by byte; newline and tab become "\n" and "\t". Escaping twice is
// escaping once. For whatever a remote machine said that is shown in a table, a
// message or a log.
std::string EscapeForTerminal(absl::string_view text);

// The same for JSON, of one line, that is itself what is asked for: characters
// that ActsOnTerminal() become "\uNNNN", so its readers get the same text, and
// bytes that are not UTF-8 "\ufffd".
std::string EscapeJson(absl::string_view json);

}  // namespace berth

#endif  // BERTH_BASE_ESCAPE_H_
