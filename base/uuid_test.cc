#include "base/uuid.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace berth {
namespace {

TEST(UuidTest, NewOnesAreValidAndDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string uuid = NewUuid();
    EXPECT_TRUE(IsUuid(uuid)) << uuid;
    EXPECT_EQ(uuid[14], '4') << uuid;
    EXPECT_TRUE(seen.insert(uuid).second) << uuid;
  }
}

TEST(UuidTest, KnowsWhatIsNone) {
  EXPECT_FALSE(IsUuid(""));
  EXPECT_FALSE(IsUuid("9F0C11AA-1B2C-4D5E-8F90-0123456789AB"));
  EXPECT_FALSE(IsUuid("9f0c11aa-1b2c-4d5e-8f90-0123456789a"));
  EXPECT_FALSE(IsUuid("9f0c11aa01b2c-4d5e-8f90-0123456789ab"));
  EXPECT_FALSE(IsUuid("../../etc/passwd/xxxxxxxxxxxxxxxxxxx"));
}

}  // namespace
}  // namespace berth
