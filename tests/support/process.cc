#include "tests/support/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "tests/support/temp_dir.h"

extern char** environ;

namespace berth::testing {
namespace {

// Milliseconds left until `deadline` for poll(2); 0 once it has passed.
int MillisecondsUntil(absl::Time deadline) {
  int64_t left = absl::ToInt64Milliseconds(deadline - absl::Now() +
                                           absl::Microseconds(999));
  return static_cast<int>(std::clamp<int64_t>(left, 0, 60'000));
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& text : strings)
    pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

int Spawn(const Process::Options& options, int in, int out, pid_t* pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  if (!options.stderr_path.empty()) {
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO,
                                     options.stderr_path.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
  }
  if (!options.directory.empty()) {
    posix_spawn_file_actions_addchdir_np(&actions, options.directory.c_str());
  }
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  std::vector<char*> argv = Pointers(options.argv);
  std::vector<char*> env;
  if (options.environment) env = Pointers(*options.environment);
  int error = posix_spawn(pid, argv[0], &actions, &attributes, argv.data(),
                          options.environment ? env.data() : environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error;
}

}  // namespace

absl::StatusOr<Process> Process::Start(const Options& options) {
  // A reader that is gone is an error to return, not a signal to die of. What
  // is started gets the default back.
  signal(SIGPIPE, SIG_IGN);
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0) return absl::InternalError("pipe2");
  UniqueFd in_read(in[0]), in_write(in[1]);
  if (pipe2(out, O_CLOEXEC) != 0) return absl::InternalError("pipe2");
  UniqueFd out_read(out[0]), out_write(out[1]);
  // A program that does not read its input must not stop the test.
  fcntl(in_write.get(), F_SETFL, O_NONBLOCK);
  pid_t pid = 0;
  if (int error = Spawn(options, in_read.get(), out_write.get(), &pid)) {
    return absl::NotFoundError(
        absl::StrCat(options.argv[0], ": ", strerror(error)));
  }
  return Process(pid, std::move(in_write), std::move(out_read));
}

absl::StatusOr<Process> Process::Start(const std::vector<std::string>& argv) {
  return Start(Options{.argv = argv});
}

absl::StatusOr<Process::Finished> Process::Run(Options options,
                                               absl::string_view input,
                                               absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  UniqueFd err(memfd_create("stderr", MFD_CLOEXEC));
  options.stderr_path = absl::StrCat("/proc/self/fd/", err.get());
  absl::StatusOr<Process> process = Start(options);
  if (!process.ok()) return process.status();
  while (process->in_.valid() || process->out_.valid()) {
    pollfd fds[2] = {{process->in_.get(), POLLOUT, 0},
                     {process->out_.get(), POLLIN, 0}};
    if (input.empty()) process->in_.reset();
    if (!process->in_.valid()) fds[0].fd = -1;
    if (poll(fds, 2, MillisecondsUntil(deadline)) <= 0) {
      if (absl::Now() < deadline) continue;
      return absl::DeadlineExceededError(absl::StrCat(
          options.argv[0], " still runs after ", absl::FormatDuration(limit),
          "; it printed: ", process->output_,
          ReadTextFile(options.stderr_path)));
    }
    if (fds[0].revents != 0) {
      ssize_t put = write(process->in_.get(), input.data(),
                          std::min<size_t>(input.size(), 65536));
      if (put > 0) input.remove_prefix(static_cast<size_t>(put));
      if (put < 0 && errno != EAGAIN && errno != EINTR) input = "";
    }
    if (fds[1].revents != 0 && !process->ReadMore(deadline).ok()) {
      process->out_.reset();
      process->in_.reset();
    }
  }
  absl::StatusOr<int> code = process->Wait(deadline - absl::Now());
  if (!code.ok()) return code.status();
  return Finished{*code, std::move(process->output_),
                  ReadTextFile(options.stderr_path)};
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      in_(std::move(other.in_)),
      out_(std::move(other.out_)),
      output_(std::move(other.output_)) {}

Process& Process::operator=(Process&& other) noexcept {
  if (this == &other) return *this;
  if (pid_ != 0) StopWith(SIGKILL);
  pid_ = std::exchange(other.pid_, 0);
  in_ = std::move(other.in_);
  out_ = std::move(other.out_);
  output_ = std::move(other.output_);
  return *this;
}

Process::~Process() {
  if (pid_ != 0) StopWith(SIGKILL);
}

absl::Status Process::Write(absl::string_view data, absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  while (!data.empty()) {
    ssize_t put = write(in_.get(), data.data(), data.size());
    if (put > 0) {
      data.remove_prefix(static_cast<size_t>(put));
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) {
      return absl::UnavailableError(absl::StrCat("stdin: ", strerror(errno)));
    }
    pollfd ready{in_.get(), POLLOUT, 0};
    if (poll(&ready, 1, MillisecondsUntil(deadline)) == 0) {
      return absl::DeadlineExceededError("the program does not read its stdin");
    }
  }
  return absl::OkStatus();
}

absl::Status Process::ReadMore(absl::Time deadline) {
  while (true) {
    pollfd ready{out_.get(), POLLIN, 0};
    int n = poll(&ready, 1, MillisecondsUntil(deadline));
    if (n == 0 && absl::Now() >= deadline) {
      return absl::DeadlineExceededError(
          absl::StrCat("no more output came after: ", output_));
    }
    if (n <= 0) continue;
    char buffer[65536];
    ssize_t got = read(out_.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      return absl::UnavailableError(
          absl::StrCat("stdout closed after: ", output_));
    }
    output_.append(buffer, static_cast<size_t>(got));
    return absl::OkStatus();
  }
}

absl::StatusOr<std::string> Process::WaitForLine(absl::string_view prefix,
                                                 absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  while (true) {
    std::vector<absl::string_view> lines = absl::StrSplit(output_, '\n');
    lines.pop_back();  // Not yet ended by '\n'.
    for (absl::string_view line : lines) {
      if (line.substr(0, prefix.size()) == prefix) {
        return std::string(line.substr(prefix.size()));
      }
    }
    if (absl::Status status = ReadMore(deadline); !status.ok()) {
      return absl::Status(status.code(), absl::StrCat("no line '", prefix,
                                                      "': ", status.message()));
    }
  }
}

absl::StatusOr<std::string> Process::ReadExactly(size_t size,
                                                 absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  while (output_.size() < size) {
    if (absl::Status status = ReadMore(deadline); !status.ok()) return status;
  }
  std::string taken = output_.substr(0, size);
  output_.erase(0, size);
  return taken;
}

absl::StatusOr<std::string> Process::ReadToEnd(absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  while (true) {
    absl::Status status = ReadMore(deadline);
    if (absl::IsUnavailable(status)) return std::exchange(output_, "");
    if (!status.ok()) return status;
  }
}

absl::StatusOr<int> Process::Wait(absl::Duration limit) {
  if (pid_ == 0) return absl::FailedPreconditionError("already reaped");
  UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  const absl::Time deadline = absl::Now() + limit;
  while (true) {
    pollfd ready{pidfd.get(), POLLIN, 0};
    int n = poll(&ready, 1, MillisecondsUntil(deadline));
    if (n > 0) return Reap();
    if (n == 0 && absl::Now() >= deadline) {
      return absl::DeadlineExceededError(
          absl::StrCat("process ", pid_, " still runs"));
    }
  }
}

int Process::StopWith(int signal, absl::Duration limit) {
  if (pid_ == 0) return -1;
  kill(pid_, signal);
  absl::StatusOr<int> code = Wait(limit);
  if (code.ok()) return *code;
  kill(pid_, SIGKILL);
  return Reap();
}

int Process::Reap() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace berth::testing
