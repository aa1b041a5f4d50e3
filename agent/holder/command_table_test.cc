#include "agent/holder/command_table.h"

#include <gtest/gtest.h>

#include "base/uuid.h"

namespace berth::holder {
namespace {

void End(Command& command) {
  command.ended = std::make_unique<v1::Ended>();
  command.active.reset();
}

TEST(CommandTableTest, NumbersCommandsFromOne) {
  CommandTable table;
  EXPECT_EQ(table.last(), 0u);
  std::string a = NewUuid();
  std::string b = NewUuid();
  EXPECT_EQ(table.Add(a).sequence, 1u);
  EXPECT_EQ(table.Add(b).sequence, 2u);
  EXPECT_EQ(table.SequenceOf(a), 1u);
  EXPECT_EQ(table.SequenceOf(b), 2u);
  EXPECT_EQ(table.SequenceOf(NewUuid()), 0u);
  EXPECT_EQ(table.Find(2)->id, b);
  EXPECT_EQ(table.Find(0), nullptr);
  EXPECT_EQ(table.Find(3), nullptr);
}

TEST(CommandTableTest, RemembersIdsOfForgottenCommands) {
  CommandTable table(2);
  std::string first = NewUuid();
  End(table.Add(first));
  for (int i = 0; i < 2; ++i) End(table.Add(NewUuid()));
  table.Trim();
  EXPECT_EQ(table.Find(1), nullptr);
  EXPECT_EQ(table.SequenceOf(first), 1u);
  EXPECT_NE(table.Find(2), nullptr);
  EXPECT_EQ(table.last(), 3u);
}

TEST(CommandTableTest, KeepsWhatIsActive) {
  CommandTable table(1);
  table.Add(NewUuid());
  for (int i = 0; i < 3; ++i) {
    End(table.Add(NewUuid()));
    table.Trim();
  }
  EXPECT_NE(table.Find(1), nullptr);
  EXPECT_EQ(table.Find(2), nullptr);
  EXPECT_EQ(table.Find(3), nullptr);
  EXPECT_NE(table.Find(4), nullptr);
  End(*table.Find(1));
  table.Trim();
  EXPECT_EQ(table.Find(1), nullptr);
  EXPECT_EQ(table.Add(NewUuid()).sequence, 5u);
}

}  // namespace
}  // namespace berth::holder
