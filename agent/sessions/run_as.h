#ifndef BERTH_AGENT_SESSIONS_RUN_AS_H_
#define BERTH_AGENT_SESSIONS_RUN_AS_H_

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace berth::agent {

// An account of this computer.
struct Account {
  std::string name;
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;  // All, with `group`.
  std::string home;
  std::string login_shell;
};

// The account with that name. NOT_FOUND: there is none. UNAVAILABLE: the
// computer's directory of accounts can't be asked.
absl::StatusOr<Account> FindAccount(const std::string& name);
// The same by number.
absl::StatusOr<Account> FindAccount(uid_t user);
// Who this process runs as, even if that has no account.
Account OwnAccount();

// Who sessions run as, and who may have them: this computer's own rules, of
// agent.toml, which no broker can lift.
struct RunAsRules {
  // "agent", "caller", or an account's name.
  std::string run_as = "agent";
  // Whose account a Berth user has, where the names differ.
  std::map<std::string, std::string> users;
  // Accounts that a request may name beside the one that the rule gives:
  // names, or patterns such as "web-*". Only by its whole name it allows one
  // that is none of a person: root, user ids below 1000, nobody, or one that
  // may not log in. Also the rule gives such a one only if it is named here.
  std::vector<std::string> allowed;
  // Never: names or patterns.
  std::vector<std::string> denied;
  // Users of Berth who may make sessions here: names or patterns. Empty: all.
  std::vector<std::string> owners;
  // The account, or number, that the holders of other users' sessions run as.
  std::string holder_user = "berth-holder";
  // The PAM service whose sessions all are: the name of a file in /etc/pam.d,
  // or a file's absolute path. Empty: no PAM sessions.
  std::string pam;
};

// What is asked for.
struct RunAsRequest {
  std::string owner;     // The Berth user.
  std::string account;   // Empty: what the rule says.
  std::string rule;      // The configuration's; empty: that of the rules.
  std::string computer;  // For messages.
};

using AccountFinder =
    std::function<absl::StatusOr<Account>(const std::string& name)>;

// The account that a session is to run as. `own` is the agent's: unless that
// is root, no other can be had. PERMISSION_DENIED: the rules don't allow it.
// FAILED_PRECONDITION: there is no such account here, or the agent is not run
// by root.
absl::StatusOr<Account> DecideRunAs(const RunAsRules& rules,
                                    const RunAsRequest& request,
                                    const Account& own,
                                    const AccountFinder& find);

// The account of the rules' holder_user. FAILED_PRECONDITION: there is none, or
// it is root's.
absl::StatusOr<Account> HolderAccount(const RunAsRules& rules,
                                      const AccountFinder& find);

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_RUN_AS_H_
