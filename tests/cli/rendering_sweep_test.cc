// Thousands of texts that would act on a terminal, through whatever is printed
// for people: each is made visible, and in JSON comes out as it was.

#include <string>
#include <vector>

#include "cli/copy/progress_bar.h"
#include "cli/fanout/json_lines.h"
#include "cli/fanout/live.h"
#include "cli/fanout/summary.h"
#include "cli/jobs/render.h"
#include "cli/recordings/asciicast.h"
#include "cli/recordings/rendering.h"
#include "cli/render/computers.h"
#include "cli/render/configurations.h"
#include "cli/render/events.h"
#include "cli/render/sessions.h"
#include "cli/render/table.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "proto/berth/v1/recordings.pb.h"
#include "tests/cli/hostile_broker.h"
#include "tests/support/hostile_text.h"

namespace berth::testing {
namespace {

using cli::Format;
using google::protobuf::util::JsonStringToMessage;

constexpr Format kFormats[] = {Format::kTable, Format::kWide, Format::kJson,
                               Format::kJsonl, Format::kName};

template <typename Message>
Message Filled(const std::string& text, int choice = 0) {
  Message message;
  FillWithText(message, text, choice);
  return message;
}

// The string that JSON of one string is.
std::string Read(const std::string& json) {
  google::protobuf::Value value;
  EXPECT_TRUE(JsonStringToMessage(json, &value).ok()) << json;
  return value.string_value();
}

TEST(RenderingSweepTest, Lists) {
  const absl::Time now = absl::Now();
  for (const std::string& text : HostileTexts()) {
    SCOPED_TRACE(text);
    const auto session = Filled<v1::Session>(text);
    const auto computer = Filled<v1::Computer>(text);
    const auto configuration = Filled<v1::Configuration>(text);
    cli::JobView job;
    FillWithText(job.job, text, 0);
    job.job.set_what(text);
    job.error = text;
    for (const Format format : kFormats) {
      for (const std::string& shown :
           {cli::RenderSessions({session, session}, format, now),
            cli::RenderComputers({computer, computer}, format, now),
            cli::RenderConfigurations({configuration}, format),
            cli::RenderJobs({job}, format, now)}) {
        EXPECT_NE(shown, "");
        EXPECT_EQ(FirstActing(shown), "");
      }
    }
  }
}

TEST(RenderingSweepTest, BytesThatAreNoText) {
  for (const std::string& bytes : HostileBytes()) {
    cli::Table table({{"Name", 3}, {"What"}});
    table.AddRow({bytes, bytes});
    EXPECT_EQ(FirstActing(table.Render()), "");
    v1::Session session;
    session.set_name(bytes);
    session.mutable_activity()->set_what(bytes);
    EXPECT_EQ(
        FirstActing(cli::RenderSessions({session}, Format::kWide, absl::Now())),
        "");
    EXPECT_EQ(FirstActing(cli::MakeTag(bytes, bytes, false)), "");
    EXPECT_EQ(FirstActing(cli::FoldShort({bytes, bytes + "1"})), "");
    EXPECT_EQ(FirstActing(cli::JsonString(bytes)), "");
    EXPECT_EQ(FirstActing(cli::AsciicastString(bytes)), "");
    Read(cli::JsonString(bytes));
    cli::JobView job;
    job.job.set_what(bytes);
    EXPECT_EQ(FirstActing(cli::RenderJobs({job}, Format::kJson, absl::Now())),
              "");
  }
}

TEST(RenderingSweepTest, Events) {
  for (const std::string& text : HostileTexts()) {
    for (int choice = 0; choice < 10; ++choice) {
      auto event = Filled<v1::SessionEvent>(text, choice);
      EXPECT_EQ(FirstActing(cli::RenderEvent(event)), "");
      event.mutable_session()->mutable_last_command()->set_how(
          v1::CommandEnded::NOT_STARTED);
      EXPECT_EQ(FirstActing(cli::RenderEvent(event)), "");
    }
  }
}

TEST(RenderingSweepTest, NotesOfRecordings) {
  for (const std::string& text : HostileTexts()) {
    cli::RecordingRendering rendering;
    for (int choice = 0; choice < 8; ++choice) {
      std::string shown =
          rendering.Render(Filled<v1::RecordingEntry>(text, choice));
      EXPECT_EQ(FirstActing(shown, Shown::kTerminal), "");
    }
  }
}

TEST(RenderingSweepTest, ManyTargets) {
  for (const std::string& text : HostileTexts()) {
    EXPECT_EQ(FirstActing(cli::MakeTag(text, text, false)), "");
    EXPECT_EQ(FirstActing(cli::MakeTag(text, text, true), Shown::kTerminal),
              "");
    EXPECT_EQ(FirstActing(cli::FoldShort({text, text + "1", text + "2"})), "");
    const struct cli::Outcome failed { cli::TargetState::kRefused, 125, text };
    EXPECT_EQ(FirstActing(cli::Summarize({text}, {failed})), "");
    copy::Progress::Values values;
    values.name = text;
    EXPECT_EQ(FirstActing(cli::ProgressLine(values, absl::Seconds(3))), "");
  }
}

// Its first 2000 bytes have no comma, at which a long list is cut.
TEST(RenderingSweepTest, OneEndlessName) {
  for (const std::string& part : {std::string("x"), std::string("é"),
                                  std::string("世"), std::string("\x9b")}) {
    std::string name = "a";
    while (name.size() < 9000) name += part;
    const std::string shown = cli::FoldShort({name});
    EXPECT_LT(shown.size(), 2100u);
    EXPECT_EQ(FirstActing(shown), "");
  }
}

TEST(RenderingSweepTest, JsonMeansTheSame) {
  for (const std::string& text : HostileTexts()) {
    EXPECT_EQ(Read(cli::JsonString(text)), text);
    EXPECT_EQ(Read(cli::AsciicastString(text)), text);
    v1::Session session;
    session.set_name(text);
    const std::string json = cli::ToJson(session);
    EXPECT_EQ(FirstActing(json), "");
    v1::Session back;
    EXPECT_TRUE(JsonStringToMessage(json, &back).ok()) << json;
    EXPECT_EQ(back.name(), text);
  }
}

}  // namespace
}  // namespace berth::testing
