#include "agent/login/step_limit.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace berth::agent {
namespace {

// Of the step that there is; null: none. For the handler.
volatile sig_atomic_t has_step = 0;
timer_t step_end;

timer_t Start(int signal, int seconds) {
  sigevent event = {};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = signal;
  timer_t timer = {};
  // Unlike alarm(), out of the reach of modules. There are always as many.
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) _exit(1);
  itimerspec time = {};
  time.it_value.tv_sec = seconds;
  timer_settime(timer, 0, &time, nullptr);
  return timer;
}

// With the group that it leads, if it does.
void Kill(pid_t child) {
  if (child <= 1) return;
  kill(-child, SIGKILL);
  kill(child, SIGKILL);
}

// By system calls alone, as it interrupts modules in the middle of anything.
void KillChildren() {
  const int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  char text[4096];
  const ssize_t size = read(fd, text, sizeof(text));
  close(fd);
  pid_t child = 0;
  for (ssize_t i = 0; i < size; ++i) {
    if (text[i] >= '0' && text[i] <= '9') {
      child = child * 10 + (text[i] - '0');
    } else {
      Kill(child);
      child = 0;
    }
  }
}

void OnTime(int) {
  const int before = errno;
  KillChildren();
  errno = before;
}

}  // namespace

StepLimit::StepLimit() {
  struct sigaction action = {};
  action.sa_handler = OnTime;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, nullptr);
  hard_ = Start(SIGKILL, kStepSeconds + kGraceSeconds);
  soft_ = Start(SIGALRM, kStepSeconds);
  step_end = hard_;
  has_step = 1;
}

StepLimit::~StepLimit() {
  has_step = 0;
  timer_delete(soft_);
  timer_delete(hard_);
}

void StepLimit::Hurry() {
  if (!has_step) return;
  itimerspec time = {};
  time.it_value.tv_sec = kGraceSeconds;
  timer_settime(step_end, 0, &time, nullptr);
  OnTime(0);
}

}  // namespace berth::agent
