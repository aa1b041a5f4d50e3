#define _GNU_SOURCE
#include "agent/shell/hook/run.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "agent/shell/hook/bash.h"
#include "agent/shell/hook/cancel.h"
#include "agent/shell/hook/control.h"

enum {
  STATUS_INTERRUPTED = 128 + SIGINT,
  STATUS_BROKEN_PIPE = 128 + SIGPIPE,
  /* Bash knows 0 and 1; 2 counts as set, and shows that we set it. */
  EXECFAIL_BY_HOOK = 2,
};

/* What a run must not change, or only for itself. Static, as a run may leave
 * by a jump, which does not keep local variables. */
struct saved_shell {
  sigjmp_buf top_level;
  sigjmp_buf return_catch;
  int return_catch_flag;
  int interactive;
  int parse_level;
  int evalnest;
  int indirection_level;
  int loop_level;
  int user_status;
  int no_exit_on_failed_exec;
  int exit_on_error;
  int errexit_flag;
  int job_control;
  int shell_tty;
  char *underscore;
  /* readline */
  unsigned long state;
  void *undo;
  char *prompt;
  char *line;
  int point;
  int mark;
  FILE *in;
  FILE *out;
  /* descriptors and terminal */
  struct termios raw;
  int streams[3];
  unsigned alarm;
};

static struct saved_shell saved;
static struct job job;
static bool editing;
static bool have_cooked;
static struct termios cooked;
static char tty_name[64] = "/dev/tty";
static void *parser_state; /* allocated by bash, used again */
static bool nested_readline;
static bool errexit_jumped;
static int last_run_status;

void run_init(void) {
  ssize_t length = readlink("/proc/self/fd/0", tty_name, sizeof tty_name - 1);
  if (length > 0) {
    tty_name[length] = 0;
  } else {
    strcpy(tty_name, "/dev/tty");
  }
}

void run_note_cooked_mode(int tty) {
  if (tcgetattr(tty, &cooked) == 0) have_cooked = true;
}

void run_note_nested_readline(void) { nested_readline = true; }

/* With `set -e`, bash drops its unwind frames on the way to the jump, as it
 * expects to exit; in a function that would leave redirections, FUNCNAME and
 * memory behind. With the flag off at the moment of the jump it unwinds
 * properly; end_by_jump() puts the flag back. */
void run_before_jump(int value) {
  if (!cancel_in_run() || value != JUMP_ERREXIT) return;
  if (!exit_immediately_on_error || getpid() != control_shell_pid()) return;
  exit_immediately_on_error = 0;
  errexit_jumped = true;
}

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

static char *copy_or_null(const char *text) {
  return text ? strdup(text) : NULL;
}

/* ---- before the run ---- */

static void save_parser(void) {
  /* Without PIPESTATUS, restore_parser_state() would break it for good. */
  if (&find_variable && &set_pipestatus_from_exit &&
      !find_variable("PIPESTATUS")) {
    set_pipestatus_from_exit(last_command_exit_value);
  }
  parser_state = save_parser_state(parser_state);
}

static void save_readline(void) {
  saved.undo = rl_undo_list;
  rl_undo_list = NULL;
  saved.prompt = copy_or_null(rl_prompt);
  saved.in = rl_instream;
  saved.out = rl_outstream;
  saved.line = strdup(rl_line_buffer ? rl_line_buffer : "");
  saved.point = rl_point;
  saved.mark = rl_mark;
  saved.state = rl_readline_state;
}

static void save_bash(void) {
  saved.interactive = interactive;
  saved.parse_level = parse_and_execute_level;
  saved.evalnest = evalnest;
  saved.indirection_level = indirection_level;
  saved.loop_level = loop_level;
  saved.user_status = last_command_exit_value;
  saved.no_exit_on_failed_exec = no_exit_on_failed_exec;
  saved.return_catch_flag = return_catch_flag;
  saved.exit_on_error = exit_immediately_on_error;
  saved.errexit_flag = errexit_flag;
  saved.job_control = job_control;
  saved.shell_tty = shell_tty;
  saved.underscore = copy_or_null(get_string_value("_"));
  memcpy(&saved.top_level, &top_level, sizeof saved.top_level);
  memcpy(&saved.return_catch, &return_catch, sizeof saved.return_catch);
}

/* Commands get the terminal as they expect it, not in readline's mode. */
static void release_terminal(int tty) {
  tcgetattr(tty, &saved.raw);
  if (!editing) {
    cooked = saved.raw;
    have_cooked = true;
    return;
  }
  if (have_cooked) tcsetattr(tty, TCSANOW, &cooked);
  rl_clear_signals();
}

