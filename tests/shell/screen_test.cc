// A terminal that is watched: by who was there all the time, who comes later,
// who comes back, and who is too slow.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "agent/screen/terminal_screen.h"
#include "tests/shell/shell_test.h"
#include "tests/support/holder_client.h"
#include "tests/support/proc.h"

namespace berth::testing {
namespace {

using absl::StrCat;
using holder::v1::Event;
using holder::v1::Request;
using screen::TerminalScreen;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr absl::Duration kPatience = absl::Seconds(10);

// A watcher with a terminal of its own.
class Watcher {
 public:
  Watcher(HolderClient client, size_t rows, size_t columns)
      : client_(std::move(client)), screen_(rows, columns) {}

  absl::Status Watch(std::optional<uint64_t> from_offset) {
    Request request;
    request.mutable_watch_terminal();
    if (from_offset) {
      request.mutable_watch_terminal()->set_from_offset(*from_offset);
    }
    return client_.Send(request);
  }

  // Takes what comes until `text` is shown; what is shown then, or was when
  // time was up.
  std::string WaitFor(absl::string_view text) {
    const absl::Time deadline = absl::Now() + kPatience;
    while (!absl::StrContains(Text(), text) && absl::Now() < deadline) {
      auto event = client_.Next(absl::Milliseconds(20));
      if (event.ok()) Take(*event);
    }
    return Text();
  }

  std::string Text() const { return absl::StrJoin(screen_.Text(), "\n"); }
  const TerminalScreen& screen() const { return screen_; }
  int screens() const { return screens_; }
  uint64_t offset() const { return offset_; }
  bool gap() const { return gap_; }

 private:
  void Take(const Event& event) {
    if (event.has_terminal_screen()) {
      screen_.Feed(event.terminal_screen().data());
      if (event.terminal_screen().last()) {
        ++screens_;
        offset_ = event.terminal_screen().offset();
      }
    } else if (event.has_terminal_output()) {
      gap_ |= event.terminal_output().offset() != offset_;
      screen_.Feed(event.terminal_output().data());
      offset_ = event.terminal_output().offset() +
                event.terminal_output().data().size();
    }
  }

  HolderClient client_;
  TerminalScreen screen_;
  int screens_ = 0;
  uint64_t offset_ = 0;
  bool gap_ = false;
};

class ScreenTest : public ShellTest {
 protected:
  std::unique_ptr<Watcher> NewWatcher() {
    auto client = session().Connect();
    if (!Check(client.status())) return nullptr;
    return std::make_unique<Watcher>(*std::move(client), 24, 100);
  }

  // One that comes now, and has nothing.
  std::unique_ptr<Watcher> WatchNow() {
    std::unique_ptr<Watcher> watcher = NewWatcher();
    if (watcher) Check(watcher->Watch(std::nullopt));
    return watcher;
  }

  // So much that what was printed before is no longer remembered.
  void PrintMuch() { Run("seq 100000 >/dev/tty"); }

