#ifndef BERTH_AGENT_SHELL_ZSH_PIPE_CHANNEL_H_
#define BERTH_AGENT_SHELL_ZSH_PIPE_CHANNEL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/shell/control_channel.h"
#include "agent/shell/spawn.h"
#include "agent/shell/zsh/descriptor_porter.h"
#include "base/unique_fd.h"

namespace berth::shell {

// A control channel for shells that know no sockets: two pipes. Descriptors
// are not passed but kept open, for the shell to open them by /proc, until it
// says that it has; by a process of its own, if it runs as another user.
class PipeChannel final : public ControlChannel {
 public:
  // The ends for the shell go to `requests`, which it reads, and `answers`.
  static absl::StatusOr<std::unique_ptr<PipeChannel>> Open(UniqueFd& requests,
                                                           UniqueFd& answers);

  // From now on what is sent goes by a process of the user that the shell runs
  // as, whose `credentials` `options` has. Nothing may have been sent before.
  absl::Status UsePorter(const SpawnOptions& options);

  int fd() const override { return closed_ ? -1 : from_.get(); }
  bool is_open() const override { return !closed_; }
  absl::Status Send(const ControlPacket& packet,
                    absl::Span<const int> fds = {}) override;
  absl::StatusOr<std::optional<ControlPacket>> Receive() override;

 private:
  PipeChannel(UniqueFd to, UniqueFd from)
      : to_(std::move(to)), from_(std::move(from)) {}

  absl::Status Keep(absl::Span<const int> fds);
  // The shell has opened them.
  void Release();
  absl::Status SendByPorter(const ControlPacket& packet,
                            absl::Span<const int> fds);
  // Reads what there is. False if nothing more comes now.
  bool Fill();

  UniqueFd to_;  // Not with a porter.
  std::unique_ptr<DescriptorPorter> porter_;
  UniqueFd from_;
  bool closed_ = false;
  std::string unread_;
  // Of run kept_for_, which has not opened them yet.
  std::vector<UniqueFd> kept_;
  uint64_t kept_for_ = 0;
};

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_ZSH_PIPE_CHANNEL_H_
