#ifndef BERTH_BASE_ESCAPE_H_
#define BERTH_BASE_ESCAPE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace berth {

// `text` with everything that could act on a terminal made visible: control
// characters (C0, DEL, and C1 as UTF-8), and bytes that are not valid UTF-8,
// become "\xNN"; newline and tab become "\n" and "\t". For whatever a
// remote machine said that is shown in a table, a message or a log.
std::string EscapeForTerminal(absl::string_view text);

}  // namespace berth

#endif  // BERTH_BASE_ESCAPE_H_
