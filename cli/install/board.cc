#include "cli/install/board.h"

#include <sys/ioctl.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/escape.h"
#include "cli/ssh/ask.h"

namespace berth::cli {
namespace {

// How often a table is drawn at most.
constexpr absl::Duration kFrame = absl::Milliseconds(100);

}  // namespace

Board::Board(Invocation& invocation, std::vector<std::string> names)
    : invocation_(invocation),
      names_(std::move(names)),
      can_ask_(CanAsk(invocation)),
      rows_(names_.size()) {
  for (const std::string& name : names_) {
    name_width_ = std::max(name_width_, name.size());
  }
  winsize size = {};
  const absl::string_view term = invocation.environment().Get("TERM");
  if (invocation.out().IsTerminal() && term != "dumb" &&
      ioctl(invocation.in_fd(), TIOCGWINSZ, &size) == 0 &&
      size.ws_row > names_.size() && size.ws_col > name_width_ + 20) {
    columns_ = size.ws_col;
  }
}

void Board::Doing(size_t host, std::string what) {
  MutexLock lock(mu_);
  rows_[host].what = std::move(what);
  dirty_ = true;
  changed_.NotifyAll();
}

void Board::Done(size_t host, bool ok, std::string what) {
  MutexLock lock(mu_);
  rows_[host].what = std::move(what);
  rows_[host].state = ok ? Row::kOk : Row::kFailed;
  finished_.push_back(host);
  dirty_ = true;
  changed_.NotifyAll();
}

bool Board::Ask(const std::string& question) {
  if (!can_ask_) return false;
  Question mine{question};
  MutexLock lock(mu_);
  questions_.push_back(&mine);
  changed_.NotifyAll();
  while (!mine.answered) answered_.Wait(mu_);
  return mine.yes;
}

std::string Board::Line(size_t host, const Row& row) const {
  const char* const word = row.state == Row::kOk       ? "ok"
                           : row.state == Row::kFailed ? "FAILED"
                                                       : "...";
  return absl::StrFormat("%-6s  %-*s  %s", word, static_cast<int>(name_width_),
                         EscapeForTerminal(names_[host]),
                         EscapeForTerminal(row.what));
}

// The table over the one on the screen. Lines are cut: what failed is told in
// full at the end.
std::string Board::Table(const std::vector<Row>& rows) {
  std::string text = shown_ == 0 ? "" : absl::StrFormat("\x1b[%dA", shown_);
  for (size_t i = 0; i < rows.size(); ++i) {
    absl::StrAppend(&text, Line(i, rows[i]).substr(0, columns_ - 1),
                    "\x1b[K\n");
  }
  shown_ = rows.size();
  return text;
}

void Board::TellWhatWasCut() {
  std::vector<Row> rows;
  {
    MutexLock lock(mu_);
    rows = rows_;
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (Line(i, rows[i]).size() < columns_) continue;
    invocation_.Say(absl::StrCat(names_[i], ": ", rows[i].what));
  }
}

int Board::Show() {
  size_t left = names_.size();
  bool failed = false;
  int exit = 0;
  while (left > 0) {
    std::vector<Row> rows;
    std::deque<size_t> finished;
    Question* question = nullptr;
    {
      MutexLock lock(mu_);
      while (!dirty_ && questions_.empty()) changed_.Wait(mu_);
      if (!questions_.empty()) {
        question = questions_.front();
        questions_.pop_front();
      }
      dirty_ = false;
      rows = rows_;
      finished.swap(finished_);
    }
    left -= finished.size();
    for (const size_t host : finished) {
      failed = failed || rows[host].state == Row::kFailed;
    }
    std::string text;
    if (columns_ > 0) {
      text = Table(rows);
    } else {
      for (const size_t host : finished) {
        absl::StrAppend(&text, Line(host, rows[host]), "\n");
      }
    }
    if (exit == 0 && !text.empty()) exit = invocation_.Print(text);
    if (exit != 0) invocation_.signals().Leave();  // Nobody looks any more.
    if (question != nullptr) {
      const bool yes = exit == 0 && AskYes(invocation_, question->text);
      shown_ = 0;  // What was asked stays; the table goes on below.
      MutexLock lock(mu_);
      question->yes = yes;
      question->answered = true;
      answered_.NotifyAll();
      dirty_ = true;
    }
    if (columns_ > 0 && left > 0) {
      MutexLock lock(mu_);
      if (questions_.empty()) changed_.WaitFor(mu_, kFrame);
    }
  }
  if (columns_ > 0 && exit == 0) TellWhatWasCut();
  return exit != 0 ? exit : failed ? 1 : 0;
}

}  // namespace berth::cli
