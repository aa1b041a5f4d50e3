#ifndef BERTH_BROKER_GATEWAY_CHANNEL_H_
#define BERTH_BROKER_GATEWAY_CHANNEL_H_

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <sys/ioctl.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "broker/gateway/between_marks.h"
#include "broker/gateway/config.h"
#include "broker/gateway/handshake.h"
#include "broker/gateway/work.h"
#include "broker/gateway/worker.h"

namespace berth::gateway {

// One channel of an SSH connection: what it asks for, and the bytes between it
// and what works for it. A side that does not read stops the other: nothing is
// kept but one piece, and what libssh holds of its window. Used by the
// connection's thread.
class Channel {
 public:
  // `wake` makes the connection call Step() again; it may be called on any
  // thread. All must outlive it.
  Channel(const Guest& guest, const Config& config, ssh_event event,
          ssh_channel channel, std::function<void()> wake);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Of a channel that is a forwarded connection.
  bool Forward(const std::string& computer, const std::string& host, int port);

  // Of a request that libssh does not know: OpenSSH says so that it reads no
  // more output (eow@openssh.com), and waits for the end. Without a terminal
  // it asks for nothing else that is not known.
  void UnknownRequest();

  bool Is(ssh_channel channel) const { return channel == channel_; }

  // Moves what can be moved. False: it is over, and nothing is left of it.
  bool Step();

 private:
  // What libssh tells; `self` is the channel.
  static int OnPty(ssh_session, ssh_channel, const char* term, int width,
                   int height, int, int, void* self);
  static int OnResize(ssh_session, ssh_channel, int width, int height, int, int,
                      void* self);
  static int OnEnvironment(ssh_session, ssh_channel, const char* name,
                           const char* value, void* self);
  static int OnShell(ssh_session, ssh_channel, void* self);
  static int OnExec(ssh_session, ssh_channel, const char* command, void* self);
  static int OnSubsystem(ssh_session, ssh_channel, const char* name,
                         void* self);
  static void OnSignal(ssh_session, ssh_channel, const char* name, void* self);
  static int OnData(ssh_session, ssh_channel, void*, uint32_t, int, void* self);
  static void OnEof(ssh_session, ssh_channel, void* self);
  static void OnClose(ssh_session, ssh_channel, void* self);
  static int OnReady(int fd, int events, void* self);

  enum class Terminal { kNone, kCooked, kRaw };
  // 0, or 1: refused. Only one thing can be started.
  int Start(std::unique_ptr<Work> work, Terminal terminal);
  void TakeInput();
  // False: the client can't take more now.
  bool PassOutput(UniqueFd& fd, bool is_err);
  bool CanSend() const;
  void Finish();
  void Watch(UniqueFd& fd, short events, short& watched);
  void Close(UniqueFd& fd, short& watched);

  const Guest& guest_;
  const Config& config_;
  const ssh_event event_;
  ssh_channel channel_;
  const std::function<void()> wake_;
  ssh_channel_callbacks_struct callbacks_ = {};

  Asked asked_;
  winsize size_ = {};
  bool has_terminal_ = false;
  std::optional<BetweenMarks> filter_;
  std::unique_ptr<Worker> worker_;
  std::string input_;  // Taken from the client, not yet by the worker.
  bool has_data_ = false;
  bool eof_ = false;       // The client sends no more.
  bool closed_ = false;    // By the client.
  bool finished_ = false;  // By us.
  // What the event loop waits for, by descriptor.
  short in_events_ = 0, out_events_ = 0, err_events_ = 0;
};

}  // namespace berth::gateway

#endif  // BERTH_BROKER_GATEWAY_CHANNEL_H_
