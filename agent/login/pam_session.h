#ifndef BERTH_AGENT_LOGIN_PAM_SESSION_H_
#define BERTH_AGENT_LOGIN_PAM_SESSION_H_

#include <security/pam_appl.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace berth::agent {

// PamSession is an open session of the system's login machinery: whoever made
// it, and what it starts, has the limits, umask and login id that the modules
// of the service set. One process opens and closes it. One thread.
class PamSession {
 public:
  // `service`: the name of a file in /etc/pam.d, or a file's absolute path.
  // Asks whether the account may be used now (expired, /etc/nologin, ...), but
  // for no password: who the user is Berth knows. PERMISSION_DENIED: it may
  // not; names the account, and says what PAM and its modules said.
  // FAILED_PRECONDITION: there is no such service (PAM itself would take
  // "other", whatever that allows), or others could write it. PAM looks for
  // names in lower case alone.
  static absl::StatusOr<std::unique_ptr<PamSession>> Open(
      const std::string& service, const std::string& user);
  // Closes it.
  ~PamSession();
  PamSession(const PamSession&) = delete;
  PamSession& operator=(const PamSession&) = delete;

  // What the modules want in the environment: "NAME=value".
  std::vector<std::string> Environment() const;

 private:
  PamSession(std::string service, std::string user)
      : service_(std::move(service)), user_(std::move(user)) {}

  absl::Status Start();
  absl::Status CheckAccount();
  absl::Status OpenSession();
  // "<what>: <PAM's word for result_>: <what modules said>".
  absl::Status Explain(const std::string& what) const;
  // Keeps what modules say; there is nobody to answer what they ask.
  static int Converse(int count, const pam_message** messages,
                      pam_response** responses, void* session);

  const std::string service_;
  const std::string user_;
  pam_handle_t* handle_ = nullptr;
  int result_ = PAM_SUCCESS;  // Of the latest call: modules are told.
  std::string said_;
  bool has_credentials_ = false;
  bool open_ = false;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_LOGIN_PAM_SESSION_H_
