#define _GNU_SOURCE
#include "agent/shell/hook/secrets.h"

#include <unistd.h>

#include "agent/shell/hook/control.h"
#include "agent/shell/hook/packet.h"

static int saved[BERTH_SECRETS_MAX];
static int installed;

void secrets_install(const int* fds, int count) {
  installed = count;
  for (int i = 0; i < count; i++) {
    saved[i] = duplicate_high(BERTH_SECRETS_FIRST + i);
    dup2(fds[i], BERTH_SECRETS_FIRST + i);
    close(fds[i]);
  }
}

void secrets_restore(void) {
  for (int i = 0; i < installed; i++) {
    if (saved[i] >= 0) {
      dup2(saved[i], BERTH_SECRETS_FIRST + i);
      close(saved[i]);
    } else {
      close(BERTH_SECRETS_FIRST + i);
    }
  }
  installed = 0;
}
