#define _GNU_SOURCE
#include "agent/shell/hook/cancel.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/shell/hook/bash.h"
#include "agent/shell/hook/control.h"

enum phase { NO_RUN, EXECUTING, RESTORING };

static volatile sig_atomic_t phase;
static volatile uint64_t run_id;
static volatile sig_atomic_t requested;
static volatile sig_atomic_t forced;
static volatile sig_atomic_t pipe_broke;
static struct timespec begun;
static struct sigaction old_sigurg;
static struct sigaction old_sigpipe;
static struct sigaction old_sighup;

static bool is_trapped(int signal_number) {
  return &signal_is_trapped && signal_is_trapped(signal_number);
}

/* Signals the shell's own process group, where children of $(...) are, but not
 * the shell: its own copy is dropped while blocked. */
static void interrupt_own_group(const struct sigaction *handler) {
  sigset_t interrupt;
  sigset_t old;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  sigprocmask(SIG_BLOCK, &interrupt, &old);
  if (!&shell_tty || tcgetpgrp(shell_tty) == shell_pgrp) kill(0, SIGINT);
  struct sigaction ignore;
  memset(&ignore, 0, sizeof ignore);
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGINT, &ignore, NULL);
  sigaction(SIGINT, handler, NULL);
  sigprocmask(SIG_SETMASK, &old, NULL);
}

/* Behaves as if ^C had been typed, but only inside the very run that was meant.
 * So it can't hit the user's prompt line, nor the moment in `trap - INT` when
 * bash has SIGINT at its default and would die. */
static void interrupt_shell(bool force) {
  struct sigaction handler;
  sigaction(SIGINT, NULL, &handler);
  /* Outside of lists and loops bash answers a child's end by SIGINT with a new
   * line for the person at the terminal; on stdout, which is the run's. Inside
   * it takes the interrupt for its own, as is meant. */
  if (&executing_list && executing_list == 0) executing_list = 1;
  interrupt_own_group(&handler);
  if (force) {
    forced = 1;
    interrupt_state = 1;
  } else if (handler.sa_handler == SIG_DFL) {
    interrupt_state = 1;
  } else if (handler.sa_handler != SIG_IGN) {
    handler.sa_handler(SIGINT);
  }
}

/* The value that came with the signal is the run's id, shifted by one, and the
 * lowest bit says `force`. */
static void on_sigurg(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)context;
  int saved_errno = errno;
  if (phase == EXECUTING && getpid() == control_shell_pid() &&
      info->si_code == SI_QUEUE) {
    uintptr_t value = (uintptr_t)info->si_value.sival_ptr;
    if (value >> 1 == (uintptr_t)run_id) {
      requested = 1;
      interrupt_shell(value & 1);
    }
  }
  errno = saved_errno;
}

/* A builtin that writes to a run's closed pipe ends the run, not the shell. */
static void on_sigpipe(int number) {
  if (phase == EXECUTING && getpid() == control_shell_pid()) {
    pipe_broke = 1;
    interrupt_state = 1;
    return;
  }
  signal(number, SIG_DFL);
  raise(number);
}

/* The terminal is gone, and the shell ends. It hangs its jobs up only if it is
 * interactive, which it isn't during a run. A child that has not come to its
 * exec dies now: bash's handler would only make a note of it, which exec
 * drops. */
static void on_sighup(int number) {
  bool shell = getpid() == control_shell_pid();
  if (shell && phase == EXECUTING) interactive = 1;
  sigaction(number, &old_sighup, NULL);
  if (!shell || old_sighup.sa_handler == SIG_DFL) {
    signal(number, SIG_DFL);
    raise(number);
  } else if (old_sighup.sa_handler != SIG_IGN) {
    old_sighup.sa_handler(number);
  }
}

/* Handles a signal during a run, unless the user has an own idea of it. */
static void install(int number, void (*handler)(int), struct sigaction *old) {
  sigaction(number, NULL, old);
  if (old->sa_handler == SIG_IGN || is_trapped(number)) return;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  sigaction(number, &action, NULL);
}

