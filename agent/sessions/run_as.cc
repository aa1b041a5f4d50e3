#include "agent/sessions/run_as.h"

#include <fnmatch.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/files.h"
#include "base/status_macros.h"

namespace berth::agent {
namespace {

constexpr uid_t kFirstPerson = 1000;
constexpr uid_t kNobody = 65534;
constexpr size_t kMaxEntry = 1 << 20;
constexpr int kMaxGroups = 65536;

std::string Shown(absl::string_view name) {
  return absl::StrCat("'", EscapeForTerminal(name.substr(0, 200)), "'");
}

// Calls getpwnam_r or getpwuid_r with as much memory as it wants.
template <typename Lookup>
absl::StatusOr<Account> Find(const std::string& shown, const Lookup& lookup) {
  std::vector<char> buffer(16 << 10);
  passwd entry;
  passwd* found = nullptr;
  int error;
  while ((error = lookup(&entry, buffer.data(), buffer.size(), &found)) ==
             ERANGE &&
         buffer.size() < kMaxEntry) {
    buffer.resize(buffer.size() * 2);
  }
  if (found == nullptr) {
    // Some say so by these, see getpwnam(3).
    if (error == 0 || error == ENOENT || error == ESRCH || error == EPERM) {
      return absl::NotFoundError(absl::StrCat("no account ", shown));
    }
    return absl::UnavailableError(
        ErrnoToStatus(error, absl::StrCat("account ", shown)).message());
  }
  Account account;
  account.name = entry.pw_name;
  account.user = entry.pw_uid;
  account.group = entry.pw_gid;
  account.home = entry.pw_dir;
  account.login_shell = entry.pw_shell;
  int count = 64;
  account.groups.resize(count);
  while (getgrouplist(entry.pw_name, entry.pw_gid, account.groups.data(),
                      &count) < 0 &&
         count <= kMaxGroups) {
    account.groups.resize(count);
  }
  account.groups.resize(std::min<size_t>(count, account.groups.size()));
  return account;
}

bool IsNamed(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool Matches(const std::vector<std::string>& patterns,
             const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) {
                       return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
                     });
}

// Why an account is not for sessions unless somebody said so. Empty: it is.
std::string WhyNotOrdinary(const Account& account) {
  if (account.user == 0) return "it is root's";
  if (account.user < kFirstPerson || account.user == kNobody) {
    return absl::StrCat("it is the system's (user id ", account.user, ")");
  }
  const absl::string_view shell = account.login_shell;
  if (absl::EndsWith(shell, "/nologin") || absl::EndsWith(shell, "/false")) {
    return "it may not log in";
  }
  return "";
}

absl::Status CheckAllowed(const RunAsRules& rules, const RunAsRequest& request,
                          const Account& account, bool asked) {
  const std::string what =
      absl::StrCat("sessions as account ", Shown(account.name),
                   " on computer '", request.computer, "'");
  if (Matches(rules.denied, account.name)) {
    return absl::PermissionDeniedError(
        absl::StrCat(what, " are denied by its denied_run_as"));
  }
  if (IsNamed(rules.allowed, account.name)) return absl::OkStatus();
  if (const std::string why = WhyNotOrdinary(account); !why.empty()) {
    return absl::PermissionDeniedError(absl::StrCat(
        what, " are not allowed: ", why,
        ", and allowed_run_as in its agent.toml does not name it"));
  }
  if (!asked || Matches(rules.allowed, account.name)) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat(
      what,
      " are not allowed: allowed_run_as in its agent.toml does not have "
      "it; without --run-as there may be another"));
}

// The account's name that the rule gives; empty: the agent's own.
std::string RuleName(const RunAsRules& rules, const RunAsRequest& request) {
  const std::string& rule = request.rule.empty() ? rules.run_as : request.rule;
  if (rule == "agent") return "";
  if (rule != "caller") return rule;
  const auto it = rules.users.find(request.owner);
  return it == rules.users.end() ? request.owner : it->second;
}

}  // namespace

absl::StatusOr<Account> FindAccount(const std::string& name) {
  return Find(Shown(name),
              [&](passwd* entry, char* buffer, size_t size, passwd** found) {
                return getpwnam_r(name.c_str(), entry, buffer, size, found);
              });
}

absl::StatusOr<Account> FindAccount(uid_t user) {
  return Find(absl::StrCat(user),
              [&](passwd* entry, char* buffer, size_t size, passwd** found) {
                return getpwuid_r(user, entry, buffer, size, found);
              });
}

Account OwnAccount() {
  absl::StatusOr<Account> account = FindAccount(geteuid());
  if (account.ok()) return *std::move(account);
  Account own;
  own.name = absl::StrCat(geteuid());
  own.user = geteuid();
  own.group = getegid();
  own.home = "/";
  return own;
}

absl::StatusOr<Account> DecideRunAs(const RunAsRules& rules,
                                    const RunAsRequest& request,
                                    const Account& own,
                                    const AccountFinder& find) {
  if (!rules.owners.empty() && !Matches(rules.owners, request.owner)) {
    return absl::PermissionDeniedError(absl::StrCat(
        "computer '", request.computer, "' takes no sessions of user ",
        Shown(request.owner), ": its allowed_owners does not have them"));
  }
  const std::string by_rule = RuleName(rules, request);
  const std::string& name = request.account.empty() ? by_rule : request.account;
  const bool asked = !request.account.empty() && name != by_rule &&
                     !(by_rule.empty() && name == own.name);
  if (name.empty() || (!asked && by_rule.empty())) return own;
  const absl::StatusOr<Account> account = find(name);
  if (absl::IsNotFound(account.status())) {
    return absl::FailedPreconditionError(absl::StrCat(
        "computer '", request.computer, "' has no account ", Shown(name),
        request.account.empty()
            ? " for its sessions: add it, or map the user to another in "
              "[users] of its agent.toml"
            : ""));
  }
  BERTH_RETURN_IF_ERROR(account.status());
  if (own.user != 0 && account->user != own.user) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the agent of computer '", request.computer, "' is run by ",
        Shown(own.name), ", so it can't start sessions as account ",
        Shown(name), ": only one run by root can"));
  }
  // What runs as the agent anyway needs no leave.
  if (own.user == 0 || asked) {
    BERTH_RETURN_IF_ERROR(CheckAllowed(rules, request, *account, asked));
  }
  return *account;
}

absl::StatusOr<Account> HolderAccount(const RunAsRules& rules,
                                      const AccountFinder& find) {
  Account account;
  account.name = rules.holder_user;
  if (absl::SimpleAtoi(rules.holder_user, &account.user)) {
    account.group = account.user;
  } else {
    absl::StatusOr<Account> found = find(rules.holder_user);
    if (absl::IsNotFound(found.status())) {
      return absl::FailedPreconditionError(absl::StrCat(
          "sessions of other users need an account for their holders, and "
          "there is no ",
          Shown(rules.holder_user),
          ": make it with 'useradd --system --user-group --no-create-home "
          "--home-dir /nonexistent --shell /usr/sbin/nologin ",
          EscapeForTerminal(rules.holder_user),
          "', or name another as holder_user in agent.toml"));
    }
    BERTH_RETURN_IF_ERROR(found.status());
    account = *std::move(found);
  }
  if (account.user != 0) return account;
  return absl::FailedPreconditionError(
      "holder_user in agent.toml is root's; it must be an account without "
      "rights, and used for nothing else");
}

}  // namespace berth::agent
