// What many targets print, as each way of showing it writes it.

#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/unique_fd.h"
#include "cli/fanout/gather.h"
#include "cli/fanout/json_lines.h"
#include "cli/fanout/line_diff.h"
#include "cli/fanout/live.h"
#include "cli/fanout/out_dir.h"
#include "cli/fanout/spool.h"
#include "cli/fanout/summary.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::cli {
namespace {

using ::testing::HasSubstr;

constexpr auto kOut = v1::OUTPUT_STREAM_STDOUT;
constexpr auto kErr = v1::OUTPUT_STREAM_STDERR;

UniqueFd NewFile() { return *OpenNamelessFile(); }

std::string TextOf(const UniqueFd& file) {
  std::string text(1 << 16, '\0');
  const ssize_t count = pread(file.get(), text.data(), text.size(), 0);
  text.resize(count < 0 ? 0 : count);
  return text;
}

std::vector<TargetName> Names(size_t count) {
  std::vector<TargetName> names;
  for (size_t i = 1; i <= count; ++i) {
    const std::string name = absl::StrCat("web0", i);
    names.push_back({name, name, static_cast<uint32_t>(i)});
  }
  return names;
}

class PresentersTest : public ::testing::Test {
 protected:
  UniqueFd out_ = NewFile();
  UniqueFd err_ = NewFile();
  SignalSource signals_;
  Output out_stream_{out_.get(), signals_};
  Output err_stream_{err_.get(), signals_};
  Writer writer_{out_stream_, err_stream_, false, [] {}};

