#include "agent/holder/terminal_watch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "agent/holder/event_loop.h"
#include "agent/holder/terminal.h"
#include "agent/screen/terminal_screen.h"
#include "base/unique_fd.h"

namespace berth::holder {
namespace {

using screen::TerminalScreen;

// A terminal that a program writes to, without changes on the way.
class TerminalWatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    loop_ = *EventLoop::Create();
    master_.reset(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
    ASSERT_EQ(unlockpt(master_.get()), 0);
    slave_.reset(ioctl(master_.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY));
    ASSERT_TRUE(slave_.valid());
    termios modes;
    ASSERT_EQ(tcgetattr(slave_.get(), &modes), 0);
    cfmakeraw(&modes);
    ASSERT_EQ(tcsetattr(slave_.get(), TCSANOW, &modes), 0);
    terminal_ = std::make_unique<Terminal>(*loop_, master_.get(), [] {});
    terminal_->Resize(24, 80);
  }

  void Print(absl::string_view text) {
    while (!text.empty()) {
      ssize_t written =
          write(slave_.get(), text.data(), std::min<size_t>(text.size(), 2048));
      ASSERT_GT(written, 0);
      text.remove_prefix(static_cast<size_t>(written));
      terminal_->Drain();
    }
  }

  // So much that what came before is no longer remembered.
  void PrintMuch() {
    for (int i = 0; i < 30; ++i) Print(std::string(8000, 'x'));
  }

  // Takes what there is, as text: "S<bytes>" for parts of screens, "L" after
  // the last one, "O<offset>:<bytes>" for output.
  std::string TakeAll(TerminalWatch& watch) {
    std::string all;
    while (std::optional<v1::Event> event = watch.Next()) {
      if (event->has_terminal_screen()) {
        const v1::TerminalScreen& screen = event->terminal_screen();
        absl::StrAppend(&all, "S", screen.data(), screen.last() ? "L" : "");
      } else {
        absl::StrAppend(&all, "O", event->terminal_output().offset(), ":",
                        event->terminal_output().data());
      }
      watch.Sent();
    }
    return all;
  }

  // What a watcher's terminal shows that takes what there is.
  std::string ShowAll(TerminalWatch& watch, TerminalScreen& screen) {
    while (std::optional<v1::Event> event = watch.Next()) {
      screen.Feed(event->has_terminal_screen()
                      ? event->terminal_screen().data()
                      : event->terminal_output().data());
      EXPECT_LE(event->ByteSizeLong(), 64u << 10);
      watch.Sent();
    }
    std::string text;
    for (const std::string& line : screen.Text()) {
      absl::StrAppend(&text, line, "|");
    }
    text.erase(text.find_last_not_of('|') + 1);
    return text;
  }

