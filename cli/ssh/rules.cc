#include "cli/ssh/rules.h"

#include <pwd.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace berth::cli {

std::string LoginName() {
  const passwd* const user = getpwuid(geteuid());
  return user == nullptr ? "root" : user->pw_name;
}

SshRules MakeSshRules(Invocation& invocation, const SshOptions& options) {
  const std::string home(invocation.environment().Get("HOME"));
  SshRules rules;
  rules.ssh_directory = absl::StrCat(home.empty() ? "/" : home, "/.ssh");
  rules.host_keys.known_hosts =
      options.known_hosts.empty()
          ? rules.ssh_directory + "/known_hosts"
          : invocation.AbsolutePath(options.known_hosts);
  rules.host_keys.accept_new = options.accept_new;
  for (const std::string& file : options.identities) {
    rules.keys.named.push_back(invocation.AbsolutePath(file));
  }
  for (const char* name : {"id_ed25519", "id_ecdsa", "id_rsa"}) {
    rules.keys.usual.push_back(absl::StrCat(rules.ssh_directory, "/", name));
  }
  return rules;
}

}  // namespace berth::cli
