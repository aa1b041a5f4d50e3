#include "agent/screen/character_width.h"

#include <gtest/gtest.h>

namespace berth::screen {
namespace {

TEST(CharacterWidthTest, OfCharactersThatEverybodyAgreesOn) {
  for (char32_t c : {U'a', U'~', U'\u00E9', U'\u2500', U'\uFFFD', U'\u00AD'}) {
    EXPECT_EQ(CharacterWidth(c), 1) << static_cast<unsigned>(c);
  }
  for (char32_t c : {U'\u4E2D', U'\uD55C', U'\uFF21', U'\u3042', U'\u231A',
                     U'\U0001F600', U'\U00020000', U'\U0003FFFD'}) {
    EXPECT_EQ(CharacterWidth(c), 2) << static_cast<unsigned>(c);
  }
  for (char32_t c : {U'\u0300', U'\u200B', U'\u200D', U'\uFE0F', U'\u20DD',
                     U'\u1160', U'\U000E0100'}) {
    EXPECT_EQ(CharacterWidth(c), 0) << static_cast<unsigned>(c);
  }
}

}  // namespace
}  // namespace berth::screen
