#include "agent/sessions/terminals.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::TerminalSize Size(uint32_t rows, uint32_t columns) {
  v1::TerminalSize size;
  size.set_rows(rows);
  size.set_columns(columns);
  return size;
}

class TerminalsTest : public ::testing::Test {
 protected:
  Terminals::Visitor Visitor(const std::string& name, v1::TerminalMode mode,
                             v1::TerminalSize size = Size(24, 80)) {
    Terminals::Visitor visitor;
    visitor.id = absl::StrCat("visit-", name);
    visitor.client.set_id(absl::StrCat("client-", name));
    visitor.client.set_name(absl::StrCat(name, "@desk"));
    visitor.mode = mode;
    visitor.size = size;
    return visitor;
  }

  uint64_t Attach(const std::string& name,
                  v1::TerminalMode mode = v1::TERMINAL_MODE_UNSPECIFIED,
                  v1::TerminalSize size = Size(24, 80)) {
    const absl::StatusOr<uint64_t> key = terminals_.Attach(
        Visitor(name, mode, size), now_, [this] { ++wakes_; });
    EXPECT_TRUE(key.ok()) << key.status();
    return key.value_or(0);
  }

  absl::Status Refusal(const std::string& name, v1::TerminalMode mode) {
    return terminals_.Attach(Visitor(name, mode), now_, [] {}).status();
  }

  Terminals terminals_{"ann", "3"};
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  int wakes_ = 0;
};

TEST_F(TerminalsTest, RefusesASecondOneThatTypesAndSaysWhose) {
  Attach("ann");
  const absl::Status refused = Refusal("bob", v1::TERMINAL_MODE_UNSPECIFIED);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("session 3 has the terminal of ann@desk attached "
                        "since 2023-11-14 22:13:20 UTC; to take it over: berth "
                        "enter 3 --take; or with --share"));
  EXPECT_THAT(
      std::string(Refusal("eve/x", v1::TERMINAL_MODE_UNSPECIFIED).message()),
      HasSubstr("berth enter ann/3 --take"));
}

TEST_F(TerminalsTest, EscapesNamesInMessages) {
  Terminals::Visitor evil = Visitor("x", v1::TERMINAL_MODE_UNSPECIFIED);
  evil.client.set_name("\x1b[2J");
  ASSERT_TRUE(terminals_.Attach(evil, now_, [] {}).ok());
  EXPECT_THAT(
      std::string(Refusal("bob", v1::TERMINAL_MODE_UNSPECIFIED).message()),
      HasSubstr("\\x1b[2J"));
}

TEST_F(TerminalsTest, PeekingNeitherRefusesNorIsRefused) {
  Attach("ann", v1::TERMINAL_MODE_PEEK);
  Attach("bob");
  Attach("cleo", v1::TERMINAL_MODE_PEEK);
  EXPECT_EQ(terminals_.List().size(), 3u);
  EXPECT_EQ(terminals_.typing(), 1u);
}

TEST_F(TerminalsTest, EachIsWarnedOnceOfAnEnd) {
  const uint64_t first = Attach("ann", v1::TERMINAL_MODE_PEEK);
  terminals_.WarnOfEnd(absl::Seconds(7), "soon");
  const uint64_t second = Attach("bob", v1::TERMINAL_MODE_PEEK);
  terminals_.WarnOfEnd(absl::Seconds(7), "soon");
  EXPECT_THAT(terminals_.TakeMail(first).notices,
              ElementsAre("soon", "bob@desk watches"));
  EXPECT_THAT(terminals_.TakeMail(second).notices, ElementsAre("soon"));
  // Somebody has used it since.
  terminals_.WarnOfEnd(absl::Seconds(9), "again");
  EXPECT_THAT(terminals_.TakeMail(first).notices, ElementsAre("again"));
}

