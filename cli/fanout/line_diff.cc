#include "cli/fanout/line_diff.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace berth::cli {
namespace {

constexpr int kMaxLines = 100000;
constexpr int kMaxChanges = 1000;
constexpr int kContext = 3;

using Lines = std::vector<absl::string_view>;

struct Step {
  char kind;  // ' ', '-' or '+'.
  int a;      // The line of `a` that it shows, or stands before.
  int b;
};

Lines Split(absl::string_view text) {
  Lines lines = absl::StrSplit(text, '\n');
  if (lines.back().empty()) lines.pop_back();
  return lines;
}

// Myers' greedy algorithm: how far each diagonal is reached with d changes.
std::optional<std::vector<std::vector<int>>> Reach(const Lines& a,
                                                   const Lines& b) {
  const int n = a.size(), m = b.size();
  const int most = std::min(n + m, kMaxChanges);
  std::vector<int> reach(2 * most + 3, 0);
  std::vector<std::vector<int>> trace;
  for (int d = 0; d <= most; ++d) {
    for (int k = -d; k <= d; k += 2) {
      const int at = k + most + 1;
      int x = k == -d || (k != d && reach[at - 1] < reach[at + 1])
                  ? reach[at + 1]
                  : reach[at - 1] + 1;
      while (x < n && x - k < m && a[x] == b[x - k]) ++x;
      reach[at] = x;
      if (x >= n && x - k >= m) {
        trace.emplace_back(reach.begin() + most + 1 - d,
                           reach.begin() + most + 2 + d);
        return trace;
      }
    }
    trace.emplace_back(reach.begin() + most + 1 - d,
                       reach.begin() + most + 2 + d);
  }
  return std::nullopt;
}

// The way back through what Reach() saw.
std::vector<Step> Steps(const Lines& a, const Lines& b,
                        const std::vector<std::vector<int>>& trace) {
  std::vector<Step> steps;
  int x = a.size(), y = b.size();
  for (int d = static_cast<int>(trace.size()) - 1; d > 0; --d) {
    const std::vector<int>& before = trace[d - 1];
    // Diagonal k stands at k + d - 1, if it was reached at all.
    const auto reached = [&](int k) {
      return k < -(d - 1) || k > d - 1 ? -1 : before[k + d - 1];
    };
    const int k = x - y;
    const bool down = k == -d || (k != d && reached(k - 1) < reached(k + 1));
    const int from_x = reached(down ? k + 1 : k - 1);
    const int from_y = from_x - (down ? k + 1 : k - 1);
    while (x > from_x + (down ? 0 : 1) && y > from_y + (down ? 1 : 0)) {
      steps.push_back({' ', --x, --y});
    }
    if (down) {
      steps.push_back({'+', x, --y});
    } else {
      steps.push_back({'-', --x, y});
    }
  }
  while (x > 0 && y > 0) steps.push_back({' ', --x, --y});
  std::reverse(steps.begin(), steps.end());
  return steps;
}

void AppendHunk(const Lines& a, const Lines& b, const std::vector<Step>& steps,
                int begin, int end, std::string& out) {
  int from = 0, to = 0;
  for (int i = begin; i < end; ++i) {
    from += steps[i].kind != '+';
    to += steps[i].kind != '-';
  }
  // A hunk without lines stands after the line before it.
  absl::StrAppend(&out, "@@ -", steps[begin].a + (from > 0), ",", from, " +",
                  steps[begin].b + (to > 0), ",", to, " @@\n");
  for (int i = begin; i < end; ++i) {
    const Step& step = steps[i];
    absl::StrAppend(&out, std::string(1, step.kind),
                    step.kind == '+' ? b[step.b] : a[step.a], "\n");
  }
}

}  // namespace

std::optional<std::string> LineDiff(absl::string_view a, absl::string_view b) {
  if (a == b) return "";
  const Lines from = Split(a), to = Split(b);
  if (from.size() > kMaxLines || to.size() > kMaxLines) return std::nullopt;
  const auto trace = Reach(from, to);
  if (!trace) return std::nullopt;
  const std::vector<Step> steps = Steps(from, to, *trace);
  std::string out;
  const int count = steps.size();
  for (int i = 0; i < count;) {
    if (steps[i].kind == ' ') {
      ++i;
      continue;
    }
    const int begin = std::max(0, i - kContext);
    int last = i;  // The last change of the hunk.
    for (int j = i; j < count && j <= last + 2 * kContext; ++j) {
      if (steps[j].kind != ' ') last = j;
    }
    i = std::min(count, last + kContext + 1);
    AppendHunk(from, to, steps, begin, i, out);
  }
  // They differ in their last newline alone.
  if (out.empty()) return "\\ No newline at end of output\n";
  return out;
}

}  // namespace berth::cli