  std::string Out() {
    writer_.Drain();
    return TextOf(out_);
  }
  std::string Err() {
    writer_.Drain();
    return TextOf(err_);
  }
};

Outcome Failed(int code) { return {TargetState::kFailed, code, ""}; }

TEST_F(PresentersTest, LiveShowsWholeLines) {
  LivePresenter live({"a: ", "b: "}, writer_);
  EXPECT_EQ(live.Output(0, kOut, 0, "on").safe, 0u);
  EXPECT_EQ(live.Output(1, kErr, 0, "two\n").safe, 4u);
  EXPECT_EQ(live.Output(0, kOut, 2, "e\nlast").safe, 4u);
  EXPECT_EQ(live.Flush(0, 8).safe, 8u);
  EXPECT_EQ(Out(), "a: one\na: last\n");
  EXPECT_EQ(Err(), "b: two\n");
}

TEST_F(PresentersTest, AComputersColourIsAlwaysTheSame) {
  EXPECT_EQ(MakeTag("web01/3", "web01", false), "web01/3: ");
  const std::string tag = MakeTag("web01", "web01", true);
  EXPECT_EQ(tag, MakeTag("web01", "web01", true));
  EXPECT_THAT(tag,
              ::testing::MatchesRegex("\x1b\\[[39][0-9]mweb01:\x1b\\[0m "));
}

TEST_F(PresentersTest, JsonLinesAreExact) {
  JsonLinesPresenter json(Names(2), writer_);
  json.Output(0, kOut, 0, "a\"b\n\x01");
  // A character that comes in two parts, and bytes that are none.
  EXPECT_EQ(json.Output(0, kOut, 5, "x\xc3").safe, 6u);
  json.Output(0, kOut, 7, "\xa4!");
  json.Output(1, kErr, 0, "\xff\xfe");
  EXPECT_EQ(json.Output(1, kOut, 2, "\xe2\x82").safe, 2u);
  EXPECT_EQ(json.Flush(1, 4).safe, 4u);
  EXPECT_TRUE(json.Ended(0, Outcome()).ok());
  EXPECT_TRUE(json.Ended(1, {TargetState::kUnreachable, 125, "o\xff"}).ok());
  const std::string one = "{\"computer\":\"web01\",\"session\":1,";
  const std::string two = "{\"computer\":\"web02\",\"session\":2,";
  EXPECT_EQ(
      Out(),
      one +
          "\"stream\":\"stdout\",\"offset\":0,\"data\":\"a\\\"b\\n\\u0001\"}"
          "\n" +
          one + "\"stream\":\"stdout\",\"offset\":5,\"data\":\"x\"}\n" + one +
          "\"stream\":\"stdout\",\"offset\":6,\"data\":\"\xc3\xa4!\"}\n" + two +
          "\"stream\":\"stderr\",\"offset\":0,\"data_base64\":\"//4=\"}\n" +
          two +
          "\"stream\":\"stdout\",\"offset\":2,\"data_base64\":\"4oI=\"}\n" +
          one + "\"state\":\"ok\",\"exit_code\":0}\n" + two +
          "\"state\":\"unreachable\",\"detail\":\"o\\\\377\"}\n");
}

TEST_F(PresentersTest, Utf8IsTold) {
  for (const char* good :
       {"", "a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    EXPECT_TRUE(IsUtf8(good)) << good;
  }
  for (const char* bad : {"\x80", "\xc3", "\xc0\x80", "\xed\xa0\x80",
                          "\xe0\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_FALSE(IsUtf8(bad)) << bad;
  }
  EXPECT_EQ(IncompleteTail("a\xe2\x82"), 2u);
  EXPECT_EQ(IncompleteTail("a\xe2\x82\xac"), 0u);
  EXPECT_EQ(IncompleteTail("\x80\x80\x80\x80"), 0u);
}

TEST_F(PresentersTest, GatherFoldsWhatIsTheSame) {
  GatherPresenter gather(Names(5), {}, writer_);
  for (size_t i : {4, 2, 0}) {
    // However it was cut.
    gather.Output(i, kOut, 0, i == 0 ? "sa" : "same\n");
    if (i == 0) gather.Output(i, kOut, 2, "me\n");
    EXPECT_TRUE(gather.Ended(i, Outcome()).ok());
  }
  gather.Output(1, kOut, 0, "same\n");
  gather.Output(1, kErr, 5, "bad");
  EXPECT_TRUE(gather.Ended(1, Failed(3)).ok());
  EXPECT_TRUE(gather.Ended(3, Failed(1)).ok());  // Printed nothing.
  EXPECT_TRUE(gather.Finish().ok());
  EXPECT_EQ(Out(),
            "---------------\nweb[01,03,05] (3)\n---------------\nsame\n"
            "---------------\nweb02 failed(3)\n---------------\nsame\n");
  EXPECT_EQ(Err(), "bad\n");
}

TEST_F(PresentersTest, GatherEscapesForTerminals) {
  GatherPresenter gather(Names(1), {false, true, false}, writer_);
  gather.Output(0, kOut, 0, "a\tb\x1b[2J\n");
  EXPECT_TRUE(gather.Ended(0, Outcome()).ok());
  EXPECT_TRUE(gather.Finish().ok());
  EXPECT_THAT(Out(), HasSubstr("a\tb\\x1b[2J\n"));
}

TEST_F(PresentersTest, DiffComparesWithTheMostCommon) {
  GatherPresenter gather(Names(3), {true, false, false}, writer_);
  for (size_t i : {0, 1, 2}) {
    gather.Output(i, kOut, 0,
                  i == 0 ? "one\nother\nthree\n" : "one\ntwo\nthree\n");
    EXPECT_TRUE(gather.Ended(i, Outcome()).ok());
  }
  EXPECT_TRUE(gather.Finish().ok());
  EXPECT_EQ(
      Out(),
      "---------------\nweb[02-03] (2)\n---------------\none\ntwo\nthree\n"
      "--- web[02-03]\n+++ web01\n"
      "@@ -1,3 +1,3 @@\n one\n-two\n+other\n three\n");
}

TEST(LineDiffTest, ShowsChangesInContext) {
  EXPECT_EQ(LineDiff("a\n", "a\n"), "");
  EXPECT_EQ(LineDiff("", "a\n"), "@@ -0,0 +1,1 @@\n+a\n");
  EXPECT_EQ(LineDiff("a\nb\n", ""), "@@ -1,2 +0,0 @@\n-a\n-b\n");
  EXPECT_EQ(LineDiff("a", "a\n"), "\\ No newline at end of output\n");
  std::string lines, more;
  for (int i = 0; i < 40; ++i) absl::StrAppend(&lines, i, "\n");
  more = "x\n" + lines + "y\n";
  EXPECT_EQ(LineDiff(lines, more),
            "@@ -1,3 +1,4 @@\n+x\n 0\n 1\n 2\n"
            "@@ -38,3 +39,4 @@\n 37\n 38\n 39\n+y\n");
  std::string other;
  for (int i = 0; i < 5000; ++i) absl::StrAppend(&other, "o", i, "\n");
  std::string another;
  for (int i = 0; i < 5000; ++i) absl::StrAppend(&another, "a", i, "\n");
  EXPECT_EQ(LineDiff(other, another), std::nullopt);
}

// Whatever the change, what the hunks say is there.
TEST(LineDiffTest, IsRightForAnyLines) {
  for (unsigned seed = 1; seed < 300; ++seed) {
    std::string texts[2];
    unsigned state = seed;
    for (std::string& text : texts) {
      const int count = rand_r(&state) % 12;
      for (int i = 0; i < count; ++i) {
        absl::StrAppend(&text, rand_r(&state) % 3, "\n");
      }
    }
    if (texts[0] == texts[1]) continue;
    const std::string diff = *LineDiff(texts[0], texts[1]);
    // With so few lines one hunk may leave out some in front and behind.
    std::string from, to;
    for (size_t at = 0; at < diff.size();) {
      const size_t end = diff.find('\n', at);
      const std::string line = diff.substr(at + 1, end - at);
      if (diff[at] == ' ' || diff[at] == '-') from += line;
      if (diff[at] == ' ' || diff[at] == '+') to += line;
      at = end + 1;
    }
    if (diff.find("@@", 3) == diff.rfind("@@")) {
      EXPECT_THAT(texts[0], HasSubstr(from)) << seed << "\n" << diff;
      EXPECT_THAT(texts[1], HasSubstr(to)) << seed << "\n" << diff;
      EXPECT_EQ(texts[0].size() - from.size(), texts[1].size() - to.size());
    }
  }
}

TEST(OutDirTest, WritesAFileForEachStream) {
  char path[] = "/tmp/outdirXXXXXX";
  ASSERT_NE(mkdtemp(path), nullptr);
  std::vector<TargetName> names = Names(2);
  names[1].label = "web02/7";
  auto dir = OutDirPresenter::Make(absl::StrCat(path, "/new"), names);
  ASSERT_TRUE(dir.ok()) << dir.status();
  EXPECT_TRUE((*dir)->Output(0, kOut, 0, "out").status.ok());
  EXPECT_TRUE((*dir)->Output(1, kErr, 0, "err").status.ok());
  EXPECT_TRUE((*dir)->Ended(0, Outcome()).ok());
  EXPECT_TRUE((*dir)->Ended(1, Failed(2)).ok());
  const auto read = [&](const std::string& name) {
    return ReadFile(absl::StrCat(path, "/new/", name)).value_or("none");
  };
  EXPECT_EQ(read("web01.out"), "out");
  EXPECT_EQ(read("web01.err"), "");
  EXPECT_EQ(read("web01.status"), "ok 0\n");
  EXPECT_EQ(read("web02@7.err"), "err");
  EXPECT_EQ(read("web02@7.status"), "failed 2\n");
  EXPECT_FALSE(OutDirPresenter::Make("/proc/nope/x", names).ok());
  EXPECT_EQ(system(absl::StrCat("rm -r ", path).c_str()), 0);
}

TEST(SpoolTest, WhatIsTooMuchGoesToAFile) {
  SpoolStore store(100 << 10);
  Spool a(store), b(store);
  std::string want;
  for (int i = 0; i < 3000; ++i) {
    const std::string piece = absl::StrCat("piece ", i, std::string(200, 'x'));
    want += piece;
    ASSERT_TRUE(a.Append(piece).ok());
    ASSERT_TRUE(b.Append(piece).ok());
  }
  EXPECT_EQ(a.size(), want.size());
  EXPECT_TRUE(*a.Read(want.size()) == want);
  EXPECT_EQ(*a.Hash(), *b.Hash());
  EXPECT_TRUE(absl::IsResourceExhausted(a.Read(10).status()));
  ASSERT_TRUE(b.Append("!").ok());
  EXPECT_NE(*a.Hash(), *b.Hash());
}

TEST(SummaryTest, IdsAreASelector) {
  EXPECT_EQ(SelectIds({7, 3, 2, 1}), "1..3,7");
  EXPECT_EQ(SelectIds({}), "");
}

TEST(SummaryTest, SaysHowAllEnded) {
  std::vector<std::string> labels;
  std::vector<std::optional<Outcome>> outcomes;
  for (int i = 10; i < 20; ++i) {
    labels.push_back(absl::StrCat("web", i));
    outcomes.push_back(Outcome());
  }
  EXPECT_EQ(Summarize(labels, outcomes), "10 ok");
  outcomes[0] = outcomes[1] = Failed(1);
  outcomes[2] = OutcomeOf(absl::UnavailableError("off"));
  outcomes[3] = OutcomeOf(absl::UnavailableError("off"));
  outcomes[4] = Skipped("after 2 failures", 0);
  EXPECT_EQ(Summarize(labels, outcomes),
            "5 ok, 2 failed(1): web[10-11], 2 unreachable: web[12-13], 1 "
            "skipped: web14");
  EXPECT_THAT(Reasons(labels, outcomes),
              ::testing::ElementsAre("web[12-13]: off"));
}

}  // namespace
}  // namespace berth::cli
