#define _GNU_SOURCE
#include "agent/shell/hook/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "agent/shell/hook/bash.h"

enum {
  /* More than the holder ever sends ahead; more than this is refused. */
  QUEUE_MAX = 64,
  RUN_DESCRIPTORS = 4,
  MAX_DESCRIPTORS = RUN_DESCRIPTORS + BERTH_SECRETS_MAX,
  /* How long a run's end may wait for a holder that reads nothing. */
  SEND_PATIENCE_MS = 10000,
  ACK_PATIENCE_MS = 10000,
};

static int channel = -1;
static pid_t shell_pid;
static bool at_prompt;
static bool state_unsent;
static bool prompt_is_edited = true;
static bool exit_leaves;
static struct job queue[QUEUE_MAX];
static int queue_length;

/* High enough for `for i in {3..255}; do exec $i>&-; done` to miss it, low
 * enough that the copy of the descriptor table in fork() stays small. The lower
 * ones are for shells with a low `ulimit -n`. */
int duplicate_high(int fd) {
  static const int lowest[] = {700, 230, 10};
  int copy = -1;
  for (int i = 0; i < 3 && copy < 0; i++) {
    copy = fcntl(fd, F_DUPFD_CLOEXEC, lowest[i]);
  }
  return copy;
}

static void control_close(void) {
  close(channel);
  channel = -1;
}

void control_open(int fd) {
  shell_pid = getpid();
  channel = duplicate_high(fd);
  close(fd);
}

bool control_is_open(void) { return channel >= 0 && getpid() == shell_pid; }
int control_fd(void) { return channel; }
short control_events(void) {
  return (short)(state_unsent ? POLLIN | POLLOUT : POLLIN);
}
pid_t control_shell_pid(void) { return shell_pid; }

static const char *working_directory(void) {
  if (!&the_current_working_directory || !the_current_working_directory) {
    return "";
  }
  return the_current_working_directory;
}

/* True if it was sent or never can be; false if the holder is slow. */
static bool send_packet(const struct berth_packet *packet, const char *text) {
  if (!control_is_open()) return true;
  size_t length = text ? strnlen(text, BERTH_PACKET_TEXT_MAX) : 0;
  struct iovec parts[2] = {{(void *)packet, sizeof *packet},
                           {(void *)text, length}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = length ? 2 : 1};
  ssize_t sent;
  do {
    sent = sendmsg(channel, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return true;
  if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) return false;
  control_close();
  return true;
}

static void send_surely(const struct berth_packet *packet, const char *text) {
  for (int waited = 0; !send_packet(packet, text); waited += 50) {
    if (waited >= SEND_PATIENCE_MS) {
      control_close(); /* The holder takes this for the end of all runs. */
      return;
    }
    struct pollfd writable = {channel, POLLOUT, 0};
    poll(&writable, 1, 50);
  }
}

void control_flush(void) {
  struct berth_packet packet = {.type = BERTH_BUSY};
  if (at_prompt) {
    packet.type = BERTH_PROMPT;
    packet.status = last_command_exit_value;
    packet.how = !prompt_is_edited;
  }
  state_unsent = !send_packet(&packet, at_prompt ? working_directory() : NULL);
}

void control_say_prompt(bool editing) {
  if (at_prompt) return;
  at_prompt = true;
  prompt_is_edited = editing;
  control_flush();
}

void control_say_busy(void) {
  if (!at_prompt) return;
  at_prompt = false;
  control_flush();
}

bool control_said_prompt(void) { return at_prompt; }

void control_say_hello(void) {
  struct berth_packet packet = {.type = BERTH_HELLO, .status = shell_pid};
  send_packet(&packet, NULL);
}

void control_say_started(uint64_t id) {
  struct berth_packet packet = {.type = BERTH_STARTED, .id = id};
  send_packet(&packet, NULL); /* If lost, `done` tells as much. */
}

void control_say_done(uint64_t id, int status, int how, uint64_t ns) {
  struct berth_packet packet = {.type = BERTH_DONE,
                                .id = id,
                                .status = status,
                                .how = how,
                                .ns = ns};
  send_surely(&packet, working_directory());
}

void control_say_withdrawn(uint64_t id) {
  struct berth_packet packet = {.type = BERTH_WITHDRAWN, .id = id};
  send_surely(&packet, NULL);
}

void control_say_refused(uint64_t id, const char *why) {
  struct berth_packet packet = {.type = BERTH_REFUSED, .id = id};
  send_surely(&packet, why);
}

bool control_exit_leaves(void) { return exit_leaves && control_is_open(); }

void control_say_exit(int status) {
  struct berth_packet packet = {.type = BERTH_EXIT, .status = status & 255};
  send_surely(&packet, NULL);
}

struct received {
  struct berth_packet packet;
  int fds[MAX_DESCRIPTORS];
  int fd_count;
};

static void take_descriptors(struct msghdr *message, struct received *in) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c;
       c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    int count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    const int *fds = (const int *)CMSG_DATA(c);
    for (int i = 0; i < count; i++) {
      if (in->fd_count < MAX_DESCRIPTORS) {
        in->fds[in->fd_count++] = fds[i];
      } else {
        close(fds[i]);
      }
    }
  }
}

