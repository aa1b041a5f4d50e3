#define _GNU_SOURCE
#include "agent/shell/hook/run.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/shell/hook/bash.h"
#include "agent/shell/hook/cancel.h"
#include "agent/shell/hook/control.h"
#include "agent/shell/hook/line.h"
#include "agent/shell/hook/secrets.h"
#include "agent/shell/hook/state.h"
#include "agent/shell/hook/streams.h"

enum {
  STATUS_INTERRUPTED = 128 + SIGINT,
  STATUS_BROKEN_PIPE = 128 + SIGPIPE,
};

/* Static, as a run may leave by a jump, which does not keep local variables. */
static struct job job;
static bool editing;
static unsigned saved_alarm;

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The whole script, for bash to free; NULL if it can't be had. */
static char *read_script(int fd) {
  struct stat info;
  if (fstat(fd, &info) < 0) return NULL;
  size_t size = (size_t)info.st_size;
  char *text = malloc(size + 2);
  if (!text) return NULL;
  size_t length = 0;
  ssize_t got;
  while (length < size &&
         (got = pread(fd, text + length, size - length, (off_t)length)) > 0) {
    length += (size_t)got;
  }
  text[length] = 0;
  return text;
}

static void prepare(int tty) {
  state_save();
  line_save(tty, editing);
  cancel_begin(job.id);
  streams_install(job.streams);
  secrets_install(job.secrets, job.secret_count);
  control_say_started(job.id);
  saved_alarm = alarm(0); /* The alarm of TMOUT must not end a run. */
  state_prepare();
}

/* Takes what was sent to interrupt the run. Returns whether a ^C was typed: that
 * is meant for the prompt, where the user is by now. */
static bool drop_pending(const sigset_t *signals) {
  const struct timespec at_once = {0, 0};
  bool typed = false;
  siginfo_t info;
  while (sigtimedwait(signals, &info, &at_once) > 0) {
    if (info.si_code == SI_KERNEL) typed = true;
  }
  return typed;
}

/* Tells the holder, and waits until it knows: then no SIGINT that was meant for
 * this run can come any more. Returns whether to draw the line again. */
static bool report(int status, int jump, uint64_t ns) {
  int how = jump | (cancel_forced() ? BERTH_HOW_FORCED : 0);
  control_say_done(job.id, status & 255, how, ns);
  return control_wait_ack(job.id) & BERTH_ACK_REDRAW;
}

static void finish(int tty, int status, int jump, uint64_t ns) {
  sigset_t interrupt;
  sigset_t old;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  sigprocmask(SIG_BLOCK, &interrupt, &old);
  sigdelset(&old, SIGINT);
  cancel_settle();
  streams_restore();
  secrets_restore();
  cancel_restore_handlers();
  state_forget_foreground_jobs();
  state_restore(status, job.flags & BERTH_RUN_KEEP_ERREXIT);
  line_take_foreground(tty);
  bool redraw = line_restore(tty);
  if (report(status, jump, ns)) redraw = true;
  bool typed = drop_pending(&interrupt);
  cancel_end();
  interrupt_state = 0;
  /* Before a signal can come, as readline has to see it. */
  if (editing) rl_set_signals();
  sigprocmask(SIG_SETMASK, &old, NULL);
  if (editing && redraw) rl_forced_update_display();
  if (typed) raise(SIGINT);
}

/* A forked child that landed in the frame of run_job() goes on to where bash
 * itself would have sent it. */
static void leave_if_child(int jump) {
  if (getpid() != control_shell_pid()) state_jump(jump);
}

void run_job(struct job *new_job, bool with_editing) {
  /* bash frees the script. */
  char *script = read_script(new_job->script);
  if (!script) {
    job_close(new_job);
    control_say_refused(new_job->id, "the shell can't read the script");
    return;
  }
  close(new_job->script);
  job = *new_job;
  editing = with_editing;
  int tty = editing ? fileno(rl_instream) : 0;
  prepare(tty);
  static uint64_t begun;
  begun = now_ns();
  int status;
  bool interrupted;
  int jump = sigsetjmp(top_level, 0);
  if (jump == 0) {
    if (sigsetjmp(return_catch, 0)) { /* `return` outside a function */
      if (getpid() != control_shell_pid()) {
        last_command_exit_value = return_catch_value;
        state_jump(JUMP_EXITPROG); /* as in <(return 3) */
      }
      parse_and_execute_cleanup(-1);
      status = return_catch_value;
      interrupted = false;
    } else {
      status = parse_and_execute(script, "run",
                                 SEVAL_NONINT | SEVAL_NOHIST | SEVAL_RESETLINE |
                                     SEVAL_NOHISTEXP | SEVAL_NOOPTIMIZE);
      interrupted = cancel_requested() && interrupt_state;
    }
  } else {
    leave_if_child(jump);
    status = last_command_exit_value;
    interrupted = false;
    state_end_by_jump(jump);
  }
  int how = jump;
  if (interrupted) { /* Between two commands: bash stopped without a jump. */
    status = STATUS_INTERRUPTED;
    how = JUMP_DISCARD;
  }
  if (cancel_requested() || cancel_forced()) cancel_sweep();
  state_stop_half_made_pipeline(how);
  if (cancel_pipe_broke()) status = STATUS_BROKEN_PIPE;
  uint64_t ns = now_ns() - begun;
  if (saved_alarm) alarm(saved_alarm);
  finish(tty, status, how, ns);
  bool exits = how == JUMP_EXIT || how == JUMP_ERREXIT;
  if (exits && !(job.flags & BERTH_RUN_KEEP_SHELL)) {
    last_command_exit_value = status;
    siglongjmp(top_level, how);
  }
}
