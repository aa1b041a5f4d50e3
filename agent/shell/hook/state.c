#define _GNU_SOURCE
#include "agent/shell/hook/state.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/shell/hook/bash.h"
#include "agent/shell/hook/cancel.h"
#include "agent/shell/hook/control.h"

enum {
  /* Bash knows 0 and 1; 2 counts as set, and shows that we set it. */
  EXECFAIL_BY_HOOK = 2,
};

/* Static, as a run may leave by a jump, which does not keep local variables. */
static struct saved_state {
  sigjmp_buf top_level;
  sigjmp_buf return_catch;
  int return_catch_flag;
  int interactive;
  int parse_level;
  int evalnest;
  int indirection_level;
  int loop_level;
  int executing_list;
  int user_status;
  int no_exit_on_failed_exec;
  int exit_on_error;
  int errexit_flag;
  int job_control;
  int shell_tty;
  char *underscore;
} saved;

static void *parser_state; /* allocated by bash, used again */
static bool errexit_jumped;
static int last_run_status;

static void save_parser(void) {
  /* Without PIPESTATUS, restore_parser_state() would break it for good. */
  if (&find_variable && &set_pipestatus_from_exit &&
      !find_variable("PIPESTATUS")) {
    set_pipestatus_from_exit(last_command_exit_value);
  }
  parser_state = save_parser_state(parser_state);
}

static void save_bash(void) {
  const char *underscore = get_string_value("_");
  saved.interactive = interactive;
  saved.parse_level = parse_and_execute_level;
  saved.evalnest = evalnest;
  saved.indirection_level = indirection_level;
  saved.loop_level = loop_level;
  if (&executing_list) saved.executing_list = executing_list;
  saved.user_status = last_command_exit_value;
  saved.no_exit_on_failed_exec = no_exit_on_failed_exec;
  saved.return_catch_flag = return_catch_flag;
  saved.exit_on_error = exit_immediately_on_error;
  saved.errexit_flag = errexit_flag;
  saved.job_control = job_control;
  saved.shell_tty = shell_tty;
  saved.underscore = underscore ? strdup(underscore) : NULL;
  memcpy(&saved.top_level, &top_level, sizeof saved.top_level);
  memcpy(&saved.return_catch, &return_catch, sizeof saved.return_catch);
}

void state_save(void) {
  errexit_jumped = false;
  save_parser();
  save_bash();
}

void state_prepare(void) {
  /* Not interactive: no job notices in the run's stderr. */
  interactive = 0;
  no_exit_on_failed_exec =
      saved.no_exit_on_failed_exec ? saved.no_exit_on_failed_exec
                                   : EXECFAIL_BY_HOOK;
  indirection_level = saved.indirection_level - 1;
  last_command_exit_value = last_run_status;
  return_catch_flag = 1;
}

void state_restore(int status, bool keep_errexit) {
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
  if (&executing_list) executing_list = saved.executing_list;
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
  if (keep_errexit) {
    exit_immediately_on_error = saved.exit_on_error;
    errexit_flag = saved.errexit_flag;
  }
  last_run_status = status & 255;
  last_command_exit_value = saved.user_status;
  if (saved.underscore) bind_variable("_", saved.underscore, 0);
  free(saved.underscore);
}

void state_jump(int jump) {
  memcpy(&top_level, &saved.top_level, sizeof saved.top_level);
  siglongjmp(top_level, jump);
}

/* ---- when it left by a jump ---- */

/* With `set -e`, bash drops its unwind frames on the way to the jump, as it
 * expects to exit; in a function that would leave redirections, FUNCNAME and
 * memory behind. With the flag off at the moment of the jump it unwinds
 * properly; state_end_by_jump() puts the flag back. */
void state_before_jump(int value) {
  if (!cancel_in_run() || value != JUMP_ERREXIT) return;
  if (!exit_immediately_on_error || getpid() != control_shell_pid()) return;
  exit_immediately_on_error = 0;
  errexit_jumped = true;
}

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

void state_end_by_jump(int jump) {
  if (errexit_jumped) {
    exit_immediately_on_error = 1;
  } else if (jump == JUMP_ERREXIT || jump == JUMP_EXIT) {
    flush_call_stack();
  }
  leave_functions();
}

void state_stop_half_made_pipeline(int jump) {
  if (!jump || !&already_making_children || !already_making_children) return;
  cleanup_the_pipeline();
  stop_pipeline(0, NULL);
  if (pipeline_pgrp != shell_pgrp) pipeline_pgrp = 0;
}

/* ---- jobs ---- */

/* Bash forgets a foreground job once it has told the user of it, which it does
 * only while it is interactive. Else each command of a run would stay in the
 * table until somebody types a line. Jobs in the background are told of then,
 * as in any shell. */
void state_forget_foreground_jobs(void) {
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