/* Reads one packet; false if there is none. */
static bool receive(struct received *in) {
  if (channel < 0) return false;
  union {
    char bytes[CMSG_SPACE((MAX_DESCRIPTORS + 1) * sizeof(int))];
    struct cmsghdr align;
  } control;
  memset(in, 0, sizeof *in);
  struct iovec part = {&in->packet, sizeof in->packet};
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes};
  ssize_t length;
  do {
    length = recvmsg(channel, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  } while (length < 0 && errno == EINTR);
  if (length < 0 && errno == EAGAIN) return false;
  if (length <= 0) {
    control_close();
    return false;
  }
  take_descriptors(&message, in);
  return true;
}

static void enqueue(const struct received *in) {
  struct job *job = &queue[queue_length++];
  memset(job, 0, sizeof *job);
  job->id = in->packet.id;
  job->flags = in->packet.flags;
  job->script = in->fds[0];
  memcpy(job->streams, in->fds + 1, sizeof job->streams);
  /* Out of the way of where they will be. */
  for (int i = RUN_DESCRIPTORS; i < in->fd_count; i++) {
    job->secrets[job->secret_count++] = duplicate_high(in->fds[i]);
    close(in->fds[i]);
  }
}

static bool is_complete_run(const struct received *in) {
  return in->packet.type == BERTH_RUN && in->packet.status >= 0 &&
         in->packet.status <= BERTH_SECRETS_MAX &&
         in->fd_count == RUN_DESCRIPTORS + in->packet.status;
}

static void withdraw(uint64_t id) {
  for (int i = 0; i < queue_length; i++) {
    if (queue[i].id == id) queue[i].withdrawn = true;
  }
}

static void handle(const struct received *in) {
  if (is_complete_run(in) && queue_length < QUEUE_MAX) {
    enqueue(in);
    return;
  }
  for (int i = 0; i < in->fd_count; i++) close(in->fds[i]);
  if (in->packet.type == BERTH_WITHDRAW) withdraw(in->packet.id);
  if (in->packet.type == BERTH_VISIT) {
    exit_leaves = in->packet.flags & BERTH_VISIT_EXIT_LEAVES;
  }
  if (in->packet.type == BERTH_RUN) {
    control_say_refused(in->packet.id,
                        is_complete_run(in)
                            ? "too many commands wait in the shell"
                            : "the shell is at its limit of open files "
                              "(ulimit -n)");
  }
}

void control_pull(void) {
  struct received in;
  while (queue_length < QUEUE_MAX && receive(&in)) handle(&in);
}

bool control_has_job(void) { return queue_length > 0; }

bool control_next_job(struct job *job) {
  if (queue_length == 0) return false;
  *job = queue[0];
  memmove(queue, queue + 1, --queue_length * sizeof *queue);
  return true;
}

void job_close(struct job *job) {
  close(job->script);
  for (int i = 0; i < 3; i++) close(job->streams[i]);
  for (int i = 0; i < job->secret_count; i++) close(job->secrets[i]);
}

uint32_t control_wait_ack(uint64_t id) {
  for (int waited = 0; channel >= 0 && waited < ACK_PATIENCE_MS;) {
    struct received in;
    if (!receive(&in)) {
      struct pollfd readable = {channel, POLLIN, 0};
      if (channel >= 0 && poll(&readable, 1, 50) == 0) waited += 50;
      continue;
    }
    if (in.packet.type == BERTH_ACK && in.packet.id == id) {
      return in.packet.flags;
    }
    handle(&in);
  }
  return 0;
}
