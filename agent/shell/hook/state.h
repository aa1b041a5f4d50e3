/* What bash itself keeps during a run, and puts right after it. */
#ifndef BERTH_AGENT_SHELL_HOOK_STATE_H_
#define BERTH_AGENT_SHELL_HOOK_STATE_H_

#include <stdbool.h>

/* Puts away what a run must not change, or only for itself, and makes bash ready
 * for it: `$?` is that of the run before. */
void state_save(void);
void state_prepare(void);

/* Puts it back. `status` is the run's; `keep_errexit`: a `set -e` that the run
 * made is undone. */
void state_restore(int status, bool keep_errexit);

/* Where bash would have gone by `jump` if there were no run: for children, and
 * for a run that ends the shell. */
_Noreturn void state_jump(int jump);

/* Called when bash is about to jump to `top_level` with `value`. */
void state_before_jump(int value);

/* The run ended by `jump`: unwinds what that has left. */
void state_end_by_jump(int jump);

/* Interrupted while a pipeline was being made (`jump` is not 0): bash would put
 * the next command into it. */
void state_stop_half_made_pipeline(int jump);

/* Forgets the foreground jobs of runs. */
void state_forget_foreground_jobs(void);

#endif /* BERTH_AGENT_SHELL_HOOK_STATE_H_ */
