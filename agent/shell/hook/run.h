/* Executing one run inside the shell. */
#ifndef BERTH_AGENT_SHELL_HOOK_RUN_H_
#define BERTH_AGENT_SHELL_HOOK_RUN_H_

#include <stdbool.h>

#include "agent/shell/hook/control.h"

/* Executes `job` at top level, with its own streams, and closes them. The
 * user's line, `$?`, prompt and terminal are afterwards as before. May not
 * return: a run without BERTH_RUN_KEEP_SHELL can end the shell. `editing` is
 * false if bash reads its terminal without readline. */
void run_job(struct job *job, bool editing);

#endif /* BERTH_AGENT_SHELL_HOOK_RUN_H_ */
