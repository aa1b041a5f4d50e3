/* The streams of a run in place of the shell's. */
#ifndef BERTH_AGENT_SHELL_HOOK_STREAMS_H_
#define BERTH_AGENT_SHELL_HOOK_STREAMS_H_

/* Remembers the shell's terminal, to repair descriptors that can't be saved. */
void streams_init(void);

/* Puts `streams` at 0, 1 and 2, and closes them where they were. */
void streams_install(const int streams[3]);

/* Puts the shell's own back. What bash has buffered goes to the run's. */
void streams_restore(void);

#endif /* BERTH_AGENT_SHELL_HOOK_STREAMS_H_ */