static void install_streams(void) {
  fflush(stdout);
  fflush(stderr);
  for (int i = 0; i < 3; i++) {
    saved.streams[i] = duplicate_high(i);
    dup2(job.streams[i], i);
    close(job.streams[i]);
  }
}

static void prepare(int tty) {
  memset(&saved, 0, sizeof saved);
  nested_readline = errexit_jumped = false;
  save_parser();
  save_readline();
  save_bash();
  release_terminal(tty);
  cancel_begin(job.id);
  rl_readline_state = RL_STATE_INITIALIZED;
  install_streams();
  control_say_started(job.id);
  saved.alarm = alarm(0); /* The alarm of TMOUT must not end a run. */
  /* Not interactive: no job notices in the run's stderr. */
  interactive = 0;
  no_exit_on_failed_exec =
      saved.no_exit_on_failed_exec ? saved.no_exit_on_failed_exec
                                   : EXECFAIL_BY_HOOK;
  indirection_level = saved.indirection_level - 1;
  last_command_exit_value = last_run_status;
  return_catch_flag = 1;
}

/* ---- when it left by a jump ---- */

/* What frames that bash dropped have left of the stack of functions. */
static void flush_call_stack(void) {
  static const char *const names[] = {"FUNCNAME", "BASH_SOURCE", "BASH_LINENO"};
  if (!&array_flush) return;
  for (int i = 0; i < 3; i++) {
    struct {
      char *name;
      void *value;
    } *variable = find_variable(names[i]);
    if (variable && variable->value) array_flush(variable->value);
  }
  if (&funcnest) funcnest = 0;
}

static void leave_functions(void) {
  bool inside = variable_context != 0 ||
                (&shell_variables && shell_variables != global_variables);
  if (!inside) return;
  if (&reset_local_contexts) {
    reset_local_contexts();
  } else if (&pop_var_context) {
    for (int i = 0; i < 1000 && shell_variables != global_variables; i++) {
      pop_var_context();
    }
    variable_context = 0;
  }
}

static void end_by_jump(int jump) {
  if (errexit_jumped) {
    exit_immediately_on_error = 1;
  } else if (jump == JUMP_ERREXIT || jump == JUMP_EXIT) {
    flush_call_stack();
  }
  leave_functions();
}

/* Interrupted while a pipeline was being made: bash would put the next command
 * into it. */
static void stop_half_made_pipeline(int jump) {
  if (!jump || !&already_making_children || !already_making_children) return;
  cleanup_the_pipeline();
  stop_pipeline(0, NULL);
  if (pipeline_pgrp != shell_pgrp) pipeline_pgrp = 0;
}

/* ---- after the run ---- */

static void reopen_terminal(int fd) {
  int terminal = open(tty_name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0) return;
  if (terminal == fd) {
    fcntl(fd, F_SETFD, 0);
    return;
  }
  dup2(terminal, fd);
  if (terminal > 2) close(terminal);
}

static void restore_streams(void) {
  fflush(stdout);
  fflush(stderr);
  clearerr(stdout);
  clearerr(stderr);
  cancel_restore_handlers();
  for (int i = 0; i < 3; i++) {
    if (saved.streams[i] >= 0 && dup2(saved.streams[i], i) == i) {
      close(saved.streams[i]);
    } else {
      reopen_terminal(i);
    }
  }
}

static void restore_bash(int status) {
  memcpy(&top_level, &saved.top_level, sizeof saved.top_level);
  memcpy(&return_catch, &saved.return_catch, sizeof saved.return_catch);
  return_catch_flag = saved.return_catch_flag;
  interactive = saved.interactive;
  if (no_exit_on_failed_exec == EXECFAIL_BY_HOOK) {
    no_exit_on_failed_exec = saved.no_exit_on_failed_exec;
  }
  parse_and_execute_level = saved.parse_level;
  evalnest = saved.evalnest;
  indirection_level = saved.indirection_level;
  loop_level = saved.loop_level;
  continuing = breaking = 0;
  interrupt_state = 0;
  /* A failed `exec x` gave job control up. */
  if (saved.job_control && !job_control && shell_tty != saved.shell_tty &&
      &initialize_job_control) {
    initialize_job_control(0);
  }
  restore_parser_state(parser_state);
  /* A jump leaves a newline token behind, which would split the user's line. */
  if (&reset_readahead_token) reset_readahead_token();
  EOF_Reached = 0;
  if (&expaliases_flag) expand_aliases = expaliases_flag;
  if (job.flags & BERTH_RUN_KEEP_ERREXIT) {
    exit_immediately_on_error = saved.exit_on_error;
    errexit_flag = saved.errexit_flag;
  }
  last_run_status = status & 255;
  last_command_exit_value = saved.user_status;
  if (saved.underscore) bind_variable("_", saved.underscore, 0);
  free(saved.underscore);
}

