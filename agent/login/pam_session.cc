#include "agent/login/pam_session.h"

#include <stdlib.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/sessions/admin_file.h"
#include "base/escape.h"
#include "base/status_macros.h"

namespace berth::agent {
namespace {

// What of the modules' own words is told.
constexpr size_t kMaxSaid = 1000;

// No service has more.
constexpr size_t kMaxService = 1 << 20;

// Where libpam looks for services.
constexpr const char* kFolders[] = {"/etc/pam.d/", "/usr/lib/pam.d/"};

// It does what it says as root, so it is a setting of the administrator's.
absl::Status CheckService(const std::string& service) {
  absl::Status status = absl::NotFoundError("");
  if (absl::StartsWith(service, "/")) {
    status = ReadAdminFile(service, kMaxService).status();
  } else if (!service.empty()) {
    for (const char* folder : kFolders) {
      if (!absl::IsNotFound(status)) break;
      status = ReadAdminFile(folder + service, kMaxService).status();
    }
  }
  if (status.ok()) return status;
  const std::string start =
      absl::StrCat("the PAM service '", EscapeForTerminal(service),
                   "' that agent.toml names (pam) ");
  if (!absl::IsNotFound(status)) {
    return absl::FailedPreconditionError(
        absl::StrCat(start, "can't be used: ", status.message()));
  }
  return absl::FailedPreconditionError(absl::StrCat(
      start,
      "is not installed: put a file of that name into /etc/pam.d, or take the "
      "line out of agent.toml; then sessions are no PAM sessions"));
}

}  // namespace

int PamSession::Converse(int count, const pam_message** messages,
                         pam_response** responses, void* session) {
  std::string& said = static_cast<PamSession*>(session)->said_;
  if (count <= 0 || count > PAM_MAX_NUM_MSG) return PAM_CONV_ERR;
  for (int i = 0; i < count; ++i) {
    const int style = messages[i]->msg_style;
    if (style != PAM_ERROR_MSG && style != PAM_TEXT_INFO) return PAM_CONV_ERR;
    const absl::string_view text =
        messages[i]->msg == nullptr ? "" : messages[i]->msg;
    absl::StrAppend(&said, said.empty() ? "" : " ",
                    absl::StripAsciiWhitespace(text).substr(0, kMaxSaid));
    if (said.size() > kMaxSaid) said.resize(kMaxSaid);
  }
  // Freed by the module.
  *responses = static_cast<pam_response*>(
      calloc(static_cast<size_t>(count), sizeof(pam_response)));
  return *responses == nullptr ? PAM_BUF_ERR : PAM_SUCCESS;
}

absl::StatusOr<std::unique_ptr<PamSession>> PamSession::Open(
    const std::string& service, const std::string& user) {
  BERTH_RETURN_IF_ERROR(CheckService(service));
  std::unique_ptr<PamSession> session(new PamSession(service, user));
  BERTH_RETURN_IF_ERROR(session->Start());
  BERTH_RETURN_IF_ERROR(session->CheckAccount());
  BERTH_RETURN_IF_ERROR(session->OpenSession());
  return session;
}

absl::Status PamSession::Explain(const std::string& what) const {
  std::string text = absl::StrCat(
      what, ": PAM service '", EscapeForTerminal(service_),
      "' says: ", EscapeForTerminal(pam_strerror(handle_, result_)));
  if (!said_.empty()) absl::StrAppend(&text, ": ", EscapeForTerminal(said_));
  return absl::PermissionDeniedError(text);
}

absl::Status PamSession::Start() {
  const size_t slash = service_.rfind('/');
  const bool path = slash != std::string::npos;
  const std::string folder = path ? service_.substr(0, slash) : "";
  const std::string name = path ? service_.substr(slash + 1) : service_;
  const pam_conv conversation = {Converse, this};
  result_ = pam_start_confdir(name.c_str(), user_.c_str(), &conversation,
                              path ? folder.c_str() : nullptr, &handle_);
  if (result_ == PAM_SUCCESS) {
    // Modules that keep lists of terminals want a name.
    result_ = pam_set_item(handle_, PAM_TTY, "berth");
    if (result_ == PAM_SUCCESS) return absl::OkStatus();
    return Explain("can't begin a PAM session");
  }
  handle_ = nullptr;
  return absl::FailedPreconditionError(
      absl::StrCat("the PAM service '", EscapeForTerminal(service_),
                   "' can't be used; the system's log (authpriv) may say why"));
}

absl::Status PamSession::CheckAccount() {
  result_ = pam_acct_mgmt(handle_, 0);
  if (result_ == PAM_SUCCESS) return absl::OkStatus();
  return Explain(absl::StrCat("account '", EscapeForTerminal(user_),
                              "' may not be used now"));
}

absl::Status PamSession::OpenSession() {
  const std::string what =
      absl::StrCat("no session for account '", EscapeForTerminal(user_), "'");
  // Fails in services without an `auth` part, which is as it should be.
  has_credentials_ =
      pam_setcred(handle_, PAM_ESTABLISH_CRED | PAM_SILENT) == PAM_SUCCESS;
  result_ = pam_open_session(handle_, 0);
  if (result_ != PAM_SUCCESS) return Explain(what);
  open_ = true;
  // Modules may map users to others. Who the session's is the agent's rules
  // have said.
  const void* mapped = nullptr;
  result_ = pam_get_item(handle_, PAM_USER, &mapped);
  if (result_ != PAM_SUCCESS) return Explain(what);
  if (mapped != nullptr && user_ == static_cast<const char*>(mapped)) {
    return absl::OkStatus();
  }
  return absl::PermissionDeniedError(
      absl::StrCat(what, ": a module of the PAM service '",
                   EscapeForTerminal(service_), "' made another of it"));
}

PamSession::~PamSession() {
  if (handle_ == nullptr) return;
  if (open_) result_ = pam_close_session(handle_, PAM_SILENT);
  if (has_credentials_) pam_setcred(handle_, PAM_DELETE_CRED | PAM_SILENT);
  pam_end(handle_, result_);
}

std::vector<std::string> PamSession::Environment() const {
  std::vector<std::string> variables;
  char** const list = pam_getenvlist(handle_);
  if (list == nullptr) return variables;
  for (char** entry = list; *entry != nullptr; ++entry) {
    variables.push_back(*entry);
    free(*entry);
  }
  free(list);
  return variables;
}

}  // namespace berth::agent
