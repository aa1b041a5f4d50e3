/* Executing one run inside the shell. */
#ifndef BERTH_AGENT_SHELL_HOOK_RUN_H_
#define BERTH_AGENT_SHELL_HOOK_RUN_H_

#include <stdbool.h>

#include "agent/shell/hook/control.h"

/* Remembers the shell's terminal, to repair descriptors that can't be saved. */
void run_init(void);

/* Executes `job` at top level, with its own streams, and closes them. The
 * user's line, `$?`, prompt and terminal are afterwards as before. May not
 * return: a run without BERTH_RUN_KEEP_SHELL can end the shell. `editing` is
 * false if bash reads its terminal without readline. */
void run_job(struct job *job, bool editing);

/* The terminal mode that commands expect, as it was before readline's. */
void run_note_cooked_mode(int tty);

/* The run itself uses readline, as `read -e </dev/tty` does. */
void run_note_nested_readline(void);

/* Called when bash is about to jump to `top_level` with `value`. */
void run_before_jump(int value);

#endif /* BERTH_AGENT_SHELL_HOOK_RUN_H_ */
