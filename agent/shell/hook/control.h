/* The hook's end of the control channel, and the runs that wait in it. */
#ifndef BERTH_AGENT_SHELL_HOOK_CONTROL_H_
#define BERTH_AGENT_SHELL_HOOK_CONTROL_H_

#include <stdbool.h>
#include <sys/types.h>

#include "agent/shell/hook/packet.h"

/* A run that was asked for. Owns its descriptors. */
struct job {
  uint64_t id;
  uint32_t flags;
  int script;
  int streams[3];
  int secrets[BERTH_SECRETS_MAX];
  int secret_count;
  bool withdrawn;
};

/* Takes over descriptor `fd`; this process alone may use the channel. */
void control_open(int fd);

/* False in children of the shell, and once the holder is gone. */
bool control_is_open(void);

/* The descriptor to poll, and what for. */
int control_fd(void);
short control_events(void);

pid_t control_shell_pid(void);

/* A copy of `fd` that commands neither inherit nor hit by accident. */
int duplicate_high(int fd);

/* Says that the shell waits at its prompt, or no longer does. Never waits: if
 * the holder is slow, the newest of these is sent when it can be. Saying the
 * same twice sends it once. */
void control_say_prompt(bool editing);
void control_say_busy(void);
bool control_said_prompt(void);
/* Sends what could not be sent before, if it is still true. */
void control_flush(void);

void control_say_hello(void);
void control_say_started(uint64_t id);
/* These wait a while for a slow holder: it must learn how a run ended. */
void control_say_done(uint64_t id, int status, int how, uint64_t ns);
void control_say_withdrawn(uint64_t id);
void control_say_refused(uint64_t id, const char *why);

/* Whether `exit` typed at the prompt is to end a visit and not the shell. */
bool control_exit_leaves(void);
void control_say_exit(int status);

/* Moves waiting packets to the queue. */
void control_pull(void);
/* Takes the first run of the queue. */
bool control_next_job(struct job *job);
bool control_has_job(void);
void job_close(struct job *job);

/* Waits for the holder's word that it saw the end of run `id`, and returns the
 * flags that came with it; 0 if it doesn't come. */
uint32_t control_wait_ack(uint64_t id);

#endif /* BERTH_AGENT_SHELL_HOOK_CONTROL_H_ */
