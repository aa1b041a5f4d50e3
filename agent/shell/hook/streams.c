#define _GNU_SOURCE
#include "agent/shell/hook/streams.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/shell/hook/bash.h"
#include "agent/shell/hook/control.h"

static int saved[3];
static char tty_name[64] = "/dev/tty";

void streams_init(void) {
  ssize_t length = readlink("/proc/self/fd/0", tty_name, sizeof tty_name - 1);
  if (length > 0) {
    tty_name[length] = 0;
  } else {
    strcpy(tty_name, "/dev/tty");
  }
}

void streams_install(const int streams[3]) {
  fflush(stdout);
  fflush(stderr);
  for (int i = 0; i < 3; i++) {
    saved[i] = duplicate_high(i);
    dup2(streams[i], i);
    close(streams[i]);
  }
}

static void reopen_terminal(int fd) {
  int terminal = open(tty_name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0) return;
  if (terminal == fd) {
    fcntl(fd, F_SETFD, 0);
    return;
  }
  dup2(terminal, fd);
  if (terminal > 2) close(terminal);
}

void streams_restore(void) {
  fflush(stdout);
  fflush(stderr);
  clearerr(stdout);
  clearerr(stderr);
  for (int i = 0; i < 3; i++) {
    if (saved[i] >= 0 && dup2(saved[i], i) == i) {
      close(saved[i]);
    } else {
      reopen_terminal(i);
    }
  }
}
