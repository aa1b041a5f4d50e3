#include "cli/render/sessions.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::cli {
namespace {

constexpr int64_t kNow = 1700000000;

v1::Session MakeSession(uint32_t id, const std::string& computer) {
  v1::Session session;
  session.set_id(id);
  session.set_name("Session" + std::to_string(id));
  session.set_computer(computer);
  session.set_configuration("default");
  session.set_state(v1::SESSION_STATE_OPENED);
  session.set_availability(v1::SESSION_AVAILABILITY_AVAILABLE);
  session.set_instance_id("9f0c11aa-0000-4000-8000-00000000000" +
                          std::to_string(id));
  session.set_owner("alice");
  session.mutable_idle_timeout()->set_seconds(7200);
  session.mutable_created_at()->set_seconds(kNow - 60);
  session.mutable_activity()->set_kind(v1::Activity::IDLE);
  session.mutable_activity()->mutable_since()->set_seconds(kNow - 42);
  return session;
}

std::vector<v1::Session> Three() {
  std::vector<v1::Session> sessions = {MakeSession(1, "Server01"),
                                       MakeSession(2, "Server02"),
                                       MakeSession(3, "Server03")};
  sessions[1].set_state(v1::SESSION_STATE_DISCONNECTED);
  sessions[1].set_availability(v1::SESSION_AVAILABILITY_NONE);
  sessions[2].set_state(v1::SESSION_STATE_BROKEN);
  sessions[2].set_availability(v1::SESSION_AVAILABILITY_BUSY);
  return sessions;
}

TEST(RenderSessionsTest, TableIsAsAboutPSSessionsPrintsIt) {
  EXPECT_EQ(
      RenderSessions(Three(), Format::kTable, absl::FromUnixSeconds(kNow)),
      " Id Name            ComputerName    State         ConfigurationName     "
      "Availability\n"
      " -- ----            ------------    -----         -----------------     "
      "------------\n"
      "  1 Session1        Server01        Opened        default               "
      "   Available\n"
      "  2 Session2        Server02        Disconnected  default               "
      "        None\n"
      "  3 Session3        Server03        Broken        default               "
      "        Busy\n");
}

TEST(RenderSessionsTest, NothingIsPrintedForNoSessions) {
  EXPECT_EQ(RenderSessions({}, Format::kTable, absl::Now()), "");
  EXPECT_EQ(RenderSessions({}, Format::kName, absl::Now()), "");
  EXPECT_EQ(RenderSessions({}, Format::kJsonl, absl::Now()), "");
  EXPECT_EQ(RenderSessions({}, Format::kJson, absl::Now()), "[]\n");
}

TEST(SessionListingTest, PagesTogetherAreTheWholeList) {
  const std::vector<v1::Session> all = Three();
  const absl::Time now = absl::FromUnixSeconds(kNow);
  for (const Format format : {Format::kTable, Format::kWide, Format::kJson,
                              Format::kJsonl, Format::kName}) {
    SessionListing listing(format, now);
    std::string out = listing.Add({all[0]});
    EXPECT_FALSE(out.empty());
    out += listing.Add({});
    out += listing.Add({all[1], all[2]});
    out += listing.End();
    EXPECT_EQ(out, RenderSessions(all, format, now));
  }
}

TEST(RenderSessionsTest, WideTellsWhoAndWhat) {
  v1::Session session = MakeSession(1, "Server01");
  session.mutable_activity()->set_kind(v1::Activity::COMMAND);
  session.mutable_activity()->set_what("make \x1b[1m");
  session.mutable_activity()->set_queued(2);
  session.mutable_holder()->mutable_client()->set_name("alice@laptop");
  const std::string text =
      RenderSessions({session}, Format::kWide, absl::FromUnixSeconds(kNow));
  for (const char* part : {"InstanceId", "HeldBy", "9f0c11aa",
                           "make \\x1b[1m (+2)", "42s", "alice@laptop", "2h"}) {
    EXPECT_THAT(text, testing::HasSubstr(part));
  }
}

TEST(RenderSessionsTest, WideTellsHowItEnded) {
  v1::Session session = MakeSession(1, "Server01");
  session.clear_activity();
  session.set_state(v1::SESSION_STATE_CLOSED);
  session.mutable_end()->set_reason(v1::END_REASON_IDLE_TIMEOUT);
  session.mutable_end()->mutable_at()->set_seconds(kNow - 7200);
  const std::string text =
      RenderSessions({session}, Format::kWide, absl::FromUnixSeconds(kNow));
  EXPECT_THAT(text, testing::HasSubstr("(idle timeout)"));
  EXPECT_THAT(text, testing::HasSubstr("Closed"));
}

TEST(RenderSessionsTest, WideTellsWhenItExpiresAndWhatItKeeps) {
  v1::Session session = MakeSession(1, "Server01");
  session.mutable_expires_at()->set_seconds(kNow + 35 * 60);
  session.set_log_bytes(3 << 20);
  session.set_dropped_bytes(5 << 20);
  session.mutable_last_command()->set_exit_code(77);
  const auto wide = [&] {
    return RenderSessions({session}, Format::kWide,
                          absl::FromUnixSeconds(kNow));
  };
  for (const char* part : {" 35m", "3.0MiB", "5.0MiB", " 77"}) {
    EXPECT_THAT(wide(), testing::HasSubstr(part));
  }
  session.mutable_expires_at()->set_seconds(kNow + 4 * 60);
  EXPECT_THAT(wide(), testing::HasSubstr("! ends in 4m"));
}

TEST(RenderSessionsTest, JsonHasStableNames) {
  const std::string text = RenderSessions(Three(), Format::kJsonl, absl::Now());
  EXPECT_THAT(text, testing::HasSubstr(
                        "\"instanceId\":\"9f0c11aa-0000-4000-8000-"
                        "000000000001\",\"id\":1,\"name\":\"Session1\","
                        "\"computer\":\"Server01\",\"owner\":\"alice\""));
  EXPECT_THAT(text, testing::HasSubstr("\"state\":\"SESSION_STATE_OPENED\""));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
}

TEST(RenderSessionsTest, NamesAlone) {
  EXPECT_EQ(RenderSessions(Three(), Format::kName, absl::Now()),
            "Session1\nSession2\nSession3\n");
}

TEST(ParseStateTest, IgnoresCase) {
  EXPECT_EQ(*ParseState("opened"), v1::SESSION_STATE_OPENED);
  EXPECT_EQ(*ParseState("Closed"), v1::SESSION_STATE_CLOSED);
  EXPECT_THAT(std::string(ParseState("open").status().message()),
              testing::HasSubstr("--state 'open': not a state"));
}

TEST(ParseFormatTest, KnowsItsFormats) {
  EXPECT_EQ(*ParseFormat("wide"), Format::kWide);
  EXPECT_THAT(std::string(ParseFormat("xml").status().message()),
              testing::HasSubstr("-o 'xml': not a format; use table, wide"));
}

}  // namespace
}  // namespace berth::cli
