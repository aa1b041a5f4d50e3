/* A shared object that makes an ordinary interactive bash take commands from a
 * control channel as well as from its terminal. It hooks the function by which
 * readline gets its next key: at the primary prompt, and nowhere else, bash
 * then waits for both. A run is executed in place, at top level, with its own
 * streams; readline goes on as if nothing had happened. It uses no name,
 * variable, trap, prompt or option of the shell, so nothing a user redefines
 * matters, and nothing of it shows.
 *
 * It comes into bash by LD_PRELOAD, and removes itself from the environment
 * before bash sees it. In a program that is not bash it does nothing. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/shell/hook/bash.h"
#include "agent/shell/hook/cancel.h"
#include "agent/shell/hook/control.h"
#include "agent/shell/hook/line.h"
#include "agent/shell/hook/run.h"
#include "agent/shell/hook/state.h"
#include "agent/shell/hook/streams.h"

#define EXPORTED __attribute__((visibility("default")))

extern char **environ;

/* Runs the next job, if there is one. */
static void run_next(bool editing) {
  struct job job;
  if (!control_next_job(&job)) return;
  if (job.withdrawn) {
    job_close(&job);
    control_say_withdrawn(job.id);
  } else {
    run_job(&job, editing);
  }
}

enum wakeup { WAKE_TERMINAL, WAKE_CONTROL, WAKE_SIGNAL, WAKE_ERROR };

/* One that came while readline's handlers were not there, as at the end of a
 * run, is with bash, which waits for readline to come back. */
static bool bash_shall_end(void) {
  return &terminating_signal && terminating_signal != 0;
}

static bool signal_caught(bool editing) {
  if (bash_shall_end()) return true;
  return editing ? rl_pending_signal() != 0 : interrupt_state != 0;
}

/* Waits for a key, a packet or a signal; not at all if `at_once`. A signal
 * goes first, or it would hit the job; polling the terminal makes the kernel
 * handle all that was typed before, so an earlier ^C has come as a signal when
 * this returns. Signals are blocked from the last look at what was caught until
 * the wait begins: one that came between the two would be handled only at the
 * next key. */
static int wait_for_any(struct pollfd *fds, nfds_t count, bool editing,
                        bool at_once) {
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &old);
  int ready = -1;
  int error = EINTR;
  if (!signal_caught(editing)) {
    const struct timespec zero = {0, 0};
    ready = ppoll(fds, count, at_once ? &zero : NULL, &old);
    error = errno;
  }
  sigprocmask(SIG_SETMASK, &old, NULL);
  if (signal_caught(editing)) {
    ready = -1;
    error = EINTR;
  }
  errno = error;
  return ready;
}

/* The terminal goes first: if the user pressed Enter at the same moment, runs
 * wait for what the line does. They wait all the time unless `take_runs`. */
static enum wakeup wait_for_input(int tty, bool editing, bool take_runs) {
  struct pollfd fds[2] = {{tty, POLLIN, 0},
                          {control_fd(), control_events(), 0}};
  if (wait_for_any(fds, take_runs ? 2 : 1, editing,
                   take_runs && control_has_job()) < 0) {
    return errno == EINTR ? WAKE_SIGNAL : WAKE_ERROR;
  }
  if (fds[0].revents) return WAKE_TERMINAL;
  if (fds[1].revents & POLLOUT) control_flush();
  if (fds[1].revents & ~POLLOUT) control_pull();
  return WAKE_CONTROL;
}

/* As rl_getc() does when a signal comes. True if `result` is to be returned. */
static bool handle_signal(int *result) {
  int pending = rl_pending_signal();
  if (pending == SIGHUP || pending == SIGTERM || bash_shall_end()) {
    *result = (rl_readline_state & RL_STATE_READCMD) ? RL_READERR : EOF;
    return true;
  }
  rl_check_signals();
  if (rl_signal_event_hook) rl_signal_event_hook();
  return false;
}

/* Not in a command list, a trap, PROMPT_COMMAND, completion or `read -e`. */
static bool at_a_prompt(void) {
  return !cancel_in_run() && !executing && parse_and_execute_level == 0;
}

/* In the middle of a command (PS2) a run has to wait. */
static bool at_primary_prompt(void) {
  return at_a_prompt() && current_command_line_count == 0;
}

/* A ^C that came after the last key was read, where readline has passed it on
 * to bash already: bash completes it when readline calls it back, which it would
 * do only at the next signal. */
static void complete_interrupt(void) {
  if (interrupt_state && rl_signal_event_hook) rl_signal_event_hook();
}

static ssize_t real_read(int fd, void *buffer, size_t size) {
  static ssize_t (*next)(int, void *, size_t);
  if (!next) next = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
  return next(fd, buffer, size);
}

/* Not rl_getc(), which looks at signals once and then sleeps: with a ^C that
 * came in between, and took the key away, it would sleep on. False if a signal
 * came instead of a key. */
static bool read_key(FILE *in, int *key) {
  unsigned char byte;
  ssize_t length = real_read(fileno(in), &byte, 1);
  if (length < 0 && errno == EINTR) return false;
  *key = length == 1 ? byte : length == 0 ? EOF : rl_getc(in);
  return true;
}

