#define _GNU_SOURCE
#include "agent/shell/hook/line.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "agent/shell/hook/bash.h"

/* Static, as a run may leave by a jump, which does not keep local variables. */
static struct saved_line {
  unsigned long state;
  void *undo;
  char *prompt;
  char *line;
  int point;
  int mark;
  FILE *in;
  FILE *out;
  struct termios raw;
} saved;

static bool editing;
static bool nested_readline;
static bool have_cooked;
static struct termios cooked;

void line_note_cooked_mode(int tty) {
  if (tcgetattr(tty, &cooked) == 0) have_cooked = true;
}

void line_note_nested_readline(void) { nested_readline = true; }

static void save_readline(void) {
  saved.undo = rl_undo_list;
  rl_undo_list = NULL;
  saved.prompt = rl_prompt ? strdup(rl_prompt) : NULL;
  saved.in = rl_instream;
  saved.out = rl_outstream;
  saved.line = strdup(rl_line_buffer ? rl_line_buffer : "");
  saved.point = rl_point;
  saved.mark = rl_mark;
  saved.state = rl_readline_state;
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

void line_save(int tty, bool with_editing) {
  editing = with_editing;
  nested_readline = false;
  save_readline();
  release_terminal(tty);
  rl_readline_state = RL_STATE_INITIALIZED;
}

void line_take_foreground(int tty) {
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

bool line_restore(int tty) {
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
