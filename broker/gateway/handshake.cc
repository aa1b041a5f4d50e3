#include "broker/gateway/handshake.h"

#include <libssh/callbacks.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/monotonic.h"
#include "base/status_macros.h"
#include "broker/gateway/host_keys.h"

namespace berth::gateway {

// One of them. Used by one thread, which libssh calls back on.
class Handshake {
 public:
  Handshake(SshSession session, const std::string& address, Logins& logins,
            const HandshakeLimits& limits)
      : session_(std::move(session)),
        address_(address),
        logins_(logins),
        tries_left_(limits.tries),
        deadline_(MonotonicNow() + limits.grace) {}

  absl::StatusOr<Guest> Run() {
    // No function for channels, nor for any other way of authentication: libssh
    // refuses what has none.
    ssh_server_callbacks_struct callbacks = {};
    callbacks.userdata = this;
    callbacks.auth_pubkey_function = &OnKey;
    ssh_callbacks_init(&callbacks);
    ssh_set_server_callbacks(session_.get(), &callbacks);
    // libssh does not forget them; but it calls back only while it is polled,
    // which is next done with those of whoever has the guest.
    BERTH_RETURN_IF_ERROR(Authenticate());
    return Guest(std::move(session_), std::move(name_), address_,
                 std::move(broker_),
                 [&logins = logins_, claim = claim_](const std::string& csr) {
                   return logins.Certify(claim, csr);
                 });
  }

 private:
  absl::Status Authenticate() {
    ssh_set_auth_methods(session_.get(), SSH_AUTH_METHOD_PUBLICKEY);
    ssh_set_blocking(session_.get(), 0);
    // Begins it; a session can't be polled before.
    int exchanged = ssh_handle_key_exchange(session_.get());
    if (exchanged == SSH_ERROR) return Broken();
    const SshEvent event(ssh_event_new());
    if (event == nullptr ||
        ssh_event_add_session(event.get(), session_.get()) != SSH_OK) {
      return absl::ResourceExhaustedError("no memory for a connection");
    }
    absl::Status status;
    while (exchanged == SSH_AGAIN && status.ok()) {
      status = Poll(event.get());
      if (status.ok()) exchanged = ssh_handle_key_exchange(session_.get());
    }
    if (status.ok() && exchanged != SSH_OK) status = Broken();
    while (status.ok() && broker_ == nullptr) status = Poll(event.get());
    ssh_event_remove_session(event.get(), session_.get());
    return status;
  }

  absl::Status Poll(ssh_event event) {
    const absl::Duration left = deadline_ - MonotonicNow();
    if (left <= absl::ZeroDuration()) {
      return absl::DeadlineExceededError("did not log in in time");
    }
    const int polled = ssh_event_dopoll(
        event, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
    if (!refused_.ok()) return refused_;
    if (broker_ != nullptr) return absl::OkStatus();
    const int state = ssh_get_status(session_.get());
    if (polled == SSH_ERROR || (state & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0) {
      return Broken();
    }
    return absl::OkStatus();
  }

  absl::Status Broken() {
    return absl::UnavailableError(
        absl::StrCat("gone before it logged in: ",
                     EscapeForTerminal(ssh_get_error(session_.get()))));
  }

  static int OnKey(ssh_session, const char* user, ssh_key_struct* key,
                   char state, void* self) {
    return static_cast<Handshake*>(self)->TryKey(user, key, state);
  }

  int TryKey(const char* user, ssh_key key, char state) {
    if (!refused_.ok() || broker_ != nullptr) return SSH_AUTH_DENIED;
    const absl::Status status = Check(user, key, state);
    if (status.ok()) return SSH_AUTH_SUCCESS;
    SPDLOG_INFO("{}: not let in: {}", address_,
                EscapeForTerminal(status.message()));
    if (--tries_left_ == 0) {
      refused_ = absl::PermissionDeniedError("too many keys were tried");
    } else if (absl::IsUnavailable(status) ||
               absl::IsDeadlineExceeded(status)) {
      refused_ = status;
    }
    return SSH_AUTH_DENIED;
  }

  // Of a key that is only asked about: whether it may be used.
  absl::Status Check(const char* user, ssh_key key, char state) {
    BERTH_ASSIGN_OR_RETURN(const LoginName name,
                           ParseLoginName(user == nullptr ? "" : user));
    const Claim claim{name.user, Fingerprint(key), address_};
    if (state == SSH_PUBLICKEY_STATE_NONE) return logins_.CheckKey(claim);
    if (state != SSH_PUBLICKEY_STATE_VALID) {
      return absl::UnauthenticatedError(
          absl::StrCat("user '", name.user, "': a wrong signature"));
    }
    BERTH_ASSIGN_OR_RETURN(broker_, logins_.LogIn(claim));
    name_ = name;
    claim_ = claim;
    return absl::OkStatus();
  }

  SshSession session_;
  const std::string address_;
  Logins& logins_;
  size_t tries_left_;
  const absl::Time deadline_;
  absl::Status refused_;
  LoginName name_;
  Claim claim_;
  std::shared_ptr<cli::Connection> broker_;
};

absl::StatusOr<Guest> LetIn(SshSession session, const std::string& address,
                            Logins& logins, const HandshakeLimits& limits) {
  return Handshake(std::move(session), address, logins, limits).Run();
}

}  // namespace berth::gateway
