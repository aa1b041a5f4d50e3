#include "broker/services/session_query.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace berth::broker {
namespace {

class SessionQueryTest : public ::testing::Test {
 protected:
  SessionQueryTest() {
    Add("web01", {{1, "web"}, {2, "db"}, {5, "web2"}});
    Add("web02", {{3, "web"}});
    registry_.LinkDown("web02", absl::Now());
  }

  void Add(const std::string& computer,
           std::vector<std::pair<uint32_t, std::string>> sessions) {
    link::v1::Hello hello;
    for (const auto& [id, name] : sessions) {
      v1::Session& session = *hello.add_sessions()->mutable_session();
      session.set_instance_id(
          absl::StrCat("00000000-0000-4000-8000-00000000000", id));
      session.set_id(id);
      session.set_name(name);
      session.set_owner("alice");
    }
    ComputerRecord record;
    registry_.LinkUp(computer, hello, absl::Now(), &record);
  }

  // The ids found, and the error if any: "1,3|message".
  std::string Query(std::vector<std::string> selectors,
                    std::vector<std::string> computers = {},
                    std::vector<v1::SessionState> states = {},
                    const std::string& owner = "alice") {
    v1::ListSessionsRequest request;
    for (const std::string& s : selectors) request.add_selectors(s);
    for (const std::string& c : computers) request.add_computers(c);
    for (v1::SessionState s : states) request.add_states(s);
    auto result = QuerySessions(registry_, owner, request);
    if (!result.ok()) return std::string(result.status().message());
    std::vector<uint32_t> ids;
    for (const v1::Session& s : result->sessions) ids.push_back(s.id());
    return absl::StrCat(absl::StrJoin(ids, ","), "|", result->status.message());
  }

  Registry registry_;
};

TEST_F(SessionQueryTest, SelectsByIdRangeNameAndWildcard) {
  EXPECT_EQ(Query({}), "1,2,3,5|");
  EXPECT_EQ(Query({"3", "1"}), "1,3|");
  EXPECT_EQ(Query({"2..9"}), "2,3,5|");
  EXPECT_EQ(Query({"WEB"}), "1,3|");
  EXPECT_EQ(Query({"web*", "2"}), "1,2,3,5|");
  EXPECT_EQ(Query({}, {}, {}, "bob"), "|");
}

TEST_F(SessionQueryTest, LiteralThatMatchesNothingIsAnErrorAfterTheRest) {
  EXPECT_EQ(Query({"1", "9", "nope"}),
            "1|no session '9', 'nope'; see `berth ls`");
  EXPECT_EQ(Query({"x*"}), "|");
  EXPECT_EQ(Query({"3"}, {"web01"}), "|no session '3'; see `berth ls`");
}

TEST_F(SessionQueryTest, FiltersByComputerAndState) {
  EXPECT_EQ(Query({}, {"WEB02"}), "3|");
  EXPECT_EQ(Query({}, {"web*"}), "1,2,3,5|");
  EXPECT_EQ(Query({}, {"db7", "web02"}),
            "3|no computer 'db7'; see `berth computers`");
  EXPECT_EQ(Query({}, {}, {v1::SESSION_STATE_BROKEN}), "3|");
  // It is there, just not in that state.
  EXPECT_EQ(Query({"1"}, {}, {v1::SESSION_STATE_BROKEN}), "|");
}

TEST_F(SessionQueryTest, HostileTextIsEscaped) {
  const std::string error = Query({}, {"\x1b[2J"});
  EXPECT_EQ(error.find('\x1b'), std::string::npos) << error;
}

TEST_F(SessionQueryTest, TooManySelectorsAreRefused) {
  EXPECT_EQ(Query(std::vector<std::string>(1001, "1")),
            "the request carries 1001 selectors, 1000 at most; use a wildcard");
}

TEST_F(SessionQueryTest, ListsComputersByName) {
  v1::ListComputersRequest request;
  request.add_names("WEB*");
  request.add_names("db");
  auto result = QueryComputers(registry_, request);
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->computers.size(), 2u);
  EXPECT_EQ(result->computers[0].sessions(), 3u);
  EXPECT_EQ(result->computers[1].state(), v1::COMPUTER_STATE_OFFLINE);
  EXPECT_EQ(result->status.message(),
            "no computer 'db'; see `berth computers`");
}

}  // namespace
}  // namespace berth::broker