TEST_F(TerminalsTest, TakeEndsThoseWhoTypeAndTellsByWhom) {
  const uint64_t ann = Attach("ann");
  const uint64_t peek = Attach("eve", v1::TERMINAL_MODE_PEEK);
  Attach("bob", v1::TERMINAL_MODE_TAKE);
  const Terminals::Mail mail = terminals_.TakeMail(ann);
  ASSERT_TRUE(mail.ended.has_value());
  EXPECT_EQ(mail.ended->why(), v1::TerminalEnded::TAKEN);
  EXPECT_EQ(mail.ended->detail(), "by bob@desk at 22:13 UTC");
  EXPECT_FALSE(terminals_.TakeMail(peek).ended.has_value());
  EXPECT_GT(wakes_, 0);
}

TEST_F(TerminalsTest, ShareTypesBesideTheOthers) {
  const uint64_t ann = Attach("ann");
  const uint64_t bob = Attach("bob", v1::TERMINAL_MODE_SHARE);
  EXPECT_THAT(terminals_.TakeMail(ann).notices,
              ElementsAre("bob@desk came and types along"));
  terminals_.Detach(bob, false, now_);
  EXPECT_THAT(terminals_.TakeMail(ann).notices, ElementsAre("bob@desk left"));
}

TEST_F(TerminalsTest, SizeIsTheSmallestOfThoseThatType) {
  EXPECT_FALSE(terminals_.Size().has_value());
  Attach("eve", v1::TERMINAL_MODE_PEEK, Size(10, 20));
  EXPECT_FALSE(terminals_.Size().has_value());
  const uint64_t ann =
      Attach("ann", v1::TERMINAL_MODE_UNSPECIFIED, Size(50, 100));
  const uint64_t bob = Attach("bob", v1::TERMINAL_MODE_SHARE, Size(24, 132));
  EXPECT_EQ(terminals_.Size()->rows(), 24u);
  EXPECT_EQ(terminals_.Size()->columns(), 100u);
  terminals_.Resize(ann, Size(20, 200));
  EXPECT_EQ(terminals_.Size()->rows(), 20u);
  EXPECT_EQ(terminals_.Size()->columns(), 132u);
  terminals_.Detach(bob, false, now_);
  EXPECT_EQ(terminals_.Size()->columns(), 200u);
}

TEST_F(TerminalsTest, AtMostSoMany) {
  for (size_t i = 0; i < Terminals::kMax; ++i) {
    Attach(absl::StrCat("p", i), v1::TERMINAL_MODE_PEEK);
  }
  const absl::Status refused = Refusal("one-more", v1::TERMINAL_MODE_PEEK);
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("32 of 32 terminals"));
}

TEST_F(TerminalsTest, AVisitGoesOnOnAnotherStreamWhileTheFirstIsThere) {
  const uint64_t first = Attach("ann");
  ASSERT_TRUE(terminals_.Input(first)
                  ->Take(0, "abc", [](auto) { return absl::OkStatus(); })
                  .ok());
  const uint64_t eve = Attach("eve", v1::TERMINAL_MODE_PEEK);
  const uint64_t second = Attach("ann");
  EXPECT_TRUE(terminals_.TakeMail(first).replaced);
  EXPECT_EQ(terminals_.Input(second)->offset(), 3u);
  terminals_.Detach(first, true, now_);
  EXPECT_EQ(terminals_.List().size(), 2u);
  EXPECT_TRUE(
      terminals_.TakeMail(eve).notices.empty());  // Nobody came or left.
}

TEST_F(TerminalsTest, AVisitIsRememberedForAWhile) {
  const uint64_t first = Attach("ann");
  ASSERT_TRUE(terminals_.Input(first)
                  ->Take(0, "abc", [](auto) { return absl::OkStatus(); })
                  .ok());
  terminals_.Detach(first, /*may_return=*/true, now_);
  EXPECT_TRUE(terminals_.Knows("visit-ann", now_ + absl::Minutes(9)));
  EXPECT_FALSE(terminals_.Knows("visit-ann", now_ + absl::Minutes(11)));
  EXPECT_EQ(terminals_.Input(Attach("ann"))->offset(), 3u);
}

