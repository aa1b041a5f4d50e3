#include "tests/support/proc.h"

#include <dirent.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

std::string ReadProc(pid_t pid, absl::string_view file) {
  return ReadTextFile(absl::StrCat("/proc/", pid, "/", file));
}

// The number after `label` in a file of "label: number" lines; -1 if none.
int64_t Labelled(const std::string& content, const std::string& label) {
  size_t at = content.find(label);
  if (at == std::string::npos) return -1;
  return std::strtoll(content.c_str() + at + label.size(), nullptr, 10);
}

std::vector<pid_t> ProcessesWhere(const std::function<bool(pid_t)>& matches) {
  std::vector<pid_t> found;
  DIR* proc = opendir("/proc");
  while (dirent* entry = readdir(proc)) {
    int pid = 0;
    if (!absl::SimpleAtoi(entry->d_name, &pid) || pid == getpid()) continue;
    if (matches(pid) && ProcessLives(pid)) found.push_back(pid);
  }
  closedir(proc);
  return found;
}

}  // namespace

std::string ProcessField(pid_t pid, int number) {
  std::string stat = ReadProc(pid, "stat");
  size_t end = stat.rfind(") ");  // The name before it may contain anything.
  if (end == std::string::npos) return "";
  std::vector<std::string> fields =
      absl::StrSplit(absl::string_view(stat).substr(end + 2), ' ');
  size_t index = static_cast<size_t>(number - 3);
  return index < fields.size() ? fields[index] : "";
}

std::string ProcessState(pid_t pid) { return ProcessField(pid, 3); }

std::string ProcessName(pid_t pid) {
  std::string name = ReadProc(pid, "comm");
  if (!name.empty()) name.pop_back();
  return name;
}

bool ProcessLives(pid_t pid) {
  std::string state = ProcessState(pid);
  return !state.empty() && state != "Z" && state != "X";
}

int64_t BytesRead(pid_t pid) { return Labelled(ReadProc(pid, "io"), "rchar:"); }

int64_t PrivateDirtyKilobytes(pid_t pid) {
  return Labelled(ReadProc(pid, "smaps_rollup"), "Private_Dirty:");
}

int64_t AnonymousKilobytes(pid_t pid) {
  return Labelled(ReadProc(pid, "smaps_rollup"), "Anonymous:");
}

size_t OpenFiles(pid_t pid) {
  DIR* dir = opendir(absl::StrCat("/proc/", pid, "/fd").c_str());
  if (dir == nullptr) return 0;
  size_t count = 0;
  while (readdir(dir) != nullptr) ++count;
  closedir(dir);
  return count - 2;  // "." and ".."
}

int64_t ProportionalKilobytes(pid_t pid) {
  return Labelled(ReadProc(pid, "smaps_rollup"), "Pss:");
}

double CpuSeconds(pid_t pid) {
  int64_t user = 0;
  int64_t system = 0;
  if (!absl::SimpleAtoi(ProcessField(pid, 14), &user) ||
      !absl::SimpleAtoi(ProcessField(pid, 15), &system)) {
    return -1;
  }
  return static_cast<double>(user + system) /
         static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::vector<pid_t> ProcessesOfSession(pid_t leader) {
  std::string wanted = absl::StrCat(leader);
  return ProcessesWhere(
      [&](pid_t pid) { return ProcessField(pid, 6) == wanted; });
}

std::vector<pid_t> ProcessesWith(const std::string& text) {
  return ProcessesWhere([&](pid_t pid) {
    return ReadProc(pid, "cmdline").find(text) != std::string::npos;
  });
}

}  // namespace berth::testing
