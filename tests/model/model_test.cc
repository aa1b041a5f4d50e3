// All orders of events on the real tables of sessions and commands, against
// what has to hold; and that a table with one mistake is always caught.

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/state/tables.h"
#include "gtest/gtest.h"
#include "tests/model/explore.h"
#include "tests/model/hold_world.h"
#include "tests/model/session_world.h"

namespace berth::model {
namespace {

constexpr int kUnbounded = 1 << 20;

void Report(const char* what, const Exploration& found) {
  printf("%s: %zu states, %zu steps, depth %d, %s\n", what, found.states,
         found.steps, found.depth,
         found.complete ? "complete" : "cut at this depth");
}

TEST(ModelTest, CommandsOfASession) {
  const Tables tables;
  const Exploration found =
      Explore(SessionWorld(tables, 4, /*views=*/false), kUnbounded);
  Report("4 commands of a session", found);
  EXPECT_EQ(found.violation, "");
  EXPECT_TRUE(found.complete);
  EXPECT_GT(found.states, 1000u);
}

TEST(ModelTest, ClientsThatFollowCommands) {
  const Tables tables;
  const Exploration found =
      Explore(SessionWorld(tables, 2, /*views=*/true), kUnbounded);
  Report("2 commands of a session, and a client that follows each", found);
  EXPECT_EQ(found.violation, "");
  EXPECT_TRUE(found.complete);
  EXPECT_GT(found.states, 1000u);
}

TEST(ModelTest, ClientsThatWantOneSession) {
  const Exploration found = Explore(HoldWorld(state::HoldTable()), kUnbounded);
  Report("2 clients that want one session", found);
  EXPECT_EQ(found.violation, "");
  EXPECT_TRUE(found.complete);
  EXPECT_GT(found.states, 20u);
}

TEST(ModelTest, AvailabilityFollowsFromTheFacts) {
  for (int bits = 0; bits < 32; ++bits) {
    state::Facts facts;
    facts.ended = bits & 1;
    facts.reachable = bits & 2;
    facts.held_by_me = bits & 4;
    facts.held = bits & 8;
    facts.runs = bits & 16;
    if (facts.held_by_me && !facts.held) continue;  // No such session.
    SCOPED_TRACE(bits);
    const state::Look look = LookAt(facts);
    const bool live = !facts.ended && facts.reachable;
    EXPECT_EQ(look.seen == state::Seen::kClosed, facts.ended);
    EXPECT_EQ(look.seen == state::Seen::kBroken,
              !facts.ended && !facts.reachable);
    EXPECT_EQ(look.seen == state::Seen::kOpened, live && facts.held_by_me);
    const bool mine = look.seen == state::Seen::kOpened;
    EXPECT_EQ(look.availability == state::Availability::kAvailable,
              mine && !facts.runs);
    EXPECT_EQ(look.availability == state::Availability::kBusy,
              live && (facts.runs || (facts.held && !facts.held_by_me)));
  }
}

// ---- That the checks check: no table with a mistake passes. ----

std::string FirstViolation(const Tables& tables) {
  for (bool views : {false, true}) {
    const Exploration found =
        Explore(SessionWorld(tables, 2, views), kUnbounded);
    if (!found.violation.empty()) return found.violation;
  }
  return "";
}

template <typename Row, typename Field>
std::vector<std::vector<Row>> WithOtherValues(const std::vector<Row>& rows,
                                              Field Row::*field, int values) {
  std::vector<std::vector<Row>> all;
  for (size_t i = 0; i < rows.size(); ++i) {
    for (int value = 0; value < values; ++value) {
      if (rows[i].*field == static_cast<Field>(value)) continue;
      std::vector<Row> wrong = rows;
      wrong[i].*field = static_cast<Field>(value);
      all.push_back(std::move(wrong));
    }
  }
  return all;
}

template <typename Row>
std::vector<std::vector<Row>> WithoutOne(const std::vector<Row>& rows) {
  std::vector<std::vector<Row>> all;
  for (size_t i = 0; i < rows.size(); ++i) {
    std::vector<Row> wrong = rows;
    wrong.erase(wrong.begin() + static_cast<ptrdiff_t>(i));
    all.push_back(std::move(wrong));
  }
  return all;
}

// Each of `wrong` must be caught.
template <typename Rows>
void ExpectCaught(const char* what, const std::vector<Rows>& wrong,
                  const std::function<std::string(const Rows&)>& violation) {
  ASSERT_FALSE(wrong.empty());
  for (size_t i = 0; i < wrong.size(); ++i) {
    EXPECT_NE(violation(wrong[i]), "") << what << ", mistake " << i;
  }
  printf("%s: %zu tables with a mistake, all caught\n", what, wrong.size());
}

TEST(MistakeTest, InTheTableOfCommands) {
  using Row = state::CommandRow;
  const state::CommandRows& rows = state::CommandTable();
  const std::function<std::string(const state::CommandRows&)> violation =
      [](const state::CommandRows& wrong) {
        Tables tables;
        tables.commands = wrong;
        return FirstViolation(tables);
      };
  ExpectCaught("a row is missing", WithoutOne(rows), violation);
  ExpectCaught("another state", WithOtherValues(rows, &Row::to, 6), violation);
  ExpectCaught("another place", WithOtherValues(rows, &Row::slot, 3),
               violation);
  state::CommandRows more = rows;
  more.push_back({state::Command::kStarted, state::CommandEvent::kTakeBack,
                  state::Command::kEnded, state::Slot::kFree});
  EXPECT_NE(violation(more), "") << "what runs can be refused";
  more.back() = {state::Command::kStarted, state::CommandEvent::kBegin,
                 state::Command::kStarted, state::Slot::kKeep};
  EXPECT_NE(violation(more), "") << "what runs can start";
}

TEST(MistakeTest, InTheTableOfSessions) {
  using Row = state::SessionRow;
  // Only an agent sees this one.
  state::SessionRows rows;
  for (const Row& row : state::SessionTable()) {
    if (row.from == state::Session::kLive &&
        row.event == state::SessionEvent::kGone) {
      continue;
    }
    rows.push_back(row);
  }
  const std::function<std::string(const state::SessionRows&)> violation =
      [](const state::SessionRows& wrong) {
        Tables tables;
        tables.sessions = wrong;
        return FirstViolation(tables);
      };
  ExpectCaught("a row is missing", WithoutOne(rows), violation);
  ExpectCaught("another state", WithOtherValues(rows, &Row::to, 5), violation);
  // Of an end's first reason; of a later one only that it counts.
  std::vector<state::SessionRows> wrong;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].reason == state::Reason::kNone) continue;
    const bool later = rows[i].from == state::Session::kEnding;
    wrong.push_back(rows);
    wrong.back()[i].reason =
        later ? state::Reason::kAlways : state::Reason::kNone;
  }
  ExpectCaught("another use of reasons", wrong, violation);
}

