#ifndef BERTH_TESTS_SUPPORT_HOSTILE_TEXT_H_
#define BERTH_TESTS_SUPPORT_HOSTILE_TEXT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace berth::testing {

// Texts that would act on a terminal, one way each: every C0 byte but NUL, DEL,
// every C1 as UTF-8, ESC and each final byte with and without intermediates,
// CSI with each final byte, OSC, DCS, SOS, PM and APC in both forms and with
// every end, what turns or breaks lines of text, and what can't be seen. All
// are valid UTF-8, so that they fit wherever a text does.
std::vector<std::string> HostileTexts();

// The same in one text, in a few hundred bytes: each C0, DEL and C1, and one of
// each other kind.
std::string HostileText();

// What is not UTF-8: C1 as bytes, sequences that are cut, too long, too large,
// or halves of pairs.
std::vector<std::string> HostileBytes();

// What a program may write by its own choice.
enum class Shown {
  kPlain,     // Newlines.
  kTabs,      // And tabs.
  kTerminal,  // And what draws a line anew: CR, SGR and "ESC [ K".
};

// The first byte of `shown` that could act on a terminal, with what is around
// it; empty if there is none. What is not UTF-8 is taken to act.
std::string FirstActing(absl::string_view shown, Shown may = Shown::kPlain);

}  // namespace berth::testing

#endif  // BERTH_TESTS_SUPPORT_HOSTILE_TEXT_H_
