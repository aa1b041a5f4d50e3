// How fast 1 GiB goes from a command's pipe into the log, while a reader in
// another process follows and acknowledges it. What a session's bulk output
// costs on its computer before the network has seen it.

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "agent/log/command_log.h"
#include "agent/log/log_reader.h"
#include "agent/log/session_logs.h"

namespace berth::agent {
namespace {

constexpr uint64_t kBytes = uint64_t{1} << 30;

// Runs `head -c 1G /dev/zero` and returns the end of its pipe.
int StartHead(pid_t& pid) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) abort();
  fcntl(fds[1], F_SETPIPE_SZ, 1 << 20);
  pid = fork();
  if (pid == 0) {
    dup2(fds[1], 1);
    execlp("head", "head", "-c", "1G", "/dev/zero", nullptr);
    _exit(127);
  }
  close(fds[1]);
  return fds[0];
}

// Follows the log; gets its end through `in` and acknowledges through `out`.
[[noreturn]] void Follow(const std::string& directory, int in, int out) {
  auto reader = LogReader::Open(directory, 1, 0);
  std::vector<char> buffer(256 << 10);
  uint64_t end = 0;
  while (reader->offset() < kBytes) {
    uint64_t ends[512];
    const ssize_t got = read(in, ends, sizeof(ends));
    if (got <= 0) _exit(1);
    end = ends[got / sizeof(uint64_t) - 1];
    while (reader->offset() < end) {
      auto chunk = reader->Read(absl::MakeSpan(buffer), end);
      if (!chunk.ok() || chunk->kind != LogReader::Chunk::kData) _exit(2);
      const uint64_t offset = reader->offset();
      if (write(out, &offset, sizeof(offset)) < 0) _exit(3);
    }
  }
  _exit(0);
}

void BulkThroughTheLog(benchmark::State& state) {
  const bool with_reader = state.range(0) != 0;
  for (auto _ : state) {
    std::string pattern = "/tmp/berth-log-bench-XXXXXX";
    const std::string directory = mkdtemp(pattern.data());
    auto logs = SessionLogs::Open(directory, 64 << 20, WhenFull::kBlock);
    CommandLog* log = *(*logs)->Create(1);
    int ends[2], acks[2];
    if (pipe(ends) != 0 || pipe2(acks, O_NONBLOCK) != 0) abort();
    pid_t follower = with_reader ? fork() : -1;
    if (follower == 0) Follow(directory, ends[0], acks[1]);
    pid_t head = -1;
    const int source = StartHead(head);
    while (log->end() < kBytes) {
      auto moved = log->AppendFromPipe(source, Stream::kStdout, 1 << 20);
      uint64_t offsets[512];
      const ssize_t got = read(acks[0], offsets, sizeof(offsets));
      if (got > 0) log->Ack(offsets[got / sizeof(uint64_t) - 1]);
      if (!with_reader) log->Ack(log->end());
      if (moved.ok() && *moved > 0 && with_reader) {
        const uint64_t end = log->end();
        if (write(ends[1], &end, sizeof(end)) < 0) abort();
      }
      pollfd fds[2] = {{moved.ok() ? source : -1, POLLIN, 0},
                       {acks[0], POLLIN, 0}};
      poll(fds, 2, -1);
    }
    state.PauseTiming();
    waitpid(head, nullptr, 0);
    int status = 0;
    if (follower > 0 && (waitpid(follower, &status, 0) < 0 || status != 0)) {
      state.SkipWithError("the reader failed");
    }
    for (int fd : {ends[0], ends[1], acks[0], acks[1], source}) close(fd);
    logs->reset();
    std::filesystem::remove_all(directory);
    state.ResumeTiming();
  }
  state.SetBytesProcessed(state.iterations() * kBytes);
}

BENCHMARK(BulkThroughTheLog)
    ->Arg(0)
    ->Arg(1)
    ->ArgName("reader")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace berth::agent

BENCHMARK_MAIN();