  // The same, by an editor; ends in its insert mode, after "marker".
  void PrintMuchInEditor() {
    const size_t from = session().terminal().size();
    for (int k = 0; k < 200 && !HasFailure(); ++k) Type(":redraw!\n");
    Type("imarker");
    Check(session().WaitUntil(
        [&] { return session().terminal().size() > from + 65536; },
        "more than what is remembered"));
  }
};

TEST_F(ScreenTest, WhoComesLaterSeesTheHalfTypedLine) {
  Repeat([&](int i) {
    TypeLine(StrCat("echo before", i));
    TypePart("echo ha");
    auto watcher = WatchNow();
    if (!watcher) return;
    EXPECT_THAT(watcher->WaitFor("$ echo ha"), HasSubstr(StrCat("before", i)));
    EXPECT_EQ(watcher->screen().column(), 9u);
    EXPECT_EQ(watcher->screens(), 1);
    // And follows from there.
    TypeUntilPrompt("lf\n");
    EXPECT_THAT(watcher->WaitFor("half\n$"), HasSubstr("$ echo half\nhalf\n$"));
    EXPECT_FALSE(watcher->gap());
    EXPECT_EQ(watcher->screens(), 1);
  });
}

TEST_F(ScreenTest, WhoComesLaterSeesTheEditorAndThenThePrompt) {
  WriteTextFile(session().home() + "/text", "first line\nsecond line\n");
  PrintMuch();
  Repeat([&](int i) {
    TypeLine(StrCat("echo before", i));
    const size_t from = session().terminal().size();
    Type("vi -u NONE -n ~/text\n");
    Check(session().WaitTerminal("second line", from));
    auto early = WatchNow();
    PrintMuchInEditor();
    auto late = WatchNow();
    if (!early || !late) return;
    for (Watcher* watcher : {early.get(), late.get()}) {
      EXPECT_THAT(
          watcher->WaitFor("marker"),
          AllOf(StartsWith("markerfirst line\n"), HasSubstr("\nsecond line")));
      EXPECT_TRUE(watcher->screen().alternate());
    }
    EXPECT_EQ(late->screen().row(), early->screen().row());
    EXPECT_EQ(late->screen().column(), early->screen().column());
    EXPECT_EQ(late->screen().Redraw(false), early->screen().Redraw(false));
    TypeUntilPrompt("\x1b:q!\n");
    for (Watcher* watcher : {early.get(), late.get()}) {
      EXPECT_THAT(
          watcher->WaitFor(StrCat("before", i, "\n$ vi -u NONE -n ~/text\n$")),
          HasSubstr(StrCat("before", i, "\n$ vi -u NONE -n ~/text\n$")));
      EXPECT_FALSE(watcher->screen().alternate());
    }
  });
}

TEST_F(ScreenTest, WhoComesBackGetsWhatWasPrintedMeanwhile) {
  auto watcher = WatchNow();
  if (!watcher) return;
  TypeLine("echo one");
  watcher->WaitFor("one\n$");
  auto back = NewWatcher();
  if (!back) return;
  size_t from = session().terminal().size();
  TypeLine("echo two");
  Check(back->Watch(watcher->offset()));
  EXPECT_THAT(back->WaitFor("two\n$"), Not(HasSubstr("one")));
  EXPECT_EQ(back->screens(), 0);
  EXPECT_GT(session().terminal().size(), from);
}

TEST_F(ScreenTest, WhoComesBackTooLateGetsTheScreen) {
  TypeLine("echo one");
  auto back = NewWatcher();
  if (!back) return;
  PrintMuch();
  Check(back->Watch(3));
  EXPECT_THAT(back->WaitFor("100000"), HasSubstr("99999\n100000"));
  EXPECT_EQ(back->screens(), 1);
}

TEST_F(ScreenTest, WhoIsTooSlowGetsTheScreenInsteadOfAGap) {
  auto watcher = WatchNow();
  if (!watcher) return;
  watcher->WaitFor("$");
  for (int k = 0; k < 5; ++k) PrintMuch();
  TypeLine("echo caught up");
  EXPECT_THAT(watcher->WaitFor("\ncaught up"), HasSubstr("100000"));
  EXPECT_GE(watcher->screens(), 2);
  EXPECT_FALSE(watcher->gap());
}

TEST_F(ScreenTest, ScreenHasTheTerminalsNewSize) {
  auto before = WatchNow();
  TypeLine("echo text");
  Check(session().Resize(10, 30));
  Check(session().Sync());
  auto client = session().Connect();
  if (!Check(client.status())) return;
  Request request;
  request.mutable_watch_terminal();
  Check(client->Send(request));
  auto event = client->Next();
  if (!Check(event.status())) return;
  EXPECT_EQ(event->terminal_screen().rows(), 10u);
  EXPECT_EQ(event->terminal_screen().columns(), 30u);
}

// What an idle session takes is a promise, also when somebody has watched it.
TEST_F(ScreenTest, ModelTakesLittleMemory) {
  for (int k = 0; k < 20; ++k) TypeLine(StrCat("echo line", k));
  {
    auto watcher = WatchNow();
    if (!watcher) return;
    watcher->WaitFor("line19\n$");
  }
  Run("true");
  EXPECT_LT(AnonymousKilobytes(session().holder_pid()), 300);
}

}  // namespace
}  // namespace berth::testing
