#include "broker/gateway/channel.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/names.h"
#include "base/uuid.h"

namespace berth::gateway {
namespace {

constexpr size_t kPiece = 64 << 10;
// Of one side before the other channels have their turn.
constexpr int kPieces = 8;

// Names of RFC 4254, section 6.10.
constexpr struct {
  const char* name;
  int number;
} kSignals[] = {{"ABRT", SIGABRT}, {"ALRM", SIGALRM}, {"FPE", SIGFPE},
                {"HUP", SIGHUP},   {"ILL", SIGILL},   {"INT", SIGINT},
                {"KILL", SIGKILL}, {"PIPE", SIGPIPE}, {"QUIT", SIGQUIT},
                {"SEGV", SIGSEGV}, {"TERM", SIGTERM}, {"USR1", SIGUSR1},
                {"USR2", SIGUSR2}};

const char* SignalName(int number) {
  for (const auto& each : kSignals) {
    if (each.number == number) return each.name;
  }
  return nullptr;
}

unsigned short Clamp(int size, unsigned short otherwise) {
  return size > 0 && size <= 0xffff ? static_cast<unsigned short>(size)
                                    : otherwise;
}

}  // namespace

Channel::Channel(const Guest& guest, const Config& config, ssh_event event,
                 ssh_channel channel, std::function<void()> wake)
    : guest_(guest),
      config_(config),
      event_(event),
      channel_(channel),
      wake_(std::move(wake)) {
  asked_.where = guest.name();
  callbacks_.userdata = this;
  callbacks_.channel_pty_request_function = &OnPty;
  callbacks_.channel_pty_window_change_function = &OnResize;
  callbacks_.channel_env_request_function = &OnEnvironment;
  callbacks_.channel_shell_request_function = &OnShell;
  callbacks_.channel_exec_request_function = &OnExec;
  callbacks_.channel_subsystem_request_function = &OnSubsystem;
  callbacks_.channel_signal_function = &OnSignal;
  callbacks_.channel_data_function = &OnData;
  callbacks_.channel_eof_function = &OnEof;
  callbacks_.channel_close_function = &OnClose;
  ssh_callbacks_init(&callbacks_);
  ssh_set_channel_callbacks(channel_, &callbacks_);
}

Channel::~Channel() {
  if (worker_ != nullptr) {
    Close(worker_->ends().in, in_events_);
    Close(worker_->ends().out, out_events_);
    Close(worker_->ends().err, err_events_);
  }
  ssh_remove_channel_callbacks(channel_, &callbacks_);
  ssh_channel_free(channel_);
}

int Channel::OnPty(ssh_session, ssh_channel, const char* term, int width,
                   int height, int, int, void* self) {
  auto* channel = static_cast<Channel*>(self);
  if (channel->worker_ != nullptr) return 1;
  channel->asked_.terminal = true;
  const absl::string_view name = term == nullptr ? "" : term;
  if (name.size() <= 64 &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-") ==
          name.npos) {
    channel->asked_.term = std::string(name);
  }
  channel->size_.ws_col = Clamp(width, 80);
  channel->size_.ws_row = Clamp(height, 24);
  return 0;
}

int Channel::OnResize(ssh_session, ssh_channel, int width, int height, int, int,
                      void* self) {
  auto* channel = static_cast<Channel*>(self);
  channel->size_.ws_col = Clamp(width, channel->size_.ws_col);
  channel->size_.ws_row = Clamp(height, channel->size_.ws_row);
  if (channel->worker_ == nullptr || !channel->has_terminal_) return 0;
  ioctl(channel->worker_->ends().out.get(), TIOCSWINSZ, &channel->size_);
  channel->worker_->Post(cli::Signal::kResized);
  return 0;
}

int Channel::OnEnvironment(ssh_session, ssh_channel, const char* name,
                           const char* value, void* self) {
  auto* channel = static_cast<Channel*>(self);
  constexpr size_t kMost = 64;
  if (name == nullptr || value == nullptr ||
      channel->asked_.environment.size() >= kMost || strlen(value) > 4096) {
    return 1;
  }
  for (const std::string& pattern : channel->config_.environment) {
    if (!MatchesWildcardExactly(pattern, name)) continue;
    channel->asked_.environment[name] = value;
    return 0;
  }
  return 1;
}

int Channel::OnShell(ssh_session, ssh_channel, void* self) {
  auto* channel = static_cast<Channel*>(self);
  const Asked& asked = channel->asked_;
  if (asked.where.computer.empty()) {
    return asked.terminal
               ? channel->Start(MakeMenu(asked), Terminal::kCooked)
               : channel->Start(MakeVerb(asked, "help"), Terminal::kNone);
  }
  return asked.terminal
             ? channel->Start(MakeShell(asked), Terminal::kRaw)
             : channel->Start(MakePipedShell(asked), Terminal::kNone);
}

int Channel::OnExec(ssh_session, ssh_channel, const char* command, void* self) {
  auto* channel = static_cast<Channel*>(self);
  const std::string text = command == nullptr ? "" : command;
  Asked& asked = channel->asked_;
  const Terminal cooked = asked.terminal ? Terminal::kCooked : Terminal::kNone;
  if (asked.where.computer.empty()) {
    if (text == "login" && !asked.terminal) {
      return channel->Start(MakeLogin(channel->guest_.certifier()), cooked);
    }
    return channel->Start(MakeVerb(asked, text), cooked);
  }
  if (IsMoshServer(text)) return channel->Start(MakeMoshRefusal(), cooked);
  // In a named session it has no terminal: that is the session's.
  if (!asked.terminal || !asked.where.session.empty()) {
    return channel->Start(MakeExec(asked, text), cooked);
  }
  const std::string id = NewUuid();
  asked.mark = absl::StrCat("\x1b]7777;", id, ";begin\a");
  const std::string end = absl::StrCat("\x1b]7777;", id, ";end\a");
  channel->filter_.emplace(asked.mark, end);
  channel->input_ = TerminalExecLine(asked.mark, end);
  return channel->Start(MakeTerminalExec(asked, text), Terminal::kRaw);
}

int Channel::OnSubsystem(ssh_session, ssh_channel, const char* name,
                         void* self) {
  auto* channel = static_cast<Channel*>(self);
  if (name == nullptr || absl::string_view(name) != "sftp" ||
      channel->asked_.where.computer.empty()) {
    return 1;
  }
  return channel->Start(MakeSftp(channel->asked_), Terminal::kNone);
}

bool Channel::Forward(const std::string& computer, const std::string& host,
                      int port) {
  asked_.where.computer = computer;
  return Start(MakeForward(asked_, host, port), Terminal::kNone) == 0;
}

int Channel::Start(std::unique_ptr<Work> work, Terminal terminal) {
  if (worker_ != nullptr || closed_) return 1;
  const Worker::Terminal modes{size_, terminal == Terminal::kRaw};
  has_terminal_ = terminal != Terminal::kNone;
  auto worker = Worker::Start(std::move(work), guest_.broker(), asked_.term,
                              has_terminal_ ? &modes : nullptr, wake_);
  if (!worker.ok()) {
    SPDLOG_WARN("{}: user '{}': {}", guest_.address(), guest_.name().user,
                std::string(worker.status().message()));
    return 1;
  }
  worker_ = *std::move(worker);
  return 0;
}

void Channel::OnSignal(ssh_session, ssh_channel, const char* name, void* self) {
  auto* channel = static_cast<Channel*>(self);
  if (channel->worker_ == nullptr || name == nullptr) return;
  const absl::string_view signal = name;
  if (signal == "KILL") {
    channel->worker_->Post(cli::Signal::kGone);
  } else if (signal == "INT" || signal == "TERM" || signal == "HUP" ||
             signal == "QUIT") {
    // Interrupts what runs; harder, if that does not help.
    channel->worker_->Post(cli::Signal::kInterrupt);
  }
}

// Nothing is taken here: what is left with libssh keeps the window shut.
int Channel::OnData(ssh_session, ssh_channel, void*, uint32_t, int,
                    void* self) {
  static_cast<Channel*>(self)->has_data_ = true;
  return 0;
}

void Channel::OnEof(ssh_session, ssh_channel, void* self) {
  static_cast<Channel*>(self)->eof_ = true;
}

void Channel::OnClose(ssh_session, ssh_channel, void* self) {
  auto* channel = static_cast<Channel*>(self);
  channel->closed_ = true;
  if (channel->worker_ != nullptr) channel->worker_->Post(cli::Signal::kGone);
}

int Channel::OnReady(int, int, void*) { return 0; }  // Step() follows.

void Channel::Watch(UniqueFd& fd, short events, short& watched) {
  if (!fd.valid() || watched == events) return;
  if (watched != 0) ssh_event_remove_fd(event_, fd.get());
  if (events != 0) {
    ssh_event_add_fd(event_, fd.get(), events, &OnReady, this);
  }
  watched = events;
}

void Channel::Close(UniqueFd& fd, short& watched) {
  Watch(fd, 0, watched);
  fd.reset();
}

void Channel::TakeInput() {
  Worker::Ends& ends = worker_->ends();
  UniqueFd& fd = has_terminal_ ? ends.out : ends.in;
  // What nobody will read is taken all the same, or the client would wait.
  for (int i = 0; i < kPieces; ++i) {
    if (input_.empty() && has_data_) {
      input_.resize(kPiece);
      const int size =
          ssh_channel_read_nonblocking(channel_, input_.data(), kPiece, 0);
      input_.resize(std::max(size, 0));
      if (size <= 0) has_data_ = false;
    }
    if (input_.empty()) break;
    if (!fd.valid()) {
      input_.clear();
      continue;
    }
    const ssize_t size = write(fd.get(), input_.data(), input_.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) break;
    if (size < 0) {
      // Nobody reads it: it is dropped, so that the rest may go on.
      input_.clear();
      continue;
    }
    input_.erase(0, size);
  }
  // All has come: a pipe ends. What is typed never does.
  if (eof_ && input_.empty() && !has_data_ && ends.in.valid()) {
    Close(ends.in, in_events_);
  }
}

void Channel::UnknownRequest() {
  const char* client = ssh_get_clientbanner(guest_.session());
  if (worker_ == nullptr || has_terminal_ || client == nullptr ||
      !absl::StartsWith(client, "SSH-2.0-OpenSSH")) {
    return;
  }
  // As a pipe that nobody reads any more.
  Close(worker_->ends().out, out_events_);
}

bool Channel::CanSend() const {
  return ssh_channel_window_size(channel_) > 0 &&
         (ssh_get_poll_flags(guest_.session()) & SSH_WRITE_PENDING) == 0;
}

bool Channel::PassOutput(UniqueFd& fd, bool is_err) {
  char piece[kPiece];
  short& watched = is_err ? err_events_ : out_events_;
  for (int i = 0; i < kPieces && fd.valid(); ++i) {
    if (!CanSend()) return false;
    const size_t most =
        std::min<size_t>(sizeof(piece), ssh_channel_window_size(channel_));
    const ssize_t size = read(fd.get(), piece, most);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return true;
    if (size <= 0) {  // Of a terminal EIO is the end.
      Close(fd, watched);
      return true;
    }
    absl::string_view data(piece, size);
    std::string filtered;
    if (!is_err && filter_) data = filtered = filter_->Take(data);
    if (data.empty()) continue;
    const int sent =
        is_err ? ssh_channel_write_stderr(channel_, data.data(), data.size())
               : ssh_channel_write(channel_, data.data(), data.size());
    if (sent != static_cast<int>(data.size())) {
      Close(fd, watched);
      return true;
    }
  }
  return true;
}

void Channel::Finish() {
  finished_ = true;
  const Ended ended = *worker_->ended();
  const char* name = ended.signal == 0 ? nullptr : SignalName(ended.signal);
  if (ended.signal != 0) {
    ssh_channel_request_send_exit_signal(
        channel_, name == nullptr ? "KILL" : name, 0, "", "");
  } else {
    ssh_channel_request_send_exit_status(channel_, ended.exit_status);
  }
  ssh_channel_send_eof(channel_);
  ssh_channel_close(channel_);
}

bool Channel::Step() {
  if (worker_ == nullptr) return !closed_ && !ssh_channel_is_closed(channel_);
  const bool done = worker_->ended().has_value();
  if (closed_ || finished_) return !(done && (closed_ || finished_));
  Worker::Ends& ends = worker_->ends();
  TakeInput();
  const bool out = PassOutput(ends.out, /*is_err=*/false);
  const bool err = PassOutput(ends.err, /*is_err=*/true);
  if (done && !ends.out.valid() && !ends.err.valid()) {
    Finish();
    return false;
  }
  // A descriptor that nobody can read for is not watched, or it would wake us
  // for ever.
  const short reads = out && err && CanSend() ? POLLIN : 0;
  const short writes = input_.empty() ? 0 : POLLOUT;
  Watch(ends.in, writes, in_events_);
  Watch(ends.out, reads | (has_terminal_ ? writes : 0), out_events_);
  Watch(ends.err, reads, err_events_);
  return true;
}

}  // namespace berth::gateway