/* Bash forgets a foreground job once it has told the user of it, which it does
 * only while it is interactive. Else each command of a run would stay in the
 * table until somebody types a line. Jobs in the background are told of then,
 * as in any shell. */
static void forget_foreground_jobs(void) {
  if (!&jobs || !&js || !&notify_and_cleanup || !jobs) return;
  sigset_t child;
  sigset_t old;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, &old);
  for (int i = 0; i < js.slots; i++) {
    if (jobs[i] && jobs[i]->state == JOB_STATE_DEAD &&
        (jobs[i]->flags & JOB_FOREGROUND)) {
      jobs[i]->flags |= JOB_NOTIFIED;
    }
  }
  sigprocmask(SIG_SETMASK, &old, NULL);
  notify_and_cleanup();
}

static void take_foreground(int tty) {
  if (tcgetpgrp(tty) == shell_pgrp) return;
  sigset_t output;
  sigset_t old;
  sigemptyset(&output);
  sigaddset(&output, SIGTTOU);
  sigprocmask(SIG_BLOCK, &output, &old);
  tcsetpgrp(tty, shell_pgrp);
  sigprocmask(SIG_SETMASK, &old, NULL);
}

static bool same_mode(const struct termios *a, const struct termios *b) {
  return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag &&
         a->c_lflag == b->c_lflag && a->c_cflag == b->c_cflag &&
         memcmp(a->c_cc, b->c_cc, sizeof a->c_cc) == 0;
}

/* The run used readline itself: the user's line is built again. */
static void rebuild_line(void) {
  rl_undo_list = NULL;
  rl_set_prompt(saved.prompt);
  rl_replace_line(saved.line, 1);
  rl_done = 0;
  rl_on_new_line();
  rl_prep_terminal(1);
}

/* The run changed the terminal's mode, as `stty` does: it stays so. */
static void adopt_mode(int tty, const struct termios *mode) {
  tcsetattr(tty, TCSANOW, &saved.raw);
  rl_deprep_terminal();
  tcsetattr(tty, TCSANOW, mode);
  cooked = *mode;
  rl_prep_terminal(1);
}

/* Returns whether the user's line must be drawn again. */
static bool restore_readline(int tty) {
  struct termios mode;
  bool changed = !nested_readline && have_cooked &&
                 tcgetattr(tty, &mode) == 0 && !same_mode(&mode, &cooked);
  rl_readline_state = saved.state;
  rl_instream = saved.in;
  rl_outstream = saved.out;
  rl_undo_list = saved.undo;
  if (editing && nested_readline) {
    rebuild_line();
  } else if (editing && changed) {
    adopt_mode(tty, &mode);
  } else if (editing) {
    tcsetattr(tty, TCSANOW, &saved.raw);
  }
  rl_point = saved.point;
  rl_mark = saved.mark;
  free(saved.line);
  free(saved.prompt);
  return nested_readline || changed;
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
  restore_streams();
  forget_foreground_jobs();
  restore_bash(status);
  take_foreground(tty);
  bool redraw = restore_readline(tty);
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
  if (getpid() == control_shell_pid()) return;
  memcpy(&top_level, &saved.top_level, sizeof saved.top_level);
  siglongjmp(top_level, jump);
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
        siglongjmp(saved.top_level, JUMP_EXITPROG); /* as in <(return 3) */
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
    end_by_jump(jump);
  }
  int how = jump;
  if (interrupted) { /* Between two commands: bash stopped without a jump. */
    status = STATUS_INTERRUPTED;
    how = JUMP_DISCARD;
  }
  if (cancel_requested() || cancel_forced()) cancel_sweep();
  stop_half_made_pipeline(how);
  if (cancel_pipe_broke()) status = STATUS_BROKEN_PIPE;
  uint64_t ns = now_ns() - begun;
  if (saved.alarm) alarm(saved.alarm);
  finish(tty, status, how, ns);
  bool exits = how == JUMP_EXIT || how == JUMP_ERREXIT;
  if (exits && !(job.flags & BERTH_RUN_KEEP_SHELL)) {
    last_command_exit_value = status;
    siglongjmp(top_level, how);
  }
}
