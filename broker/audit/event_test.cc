#include "broker/audit/event.h"

#include <gtest/gtest.h>

#include "broker/audit/json.h"

namespace berth::broker {
namespace {

TEST(AuditEventTest, ALineIsReadAsItWasWritten) {
  AuditLine line{.seq = 7,
                 .event = {},
                 .prev = std::string(64, 'a'),
                 .key = "",
                 .signature = ""};
  line.event.time = absl::FromUnixMicros(1'700'000'000'123'456);
  line.event.verb = "run";
  line.event.user = "alice";
  line.event.text = "echo \"caf\xc3\xa9\" \\\n\x1b]0;x\x07";
  const std::string text = FormatLine(line);
  auto read = ParseLine(text);
  ASSERT_TRUE(read.ok()) << text;
  EXPECT_EQ(read->seq, 7u);
  EXPECT_EQ(read->event.time, line.event.time);
  EXPECT_EQ(read->event.text, line.event.text);
  EXPECT_EQ(FormatLine(*read), text);
}

// Every byte, and every two-byte character, in a value: nothing that a
// terminal would act on, no newline and no broken UTF-8 gets into a line.
TEST(AuditEventTest, NoValueReachesALineRaw) {
  for (int first = 0; first < 256; ++first) {
    for (int second : {0x00, 0x07, 0x1b, 0x5d, 0x80, 0x9b, 0x9d, 0xbf}) {
      const std::string value = {'a', static_cast<char>(first),
                                 static_cast<char>(second), 'b'};
      const std::string quoted = QuoteJson(value);
      for (size_t i = 0; i < quoted.size(); ++i) {
        const unsigned char c = quoted[i];
        EXPECT_TRUE(c >= 0x20 && c != 0x7f) << quoted;
        // C1 as UTF-8 is c2 80 to c2 9f.
        const bool c1 = c == 0xc2 && i + 1 < quoted.size() &&
                        static_cast<unsigned char>(quoted[i + 1]) < 0xa0;
        EXPECT_FALSE(c1) << quoted;
      }
      EXPECT_TRUE(ParseFlatJson("{\"x\":" + quoted + "}").ok()) << quoted;
    }
  }
  EXPECT_EQ(QuoteJson("\xe2\x80\xae"), "\"\\u202e\"");  // Turns text around.
  EXPECT_EQ(QuoteJson("\xff"), "\"\xef\xbf\xbd\"");
}

TEST(AuditEventTest, LongValuesAreCut) {
  AuditLine line{
      .seq = 1, .event = {}, .prev = NoHash(), .key = "", .signature = ""};
  line.event.reason = std::string(100'000, 'x');
  EXPECT_LT(FormatLine(line).size(), 1000u);
}

TEST(AuditEventTest, OtherTextIsNoLine) {
  for (const char* text :
       {"", "{}", "x", "{\"seq\":1}", "{\"seq\":0,\"prev\":\"\"}",
        "{\"seq\":1,\"prev\":\"00\"", "{\"seq\":1 ,\"prev\":\"00\"}",
        "{\"a\":\"\\ud800\"}", "{\"a\":[1]}", "{\"a\":\"b\"}x"}) {
    EXPECT_FALSE(ParseLine(text).ok()) << text;
  }
}

TEST(AuditEventTest, ARefusalByARightOrALimitIsDenied) {
  AuditEvent event;
  SetOutcome(absl::PermissionDeniedError("no"), event);
  EXPECT_EQ(event.outcome, "denied");
  EXPECT_EQ(event.code, "PERMISSION_DENIED");
  EXPECT_EQ(event.reason, "no");
  AuditEvent failed;
  SetOutcome(absl::NotFoundError("none"), failed);
  EXPECT_EQ(failed.outcome, "failed");
}

}  // namespace
}  // namespace berth::broker
