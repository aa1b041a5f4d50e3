/* Ending a run from outside: the signals that the holder sends, and what is
 * left to clean up after them. */
#ifndef BERTH_AGENT_SHELL_HOOK_CANCEL_H_
#define BERTH_AGENT_SHELL_HOOK_CANCEL_H_

#include <stdbool.h>
#include <stdint.h>

/* The run is being executed, and can be cancelled, from `begin` to `settle`;
 * its handlers stay until `end`. */
void cancel_begin(uint64_t run_id);
void cancel_settle(void);
void cancel_end(void);

/* Puts back the handlers of SIGPIPE and SIGHUP, unless the run changed them. */
void cancel_restore_handlers(void);

/* A run is being executed: readline's and bash's own activity is the run's. */
bool cancel_in_run(void);

/* What came during the run. */
bool cancel_requested(void);
bool cancel_forced(void);
bool cancel_pipe_broke(void);

/* Interrupts children that this run made and that are in no job: those of a
 * pipeline whose making was interrupted. */
void cancel_sweep(void);

/* Lets a child of bash, between fork and exec, die of the signals. */
void cancel_in_child(void);

#endif /* BERTH_AGENT_SHELL_HOOK_CANCEL_H_ */
