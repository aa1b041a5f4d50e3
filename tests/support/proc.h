#ifndef BERTH_TESTS_SUPPORT_PROC_H_
#define BERTH_TESTS_SUPPORT_PROC_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace berth::testing {

// What /proc says of a process. All of it is a snapshot, and empty or -1 if the
// process is gone.

// Field `number` (as counted in proc(5), from 3 on) of /proc/<pid>/stat.
std::string ProcessField(pid_t pid, int number);
// "R", "S", "T", "Z" and so on.
std::string ProcessState(pid_t pid);
std::string ProcessName(pid_t pid);
// Whether it exists and is no zombie.
bool ProcessLives(pid_t pid);
// Bytes it has read with read(2) so far.
int64_t BytesRead(pid_t pid);
// How many descriptors it has open.
size_t OpenFiles(pid_t pid);
// Kilobytes of memory that are its own and changed.
int64_t PrivateDirtyKilobytes(pid_t pid);
// Memory that is its own, without pages of its program.
int64_t AnonymousKilobytes(pid_t pid);
// Memory in kilobytes, with its share of pages that others have, too.
int64_t ProportionalKilobytes(pid_t pid);
// Processor time that it has used, in seconds.
double CpuSeconds(pid_t pid);
// Processes, zombies excepted, of the session (as in setsid(2)) of `leader`.
std::vector<pid_t> ProcessesOfSession(pid_t leader);
// Processes, zombies excepted, with `text` in their command line.
std::vector<pid_t> ProcessesWith(const std::string& text);

}  // namespace berth::testing

#endif  // BERTH_TESTS_SUPPORT_PROC_H_
