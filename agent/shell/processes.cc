#include "agent/shell/processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace berth::shell {
namespace {

constexpr size_t kMaxCommandLine = 200;

// Reads at most `limit` bytes of a file in /proc; empty if there is none.
std::string ReadProc(const std::string& path, size_t limit) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "";
  std::string text(limit, 0);
  size_t length = 0;
  while (length < limit) {
    ssize_t got = read(fd, &text[length], limit - length);
    if (got <= 0) break;
    length += static_cast<size_t>(got);
  }
  close(fd);
  text.resize(length);
  return text;
}

}  // namespace

std::optional<ProcessInfo> ParseProcessInfo(absl::string_view stat) {
  // The name is in brackets, and may have brackets and blanks in it.
  size_t open = stat.find('(');
  size_t close = stat.rfind(')');
  if (open == stat.npos || close == stat.npos || close < open) {
    return std::nullopt;
  }
  ProcessInfo info;
  info.name = std::string(stat.substr(open + 1, close - open - 1));
  std::vector<absl::string_view> fields =
      absl::StrSplit(stat.substr(close + 1), ' ', absl::SkipEmpty());
  if (fields.size() < 20 ||
      !absl::SimpleAtoi(absl::StripSuffix(stat.substr(0, open), " "),
                        &info.pid) ||
      !absl::SimpleAtoi(fields[1], &info.parent) ||
      !absl::SimpleAtoi(fields[2], &info.group) ||
      !absl::SimpleAtoi(fields[3], &info.session) ||
      !absl::SimpleAtoi(fields[19], &info.start_ticks)) {
    return std::nullopt;
  }
  info.state = fields[0][0];
  return info;
}

std::optional<ProcessInfo> GetProcessInfo(pid_t pid) {
  return ParseProcessInfo(ReadProc(absl::StrCat("/proc/", pid, "/stat"), 1024));
}

std::vector<pid_t> ChildrenOf(pid_t pid) {
  std::vector<pid_t> children;
  std::string text =
      ReadProc(absl::StrCat("/proc/", pid, "/task/", pid, "/children"), 65536);
  for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    pid_t child;
    if (absl::SimpleAtoi(word, &child)) children.push_back(child);
  }
  return children;
}

namespace {

// Of any of its threads.
std::vector<pid_t> ChildrenOfAllThreads(pid_t pid) {
  std::vector<pid_t> children;
  const std::string tasks = absl::StrCat("/proc/", pid, "/task");
  std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(tasks.c_str()),
                                                closedir);
  if (directory == nullptr) return children;
  while (const dirent* entry = readdir(directory.get())) {
    pid_t thread;
    if (!absl::SimpleAtoi(entry->d_name, &thread)) continue;
    const std::string text =
        ReadProc(absl::StrCat(tasks, "/", thread, "/children"), 65536);
    for (absl::string_view word :
         absl::StrSplit(text, ' ', absl::SkipEmpty())) {
      pid_t child;
      if (absl::SimpleAtoi(word, &child)) children.push_back(child);
    }
  }
  return children;
}

}  // namespace

std::vector<pid_t> DescendantsOf(pid_t root) {
  std::vector<pid_t> found;
  absl::flat_hash_set<pid_t> seen = {root};
  std::vector<pid_t> open = {root};
  while (!open.empty()) {
    const pid_t pid = open.back();
    open.pop_back();
    for (const pid_t child : ChildrenOfAllThreads(pid)) {
      if (!seen.insert(child).second) continue;
      open.push_back(child);
      const auto info = GetProcessInfo(child);
      if (info && info->state != 'Z') found.push_back(child);
    }
  }
  return found;
}

std::vector<ProcessInfo> AllProcesses() {
  std::vector<ProcessInfo> all;
  std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir("/proc"), closedir);
  if (directory == nullptr) return all;
  while (const dirent* entry = readdir(directory.get())) {
    pid_t pid;
    if (!absl::SimpleAtoi(entry->d_name, &pid)) continue;
    if (auto info = GetProcessInfo(pid)) all.push_back(*std::move(info));
  }
  return all;
}

std::vector<pid_t> SessionMembers(const std::vector<ProcessInfo>& all,
                                  pid_t session, pid_t root) {
  absl::flat_hash_set<pid_t> members;
  bool grown = true;
  while (grown) {
    grown = false;
    for (const ProcessInfo& info : all) {
      bool belongs = info.session == session || info.parent == root ||
                     members.contains(info.parent);
      if (belongs && info.state != 'Z' && members.insert(info.pid).second) {
        grown = true;
      }
    }
  }
  if (auto self = std::find_if(all.begin(), all.end(),
                               [&](const auto& p) { return p.pid == root; });
      self != all.end() && self->session != session) {
    members.erase(root);
  }
  return std::vector<pid_t>(members.begin(), members.end());
}

std::string CommandLineOf(pid_t pid) {
  std::string line =
      ReadProc(absl::StrCat("/proc/", pid, "/cmdline"), kMaxCommandLine);
  while (!line.empty() && line.back() == 0) line.pop_back();
  std::replace(line.begin(), line.end(), '\0', ' ');
  if (!line.empty()) return line;
  auto info = GetProcessInfo(pid);
  return info ? info->name : "";
}

uint64_t TicksPerSecond() {
  static const uint64_t ticks = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  return ticks;
}

uint64_t NowTicks() {
  timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * TicksPerSecond() +
         static_cast<uint64_t>(now.tv_nsec) / (1000000000 / TicksPerSecond());
}

}  // namespace berth::shell
