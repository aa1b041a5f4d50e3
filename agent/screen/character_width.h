#ifndef BERTH_AGENT_SCREEN_CHARACTER_WIDTH_H_
#define BERTH_AGENT_SCREEN_CHARACTER_WIDTH_H_

namespace berth::screen {

// How many columns a terminal gives to a character that is no control: 0 if it
// joins the one before it, else 1 or 2. By itself rather than by wcwidth(3),
// which knows nothing without the locale's files.
int CharacterWidth(char32_t c);

}  // namespace berth::screen

#endif  // BERTH_AGENT_SCREEN_CHARACTER_WIDTH_H_