TEST(MistakeTest, InTheTableOfViews) {
  using Row = state::ViewRow;
  state::ViewRows rows;
  for (const Row& row : state::ViewTable()) {
    // Only wrong requests of the client itself lead there.
    const bool asked = row.event == state::ViewEvent::kRefused &&
                       row.from != state::View::kWaits;
    if (!asked) rows.push_back(row);
  }
  const std::function<std::string(const state::ViewRows&)> violation =
      [](const state::ViewRows& wrong) {
        Tables tables;
        tables.views = wrong;
        return FirstViolation(tables);
      };
  ExpectCaught("a row is missing", WithoutOne(rows), violation);
  ExpectCaught("another state", WithOtherValues(rows, &Row::to, 4), violation);
  state::ViewRows more = rows;
  more.push_back(
      {state::View::kOver, state::ViewEvent::kOutput, state::View::kOver});
  EXPECT_NE(violation(more), "") << "output after the end";
}

TEST(MistakeTest, InTheTableOfHolds) {
  using Row = state::HoldRow;
  const state::HoldRows& rows = state::HoldTable();
  const std::function<std::string(const state::HoldRows&)> violation =
      [](const state::HoldRows& wrong) {
        return Explore(HoldWorld(wrong), kUnbounded).violation;
      };
  std::vector<state::HoldRows> missing;
  for (size_t i = 0; i < rows.size(); ++i) {
    // That the last call leaves what is held anyway changes nothing.
    if (rows[i].from == state::Hold::kLasting &&
        rows[i].event == state::HoldEvent::kLeave) {
      continue;
    }
    missing.push_back(rows);
    missing.back().erase(missing.back().begin() + static_cast<ptrdiff_t>(i));
  }
  ExpectCaught("a row is missing", missing, violation);
  ExpectCaught("another state", WithOtherValues(rows, &Row::to, 3), violation);
  std::vector<state::HoldRows> hands;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].changes_hands) continue;
    hands.push_back(rows);
    hands.back()[i].changes_hands = false;
  }
  ExpectCaught("it does not change hands", hands, violation);
}

}  // namespace
}  // namespace berth::model
