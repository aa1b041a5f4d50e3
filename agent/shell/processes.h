#ifndef BERTH_AGENT_SHELL_PROCESSES_H_
#define BERTH_AGENT_SHELL_PROCESSES_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace berth::shell {

// What /proc/<pid>/stat says of a process.
struct ProcessInfo {
  pid_t pid = 0;
  std::string name;  // Of its program, at most 15 bytes.
  char state = '?';
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  uint64_t start_ticks = 0;  // Since boot.
};

// Reads the text of a stat file. Nothing if it isn't one.
std::optional<ProcessInfo> ParseProcessInfo(absl::string_view stat);

// Nothing if there is no such process.
std::optional<ProcessInfo> GetProcessInfo(pid_t pid);

// The direct children of process `pid`, oldest first. Empty if it is gone.
std::vector<pid_t> ChildrenOf(pid_t pid);

// All that descend from process `root`, without it, and without those that
// have ended and wait to be reaped. Costs as much as there are, whatever else
// runs; one that comes, or changes its parent, meanwhile may be missed.
std::vector<pid_t> DescendantsOf(pid_t root);

// All processes that there are.
std::vector<ProcessInfo> AllProcesses();

// The processes among `all` that are in the POSIX session `session`, or descend
// from `root`; `root` itself not unless it is in the session.
std::vector<pid_t> SessionMembers(const std::vector<ProcessInfo>& all,
                                  pid_t session, pid_t root);

// Its arguments, separated by blanks, at most 200 bytes; its name if it has
// none. Empty if it is gone.
std::string CommandLineOf(pid_t pid);

// Ticks since boot, as in ProcessInfo.
uint64_t NowTicks();

// How many of them are in a second.
uint64_t TicksPerSecond();

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_PROCESSES_H_