/* Puts the handler back that was there, unless the run changed it. */
static void uninstall(int number, void (*handler)(int),
                      const struct sigaction *old) {
  struct sigaction now;
  if (sigaction(number, NULL, &now) == 0 && now.sa_handler == handler) {
    sigaction(number, old, NULL);
  }
}

void cancel_begin(uint64_t id) {
  requested = forced = pipe_broke = 0;
  run_id = id;
  phase = EXECUTING;
  clock_gettime(CLOCK_BOOTTIME, &begun);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_sigurg;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGURG, &action, &old_sigurg);
  install(SIGPIPE, on_sigpipe, &old_sigpipe);
  install(SIGHUP, on_sighup, &old_sighup);
}

void cancel_settle(void) { phase = RESTORING; }

void cancel_restore_handlers(void) {
  uninstall(SIGPIPE, on_sigpipe, &old_sigpipe);
  uninstall(SIGHUP, on_sighup, &old_sighup);
}

void cancel_end(void) {
  sigaction(SIGURG, &old_sigurg, NULL);
  phase = NO_RUN;
}

bool cancel_in_run(void) { return phase != NO_RUN; }
bool cancel_requested(void) { return requested; }
bool cancel_forced(void) { return forced; }
bool cancel_pipe_broke(void) { return pipe_broke; }

/* A child still has bash's SIGINT handler until it execs, which would swallow
 * the cancel. */
void cancel_in_child(void) {
  if (phase != EXECUTING) return;
  struct sigaction now;
  const struct sigaction none = {.sa_handler = SIG_DFL};
  uninstall(SIGPIPE, on_sigpipe, &none);
  uninstall(SIGHUP, on_sighup, &none);
  if (sigaction(SIGINT, NULL, &now) != 0 || is_trapped(SIGINT)) return;
  if (now.sa_handler == SIG_IGN || now.sa_handler == SIG_DFL) return;
  memset(&now, 0, sizeof now);
  now.sa_handler = SIG_DFL;
  sigaction(SIGINT, &now, NULL);
}

/* Reads a file of /proc into a string; false if there is nothing in it. */
static bool read_proc(const char *path, char *text, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t length = read(fd, text, size - 1);
  close(fd);
  if (length <= 0) return false;
  text[length] = 0;
  return true;
}

/* Seconds since boot at which a process started; 0 if it is gone. */
static double start_time(pid_t pid) {
  char path[64];
  char text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  if (!read_proc(path, text, sizeof text)) return 0;
  char *field = strrchr(text, ')');
  for (int i = 0; i < 20 && field; i++) field = strchr(field + 1, ' ');
  return field ? strtod(field, NULL) / (double)sysconf(_SC_CLK_TCK) : 0;
}

/* Start times are counted in ticks of 10 ms, rounded down. */
static bool born_in_run(pid_t pid) {
  double started = (double)begun.tv_sec + (double)begun.tv_nsec * 1e-9;
  return start_time(pid) > started - 0.02;
}

/* Only what ^C would have reached had it been in a job: the group of a pipeline
 * that is half made, and what shares the shell's own group. A disowned server
 * has a group of its own and stays. */
static void interrupt_orphan(pid_t child) {
  pid_t group = getpgid(child);
  bool half_made = &already_making_children && already_making_children &&
                   group == pipeline_pgrp;
  if (group <= 0 || (group != shell_pgrp && !half_made)) return;
  if (&procsub_search && procsub_search(child)) return;
  if (get_job_by_pid(child, 1, NULL) >= 0 || !born_in_run(child)) return;
  kill(group == shell_pgrp ? child : -group, SIGINT);
}

void cancel_sweep(void) {
  if (!&get_job_by_pid) return;
  char path[64];
  char text[16384];
  int pid = (int)control_shell_pid();
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
  if (!read_proc(path, text, sizeof text)) return;
  char *end;
  for (char *next = text;; next = end) {
    pid_t child = (pid_t)strtol(next, &end, 10);
    if (end == next) return;
    interrupt_orphan(child);
  }
}