TEST_F(TerminalsTest, AVisitOfAnotherClientIsNotTakenForOurs) {
  terminals_.Detach(Attach("ann"), /*may_return=*/true, now_);
  Terminals::Visitor thief = Visitor("bob", v1::TERMINAL_MODE_UNSPECIFIED);
  thief.id = "visit-ann";
  const auto key = terminals_.Attach(thief, now_, [] {});
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(terminals_.Input(*key)->offset(), 0u);
}

TEST_F(TerminalsTest, KnowsWhoTypedLast) {
  const uint64_t ann = Attach("ann");
  const uint64_t bob = Attach("bob", v1::TERMINAL_MODE_SHARE);
  const uint64_t eve = Attach("eve", v1::TERMINAL_MODE_PEEK);
  EXPECT_TRUE(terminals_.Type(bob));
  EXPECT_TRUE(terminals_.Type(ann));
  EXPECT_FALSE(terminals_.Type(eve));
  EXPECT_TRUE(terminals_.TypedLast(ann));
  EXPECT_FALSE(terminals_.TypedLast(bob));
  EXPECT_FALSE(terminals_.TypedLast(eve));
}

TEST_F(TerminalsTest, WhoWasTakenOverTypesNoMore) {
  const uint64_t ann = Attach("ann");
  Attach("bob", v1::TERMINAL_MODE_TAKE);
  EXPECT_FALSE(terminals_.Type(ann));
}

TEST_F(TerminalsTest, WhoTakesTheSessionEndsTerminalsOfOthers) {
  const uint64_t ann = Attach("ann");
  const uint64_t bob = Attach("bob", v1::TERMINAL_MODE_SHARE);
  v1::Client client;
  client.set_id("client-bob");
  client.set_name("bob@desk");
  terminals_.SessionTaken(client, now_);
  EXPECT_EQ(terminals_.TakeMail(ann).ended->why(), v1::TerminalEnded::TAKEN);
  EXPECT_FALSE(terminals_.TakeMail(bob).ended.has_value());
}

TEST_F(TerminalsTest, NoticesAreBounded) {
  const uint64_t ann = Attach("ann");
  for (size_t i = 0; i < 2 * Terminals::kMaxNotices; ++i) {
    terminals_.NotifyAll(absl::StrCat(i));
  }
  const Terminals::Mail mail = terminals_.TakeMail(ann);
  EXPECT_EQ(mail.notices.size(), Terminals::kMaxNotices);
  EXPECT_EQ(mail.notices.back(), absl::StrCat(2 * Terminals::kMaxNotices - 1));
}

TEST(TypedInputTest, PassesEachByteOnceAndRefusesGaps) {
  TypedInput input;
  std::string passed;
  const TypedInput::Pass pass = [&](absl::string_view data) {
    absl::StrAppend(&passed, data);
    return absl::OkStatus();
  };
  ASSERT_TRUE(input.Take(10, "abc", pass).ok());  // The first may be any.
  ASSERT_TRUE(input.Take(11, "bcd", pass).ok());
  ASSERT_TRUE(input.Take(10, "abcd", pass).ok());
  ASSERT_TRUE(input.Take(14, "", pass).ok());
  EXPECT_EQ(passed, "abcd");
  EXPECT_EQ(input.offset(), 14u);
  EXPECT_EQ(input.Take(15, "x", pass).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(TypedInputTest, WhatCouldNotBePassedOnIsTakenAgain) {
  TypedInput input;
  EXPECT_FALSE(
      input.Take(0, "a", [](auto) { return absl::UnavailableError("gone"); })
          .ok());
  EXPECT_EQ(input.offset(), 0u);
}

}  // namespace
}  // namespace berth::agent
