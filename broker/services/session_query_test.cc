#include "broker/services/session_query.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
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
    return Ask(request, owner);
  }

  std::string Ask(const v1::ListSessionsRequest& request,
                  const std::string& owner = "alice") {
    auto result = QuerySessions(ViewerFor(owner), request);
    if (!result.ok()) return std::string(result.status().message());
    std::vector<uint32_t> ids;
    for (const v1::Session& s : result->sessions) ids.push_back(s.id());
    return absl::StrCat(absl::StrJoin(ids, ","), "|", result->status.message());
  }

  Viewer ViewerFor(const std::string& user,
                   absl::string_view policy = Policy::BuiltInText()) {
    return Viewer(registry_, Rights(*Policy::Parse(policy, "p"), user),
                  /*admin=*/false);
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

TEST_F(SessionQueryTest, FiltersByLabelsOfTheComputer) {
  ComputerRecord web02;
  web02.name = "web02";
  web02.labels = {{"role", "web"}};
  registry_.AddComputer(web02);
  v1::ListSessionsRequest request;
  request.add_labels("role=w*");
  EXPECT_EQ(Ask(request), "3|");
  request.add_labels("dc");
  EXPECT_EQ(Ask(request), "|");
  for (int i = 0; i < 64; ++i) request.add_labels("dc");
  EXPECT_EQ(Ask(request),
            "the request carries 66 labels, 64 at most; use a wildcard");
}

TEST_F(SessionQueryTest, PagesShowWhatStaysOnceWhileOthersComeAndGo) {
  link::v1::Hello hello;
  const auto id_of = [](int i) {
    return absl::StrFormat("11111111-0000-4000-8000-%012d", i);
  };
  const auto report = [&](int i) {
    v1::Session session;
    session.set_instance_id(id_of(i));
    session.set_id(i);
    session.set_owner("bob");
    return session;
  };
  for (int i = 2; i <= 2400; i += 2) {
    *hello.add_sessions()->mutable_session() = report(i);
  }
  ComputerRecord record;
  registry_.LinkUp("many", hello, absl::Now(), &record);
  auto scan = SessionScan::Begin(ViewerFor("bob"), v1::ListSessionsRequest());
  ASSERT_TRUE(scan.ok()) << scan.status();
  std::vector<uint32_t> seen;
  bool more = true;
  for (int page = 0; more; ++page) {
    google::protobuf::RepeatedPtrField<v1::Session> sessions;
    more = scan->Next(100, &sessions);
    EXPECT_LE(sessions.size(), 100);
    for (const v1::Session& session : sessions) seen.push_back(session.id());
    if (page > 0) continue;
    EXPECT_EQ(seen.back(), 200u);
    registry_.Remove("many", id_of(2));     // Seen.
    registry_.Remove("many", id_of(200));   // The place of the scan.
    registry_.Remove("many", id_of(1000));  // Not seen.
    ASSERT_TRUE(registry_.Put("many", report(101)).ok());   // Behind it.
    ASSERT_TRUE(registry_.Put("many", report(2001)).ok());  // Before it.
  }
  std::vector<uint32_t> want;
  for (uint32_t i = 2; i <= 2400; i += 2) {
    if (i != 1000) want.push_back(i);
    if (i == 2000) want.push_back(2001);
  }
  EXPECT_EQ(seen, want);
  EXPECT_TRUE(scan->status().ok());
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
  auto result = QueryComputers(ViewerFor("alice"), request);
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->computers.size(), 2u);
  EXPECT_EQ(result->computers[0].sessions(), 3u);
  EXPECT_EQ(result->computers[1].state(), v1::COMPUTER_STATE_OFFLINE);
  EXPECT_EQ(result->status.message(),
            "no computer 'db'; see `berth computers`");
}

TEST_F(SessionQueryTest, WhoHasNoRightOnAComputerDoesNotSeeIt) {
  constexpr char kPolicy[] =
      "[roles.r]\nusers = [\"bob\"]\nverbs = [\"create\"]\n"
      "computers = [\"db*\"]";
  v1::ListComputersRequest all;
  EXPECT_TRUE(
      QueryComputers(ViewerFor("bob", kPolicy), all)->computers.empty());
  // Those who have sessions there do.
  EXPECT_FALSE(
      QueryComputers(ViewerFor("alice", kPolicy), all)->computers.empty());
  // And the name says nothing more than one of none.
  all.add_names("web01");
  EXPECT_EQ(QueryComputers(ViewerFor("bob", kPolicy), all)->status.message(),
            "no computer 'web01'; see `berth computers`");
  v1::ListConfigurationsRequest configurations;
  configurations.add_computers("web01");
  EXPECT_EQ(QueryConfigurations(ViewerFor("bob", kPolicy), configurations)
                ->status.message(),
            "no computer 'web01'; see `berth computers`");
  v1::ListSessionsRequest sessions;
  sessions.add_computers("web01");
  EXPECT_EQ(
      QuerySessions(ViewerFor("bob", kPolicy), sessions)->status.message(),
      "no computer 'web01'; see `berth computers`");
}

}  // namespace
}  // namespace berth::broker