static int get_key(FILE *in) {
  if (!control_is_open() || !at_a_prompt()) return rl_getc(in);
  complete_interrupt();
  const bool primary = at_primary_prompt();
  if (primary) control_say_prompt(true);
  while (control_is_open()) {
    int result;
    switch (wait_for_input(fileno(in), true, primary)) {
      case WAKE_TERMINAL:
        if (read_key(in, &result)) return result;
        break;
      case WAKE_ERROR:
        return rl_getc(in);
      case WAKE_SIGNAL:
        if (handle_signal(&result)) return result;
        break;
      case WAKE_CONTROL:
        run_next(true);
        break;
    }
  }
  return rl_getc(in);
}

static void prepare_terminal(int meta) {
  if (cancel_in_run()) {
    line_note_nested_readline();
    rl_deprep_terminal();
  } else if (rl_instream) {
    line_note_cooked_mode(fileno(rl_instream));
  }
  rl_prep_terminal(meta);
}

/* Readline leaves its mode when a line was accepted. */
static void release_terminal(void) {
  rl_deprep_terminal();
  if (control_is_open() && !cancel_in_run() && !executing) control_say_busy();
}

/* ---- bash without line editing (`--noediting`, `set +o emacs +o vi`) ---- */

static bool reads_command_line(int fd) {
  return fd == 0 && control_fd() >= 0 && shell_initialized && interactive &&
         !(rl_readline_state & (RL_STATE_READCMD | RL_STATE_TERMPREPPED)) &&
         at_primary_prompt() && control_is_open() && isatty(0);
}

EXPORTED ssize_t read(int fd, void *buffer, size_t size) {
  if (!reads_command_line(fd)) return real_read(fd, buffer, size);
  control_say_prompt(false);
  enum wakeup wakeup = WAKE_CONTROL;
  while (wakeup == WAKE_CONTROL && control_is_open()) {
    wakeup = wait_for_input(0, false, true);
    if (wakeup == WAKE_CONTROL) run_next(false);
  }
  if (wakeup == WAKE_SIGNAL || wakeup == WAKE_ERROR) {
    return -1; /* The caller in bash knows what to do. */
  }
  ssize_t result = real_read(fd, buffer, size);
  control_say_busy();
  return result;
}

/* A person who types `exit`, or an end of file, at the prompt of a session that
 * they visit means the visit. bash has said "exit" and is on its way to its
 * outermost loop, where it would end; from there it goes back to the prompt
 * instead, as after any error. A script that is sourced comes by here only once
 * it is unwound. */
static bool exit_leaves_visit(int value) {
  if (value != JUMP_EXIT || cancel_in_run() || parse_and_execute_level != 0 ||
      !&top_level_cleanup || !&interactive_shell || !interactive_shell ||
      !control_is_open()) {
    return false;
  }
  control_pull();
  return control_exit_leaves();
}

/* siglongjmp() of a fortified bash. */
EXPORTED void __longjmp_chk(sigjmp_buf environment, int value) {
  static void (*next)(sigjmp_buf, int);
  if (!next) {
    next = (void (*)(sigjmp_buf, int))dlsym(RTLD_NEXT, "__longjmp_chk");
  }
  state_before_jump(value);
  if (environment == top_level && exit_leaves_visit(value)) {
    control_say_exit(last_command_exit_value);
    top_level_cleanup();
    value = JUMP_DISCARD;
  }
  next(environment, value);
}

/* ---- loading ---- */

static char *environment_entry(const char *name) {
  size_t length = strlen(name);
  for (char **entry = environ; entry && *entry; entry++) {
    if (!strncmp(*entry, name, length) && (*entry)[length] == '=') {
      return *entry;
    }
  }
  return NULL;
}

/* Before bash's main(), getenv() and unsetenv() may already be bash's own. */
static void environment_drop(const char *name) {
  char *dropped;
  while ((dropped = environment_entry(name))) {
    char **entry = environ;
    while (*entry != dropped) entry++;
    for (; *entry; entry++) entry[0] = entry[1];
  }
}

/* The holder's entry is the first; the user's own stay. */
static void leave_preload(void) {
  static const char by_number[] = "/proc/self/fd/";
  char *entry = environment_entry("LD_PRELOAD");
  if (!entry) return;
  char *value = strchr(entry, '=') + 1;
  if (!strncmp(value, by_number, strlen(by_number))) {
    close(atoi(value + strlen(by_number)));
  }
  char *rest = value + strcspn(value, ": ");
  if (*rest) {
    memmove(value, rest + 1, strlen(rest + 1) + 1);
  } else {
    environment_drop("LD_PRELOAD");
  }
}

static bool is_usable_bash(void) {
  return &rl_getc_function && &rl_getc && &parse_and_execute && &top_level &&
         &return_catch && &save_parser_state && &restore_parser_state &&
         &current_command_line_count && rl_getc_function == rl_getc;
}

__attribute__((constructor)) static void load(void) {
  char *entry = environment_entry("BERTH_CTL");
  if (!entry || !is_usable_bash()) return;
  int fd = atoi(strchr(entry, '=') + 1);
  if (fcntl(fd, F_GETFD) < 0) return;
  control_open(fd);
  streams_init();
  rl_getc_function = get_key;
  rl_prep_term_function = prepare_terminal;
  rl_deprep_term_function = release_terminal;
  leave_preload();
  environment_drop("BERTH_CTL");
  pthread_atfork(NULL, NULL, cancel_in_child);
  control_say_hello();
}
