#include "cli/ssh/ssh_session.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/ssh/ssh_error.h"

namespace berth::cli {
namespace {

// For what a server must answer while one logs in, in seconds.
constexpr long kPatience = 20;  // NOLINT(runtime/int): libssh's type.
// Of each stream of a command, in bytes.
constexpr size_t kMaxOutput = 256 << 10;
// How long one look for output waits, before standard error has its turn.
constexpr int kLookMilliseconds = 100;

absl::Status SetOptions(ssh_session session, const SshTarget& target,
                        int socket, const SshRules& rules) {
  const bool process_config = false;
  const unsigned int port = target.port;
  const struct {
    ssh_options_e option;
    const void* value;
  } options[] = {
      {SSH_OPTIONS_PROCESS_CONFIG, &process_config},
      {SSH_OPTIONS_SSH_DIR, rules.ssh_directory.c_str()},
      {SSH_OPTIONS_HOST, target.host.c_str()},
      {SSH_OPTIONS_PORT, &port},
      {SSH_OPTIONS_USER, target.user.c_str()},
      {SSH_OPTIONS_KNOWNHOSTS, rules.host_keys.known_hosts.c_str()},
      {SSH_OPTIONS_TIMEOUT, &kPatience},
      {SSH_OPTIONS_FD, &socket},
  };
  for (const auto& [option, value] : options) {
    if (ssh_options_set(session, option, value) != SSH_OK) {
      return SshError("prepare the connection", session);
    }
  }
  return absl::OkStatus();
}

using Channel =
    std::unique_ptr<std::remove_pointer_t<ssh_channel>, void (*)(ssh_channel)>;

// Adds what a stream has now; waits a moment if `wait`. False: it failed.
bool ReadSome(ssh_channel channel, bool is_stderr, bool wait,
              std::string& text) {
  char buffer[16 << 10];
  int count;
  do {
    count = ssh_channel_read_timeout(channel, buffer, sizeof(buffer), is_stderr,
                                     wait ? kLookMilliseconds : 0);
    if (count > 0) {
      text.append(buffer, std::min<size_t>(count, kMaxOutput - text.size()));
    }
    wait = false;
  } while (count > 0);
  return count != SSH_ERROR;
}

}  // namespace

absl::StatusOr<SshSession> SshSession::Start(const SshTarget& target,
                                             UniqueFd socket,
                                             const SshRules& rules) {
  Handle session(ssh_new());
  if (session == nullptr) return absl::ResourceExhaustedError("no memory");
  BERTH_RETURN_IF_ERROR(SetOptions(session.get(), target, socket.get(), rules));
  socket.release();  // The session's from here on, whether it connects or not.
  if (ssh_connect(session.get()) != SSH_OK) {
    return SshError("begin to speak SSH", session.get());
  }
  BERTH_RETURN_IF_ERROR(CheckHostKey(session.get(), target, rules.host_keys));
  BERTH_RETURN_IF_ERROR(Authenticate(session.get(), target, rules.keys));
  return SshSession(std::move(session));
}

absl::StatusOr<RemoteResult> SshSession::Run(const std::string& command,
                                             absl::string_view input) {
  const Channel channel(ssh_channel_new(get()), ssh_channel_free);
  if (channel == nullptr || ssh_channel_open_session(channel.get()) != SSH_OK ||
      ssh_channel_request_exec(channel.get(), command.c_str()) != SSH_OK) {
    return SshError("run a command there", get());
  }
  RemoteResult result;
  if (!input.empty() &&
      ssh_channel_write(channel.get(), input.data(), input.size()) !=
          static_cast<int>(input.size())) {
    return SshError("pass a command its input", get());
  }
  ssh_channel_send_eof(channel.get());
  bool ok = true;
  while (ok && !ssh_channel_is_eof(channel.get()) &&
         ssh_channel_is_open(channel.get())) {
    ok = ReadSome(channel.get(), false, true, result.out) &&
         ReadSome(channel.get(), true, false, result.err);
  }
  ok = ok && ReadSome(channel.get(), false, false, result.out) &&
       ReadSome(channel.get(), true, false, result.err);
  if (!ok || !ssh_is_connected(get())) {
    return SshError("the connection was lost while a command ran", get());
  }
  result.exit_status = ssh_channel_get_exit_status(channel.get());
  return result;
}

}  // namespace berth::cli
