/* The packets on the control channel between the holder and what serves it
 * inside a shell: one SOCK_SEQPACKET message each, this header and sometimes
 * text. Read by C and C++, and by Python (python/session.py); both ends are
 * built together, so it has no versions. */
#ifndef BERTH_AGENT_SHELL_HOOK_PACKET_H_
#define BERTH_AGENT_SHELL_HOOK_PACKET_H_

#include <stdint.h>

enum berth_packet_type {
  /* From the holder. */
  BERTH_RUN = 'R',      /* with SCM_RIGHTS: script, stdin, stdout, stderr, and
                           as many secrets as `status` says, to bash alone */
  BERTH_WITHDRAW = 'C', /* forget run `id` if it has not started */
  BERTH_ACK = 'A',      /* `done` was seen; no signal for it will follow */
  BERTH_INTERRUPT = 'I', /* interrupt run `id`; to Python alone */
  BERTH_QUERY = 'Q',    /* does it wait at its prompt? to zsh alone */
  BERTH_VISIT = 'V',    /* what a typed `exit` does from now on; to bash alone */
  /* From the shell. */
  BERTH_HELLO = 'H',     /* status: pid */
  BERTH_UNUSABLE = 'F',  /* instead of hello: it can't serve; text: why */
  BERTH_PROMPT = 'P',    /* waits for a key; status: `$?`, text: cwd */
  BERTH_BUSY = 'B',      /* a line was accepted */
  BERTH_READY = 'K',     /* would take run `id` now, by a key; from zsh alone */
  BERTH_STARTED = 'S',   /* run `id` has its descriptors and starts */
  BERTH_DONE = 'D',      /* status, how, ns; text: cwd */
  BERTH_WITHDRAWN = 'W', /* run `id` was forgotten before it started */
  BERTH_REFUSED = 'X',   /* run `id` can't be run; text: why */
  BERTH_EXIT = 'E',      /* `exit` was typed, and the shell stays; from bash */
};

/* Flags of BERTH_VISIT. */
enum {
  BERTH_VISIT_EXIT_LEAVES = 1, /* it ends the visit, and not the shell */
};

/* Flags of BERTH_RUN. */
enum {
  BERTH_RUN_KEEP_SHELL = 1, /* `exit` and `set -e` end the run only */
  BERTH_RUN_KEEP_ERREXIT = 2, /* a `set -e` of the run is undone after it */
};

/* Flags of BERTH_INTERRUPT. */
enum {
  BERTH_INTERRUPT_FORCE = 1, /* also if it ignores being interrupted */
};

/* Flags of BERTH_ACK. */
enum {
  BERTH_ACK_REDRAW = 1, /* the terminal was written to meanwhile */
};

/* `how` of BERTH_DONE: which of bash's jumps ended the run. */
enum {
  BERTH_HOW_NORMAL = 0,
  BERTH_HOW_DISCARD = 2, /* interrupted */
  BERTH_HOW_EXITPROG = 3,
  BERTH_HOW_ERREXIT = 4,
  BERTH_HOW_EXIT = 6,
  BERTH_HOW_FORCED = 256, /* added to the others */
};

/* How many secrets a run may have, and the descriptors that they get. */
enum { BERTH_SECRETS_MAX = 8, BERTH_SECRETS_FIRST = 30 };

/* Longest text after a header: a working directory. */
enum { BERTH_PACKET_TEXT_MAX = 4096 };

struct berth_packet {
  uint32_t type;
  uint32_t flags;
  uint64_t id;
  int32_t status;
  int32_t how;
  uint64_t ns;
};

#endif /* BERTH_AGENT_SHELL_HOOK_PACKET_H_ */