  std::unique_ptr<EventLoop> loop_;
  UniqueFd master_;
  UniqueFd slave_;
  std::unique_ptr<Terminal> terminal_;
};

TEST_F(TerminalWatchTest, SendsNothingBeforeItBegins) {
  TerminalWatch watch(*terminal_);
  Print("text");
  EXPECT_FALSE(watch.Next());
}

TEST_F(TerminalWatchTest, WhoHasNothingGetsTheScreenAndThenOutput) {
  Print("one\r\ntwo");
  TerminalWatch watch(*terminal_);
  watch.Begin(std::nullopt);
  const std::string first = TakeAll(watch);
  EXPECT_EQ(first[0], 'S');
  EXPECT_EQ(first.back(), 'L');
  EXPECT_NE(first.find("one\r\ntwo"), first.npos);
  Print("three");
  EXPECT_EQ(TakeAll(watch), "O8:three");
}

TEST_F(TerminalWatchTest, ScreenSaysItsSizeAndWhereItIs) {
  Print("12345");
  terminal_->Resize(10, 20);
  TerminalWatch watch(*terminal_);
  watch.Begin(std::nullopt);
  const v1::TerminalScreen screen = watch.Next()->terminal_screen();
  EXPECT_EQ(screen.offset(), 5u);
  EXPECT_EQ(screen.rows(), 10u);
  EXPECT_EQ(screen.columns(), 20u);
}

TEST_F(TerminalWatchTest, WhoHasPartOfItGetsTheRest) {
  Print("one two");
  TerminalWatch watch(*terminal_);
  watch.Begin(4);
  EXPECT_EQ(TakeAll(watch), "O4:two");
  watch.Begin(0);
  EXPECT_EQ(TakeAll(watch), "O0:one two");
  watch.Begin(7);
  EXPECT_EQ(TakeAll(watch), "");
}

TEST_F(TerminalWatchTest, WhoseOffsetIsForgottenOrWrongGetsTheScreen) {
  PrintMuch();
  Print("\r\nend");
  for (uint64_t offset : {uint64_t{0}, terminal_->end() + 1}) {
    TerminalWatch watch(*terminal_);
    watch.Begin(offset);
    EXPECT_EQ(TakeAll(watch)[0], 'S') << offset;
  }
}

TEST_F(TerminalWatchTest, WhoIsTooSlowGetsTheScreenInsteadOfAGap) {
  TerminalWatch watch(*terminal_);
  watch.Begin(0);
  Print("seen\r\n");
  TerminalScreen shown(24, 80);
  EXPECT_EQ(ShowAll(watch, shown), "seen");
  PrintMuch();
  Print("\x1b[H\x1b[2Jnow\x1b[3");  // Ends within a sequence.
  EXPECT_EQ(ShowAll(watch, shown), "now");
  Print("1m red");
  EXPECT_EQ(ShowAll(watch, shown), "now red");
  EXPECT_EQ(shown.cell(0, 5).foreground, screen::IndexedColor(1));
}

TEST_F(TerminalWatchTest, OutputDuringALongScreenFollowsIt) {
  for (int i = 0; i < 1500; ++i) {
    Print(absl::StrCat("\x1b[3", i % 7, "mline ", i, std::string(60, '.'),
                       "\r\n"));
  }
  TerminalWatch watch(*terminal_);
  watch.Begin(std::nullopt);
  ASSERT_FALSE(watch.Next()->terminal_screen().last());
  watch.Sent();
  Print("later");
  TerminalScreen shown(24, 80);
  const std::string text = ShowAll(watch, shown);
  EXPECT_TRUE(absl::StrContains(text, "|later")) << text;
  // Even if it is more than what is remembered: then the screen comes again.
  watch.Begin(std::nullopt);
  watch.Next();
  watch.Sent();
  PrintMuch();
  Print("\x1b[H\x1b[2Jend");
  EXPECT_EQ(ShowAll(watch, shown), "end");
}

TEST_F(TerminalWatchTest, ScrollbackComesOnce) {
  for (int i = 0; i < 100; ++i) Print(absl::StrCat("line ", i, "\r\n"));
  TerminalWatch watch(*terminal_);
  watch.Begin(std::nullopt);
  EXPECT_NE(TakeAll(watch).find("line 0\r\n"), std::string::npos);
  watch.Begin(std::nullopt);
  const std::string again = TakeAll(watch);
  EXPECT_EQ(again.find("line 0\r\n"), std::string::npos);
  EXPECT_NE(again.find("line 99\r\n"), std::string::npos);
}

TEST_F(TerminalWatchTest, WatchersDoNotDisturbEachOther) {
  Print("a");
  TerminalWatch first(*terminal_);
  TerminalWatch second(*terminal_);
  first.Begin(0);
  second.Begin(std::nullopt);
  EXPECT_EQ(TakeAll(first), "O0:a");
  EXPECT_EQ(TakeAll(second)[0], 'S');
  Print("b");
  EXPECT_EQ(TakeAll(second), "O1:b");
  EXPECT_EQ(TakeAll(first), "O1:b");
}

// What nobody watched meanwhile is known all the same, also the modes that were
// set long before.
TEST_F(TerminalWatchTest, ModelIsKeptOrCanBeMadeAgain) {
  TerminalWatch watch(*terminal_);
  Print("\x1b[?2004hone");
  watch.Begin(std::nullopt);
  TakeAll(watch);
  terminal_->ForgetScreen();
  watch.Begin(std::nullopt);
  EXPECT_NE(TakeAll(watch).find("\x1b[?2004h"), std::string::npos);
  PrintMuch();
  terminal_->ForgetScreen();
  watch.Begin(std::nullopt);
  EXPECT_NE(TakeAll(watch).find("\x1b[?2004h"), std::string::npos);
}

TEST_F(TerminalWatchTest, SizeThatAProgramSetCounts) {
  winsize size = {5, 7, 0, 0};
  ASSERT_EQ(ioctl(slave_.get(), TIOCSWINSZ, &size), 0);
  TerminalWatch watch(*terminal_);
  watch.Begin(std::nullopt);
  EXPECT_EQ(watch.Next()->terminal_screen().columns(), 7u);
}

}  // namespace
}  // namespace berth::holder
