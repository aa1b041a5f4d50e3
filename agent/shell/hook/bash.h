/* What the hook uses of bash and readline, declared by hand: bash's headers are
 * not needed, and one object serves every version from 5.1 on. All of it is
 * weak, so in any other program the object loads and does nothing. */
#ifndef BERTH_AGENT_SHELL_HOOK_BASH_H_
#define BERTH_AGENT_SHELL_HOOK_BASH_H_

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/types.h>

#define BERTH_WEAK __attribute__((weak))

/* readline */
extern int (*rl_getc_function)(FILE *) BERTH_WEAK;
extern int rl_getc(FILE *) BERTH_WEAK;
extern unsigned long rl_readline_state BERTH_WEAK;
extern FILE *rl_instream BERTH_WEAK;
extern FILE *rl_outstream BERTH_WEAK;
extern void (*rl_prep_term_function)(int) BERTH_WEAK;
extern void (*rl_deprep_term_function)(void) BERTH_WEAK;
extern void rl_prep_terminal(int) BERTH_WEAK;
extern void rl_deprep_terminal(void) BERTH_WEAK;
extern int (*rl_signal_event_hook)(void) BERTH_WEAK;
extern void rl_check_signals(void) BERTH_WEAK;
extern int rl_pending_signal(void) BERTH_WEAK;
extern int rl_set_signals(void) BERTH_WEAK;
extern int rl_clear_signals(void) BERTH_WEAK;
extern int rl_forced_update_display(void) BERTH_WEAK;
extern char *rl_line_buffer BERTH_WEAK;
extern int rl_point BERTH_WEAK;
extern int rl_mark BERTH_WEAK;
extern int rl_done BERTH_WEAK;
extern void rl_replace_line(const char *, int) BERTH_WEAK;
extern void *rl_undo_list BERTH_WEAK;
extern char *rl_prompt BERTH_WEAK;
extern int rl_set_prompt(const char *) BERTH_WEAK;
extern int rl_on_new_line(void) BERTH_WEAK;

#define RL_STATE_INITIALIZED 0x2
#define RL_STATE_TERMPREPPED 0x4
#define RL_STATE_READCMD 0x8
#define RL_READERR (-2)

/* bash: parsing and running */
extern int parse_and_execute(char *, const char *, int) BERTH_WEAK;
extern void parse_and_execute_cleanup(int) BERTH_WEAK;
extern int parse_and_execute_level BERTH_WEAK;
extern void *save_parser_state(void *) BERTH_WEAK;
extern void restore_parser_state(void *) BERTH_WEAK;
extern void reset_readahead_token(void) BERTH_WEAK;
/* 0 at the primary prompt, more at PS2. */
extern int current_command_line_count BERTH_WEAK;
extern int EOF_Reached BERTH_WEAK;
extern int executing BERTH_WEAK;
extern int interactive BERTH_WEAK;
extern int interactive_shell BERTH_WEAK; /* also in a sourced script */
extern int shell_initialized BERTH_WEAK;
extern int expand_aliases BERTH_WEAK;
extern int expaliases_flag BERTH_WEAK;

#define SEVAL_NONINT 0x001
#define SEVAL_NOHIST 0x004
#define SEVAL_RESETLINE 0x010
#define SEVAL_NOHISTEXP 0x200
#define SEVAL_NOOPTIMIZE 0x400

/* bash: its jumps */
extern sigjmp_buf top_level BERTH_WEAK;
extern void top_level_cleanup(void) BERTH_WEAK;
extern sigjmp_buf return_catch BERTH_WEAK;
extern int return_catch_flag BERTH_WEAK;
extern int return_catch_value BERTH_WEAK;

/* Values that jumps to `top_level` carry. */
enum { JUMP_DISCARD = 2, JUMP_EXITPROG, JUMP_ERREXIT, JUMP_SIGEXIT, JUMP_EXIT };

/* bash: state of execution */
extern volatile int last_command_exit_value BERTH_WEAK;
extern int no_exit_on_failed_exec BERTH_WEAK;
extern int exit_immediately_on_error BERTH_WEAK;
extern int errexit_flag BERTH_WEAK;
extern volatile sig_atomic_t interrupt_state BERTH_WEAK;
/* A signal that bash ends of once it looks; 0: none. */
extern volatile sig_atomic_t terminating_signal BERTH_WEAK;
extern int loop_level BERTH_WEAK;
extern int executing_list BERTH_WEAK;
extern int continuing BERTH_WEAK;
extern int breaking BERTH_WEAK;
extern int evalnest BERTH_WEAK;
extern int funcnest BERTH_WEAK;
extern int indirection_level BERTH_WEAK;

/* bash: variables */
extern int variable_context BERTH_WEAK;
extern void *shell_variables BERTH_WEAK;
extern void *global_variables BERTH_WEAK;
extern void reset_local_contexts(void) BERTH_WEAK; /* from 5.2 */
extern void pop_var_context(void) BERTH_WEAK;
extern void *find_variable(const char *) BERTH_WEAK;
extern char *get_string_value(const char *) BERTH_WEAK;
extern void *bind_variable(const char *, char *, int) BERTH_WEAK;
extern void array_flush(void *) BERTH_WEAK;
extern void set_pipestatus_from_exit(int) BERTH_WEAK;
extern char *the_current_working_directory BERTH_WEAK;

/* bash: jobs and signals */
extern pid_t shell_pgrp BERTH_WEAK;
extern int shell_tty BERTH_WEAK;
extern int job_control BERTH_WEAK;
extern int initialize_job_control(int) BERTH_WEAK;
extern int get_job_by_pid(pid_t, int, void *) BERTH_WEAK;
extern void *procsub_search(pid_t) BERTH_WEAK;
extern int already_making_children BERTH_WEAK;
extern pid_t pipeline_pgrp BERTH_WEAK;
extern void cleanup_the_pipeline(void) BERTH_WEAK;
extern int stop_pipeline(int, void *) BERTH_WEAK;
extern int signal_is_trapped(int) BERTH_WEAK;

/* bash: its table of jobs; of each structure only the beginning, which is the
 * same from 4.0 to 5.3 */
enum { JOB_STATE_DEAD = 4, JOB_FOREGROUND = 1, JOB_NOTIFIED = 2 };

struct bash_job {
  char *directory;
  void *processes;
  pid_t group;
  int state;
  int flags;
};

struct bash_job_counts {
  long child_max;
  int counts[5]; /* of processes */
  int slots;
};

extern struct bash_job **jobs BERTH_WEAK;
extern struct bash_job_counts js BERTH_WEAK;
extern void notify_and_cleanup(void) BERTH_WEAK;

#endif /* BERTH_AGENT_SHELL_HOOK_BASH_H_ */
