/* Files that only one run's commands have: descriptors 30 and following. */
#ifndef BERTH_AGENT_SHELL_HOOK_SECRETS_H_
#define BERTH_AGENT_SHELL_HOOK_SECRETS_H_

/* Puts the `count` descriptors there, for commands to inherit, and closes them
 * where they were. What the user had there is kept. */
void secrets_install(const int *fds, int count);

/* Closes them, and puts back what was there. */
void secrets_restore(void);

#endif /* BERTH_AGENT_SHELL_HOOK_SECRETS_H_ */
