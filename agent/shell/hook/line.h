/* The user's line in readline, and the terminal's mode, during a run. */
#ifndef BERTH_AGENT_SHELL_HOOK_LINE_H_
#define BERTH_AGENT_SHELL_HOOK_LINE_H_

#include <stdbool.h>

/* The terminal mode that commands expect, as it was before readline's. */
void line_note_cooked_mode(int tty);

/* The run itself uses readline, as `read -e </dev/tty` does. */
void line_note_nested_readline(void);

/* Puts the line away, and the terminal `tty` into the mode for commands. Only
 * the latter if `editing` is false: bash reads lines without readline. */
void line_save(int tty, bool editing);

/* Gives the terminal back to the shell's process group. */
void line_take_foreground(int tty);

/* Puts the line and readline's mode back. Returns whether the line must be
 * drawn again. */
bool line_restore(int tty);

#endif /* BERTH_AGENT_SHELL_HOOK_LINE_H_ */
