#ifndef BERTH_AGENT_SESSIONS_SHELL_CHECK_H_
#define BERTH_AGENT_SESSIONS_SHELL_CHECK_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/sessions/configuration.h"
#include "base/cond_var.h"
#include "base/mutex.h"

namespace berth::agent {

// ShellCheck has every shell binary tested once before it hosts sessions. What
// serves sessions in a shell uses what no interface promises, and an update of
// the shell may change that: a session that then loses commands is worse than
// none. Thread-safe.
class ShellCheck {
 public:
  // Tests the shell at a path, as one of a kind.
  using Trial =
      std::function<absl::Status(const std::string& shell, ShellKind kind)>;

  // `file` keeps the binaries that passed.
  ShellCheck(std::string file, Trial trial)
      : file_(std::move(file)), trial_(std::move(trial)) {}

  // Reads the file. If it can't be read, shells are tested again.
  void Load() ABSL_LOCKS_EXCLUDED(mu_);

  // Tests `shell` if this binary has not passed yet; of several calls at once
  // one does, and the others wait for it. A failure is not remembered: it may
  // have been the computer's. Errors are those of the trial.
  absl::Status Check(const std::string& shell,
                     ShellKind kind = ShellKind::kBash)
      ABSL_LOCKS_EXCLUDED(mu_, io_mu_);

 private:
  struct Run {
    std::optional<absl::Status> result;
  };

  absl::Status WaitFor(const Run& run, const std::string& shell)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Save() ABSL_LOCKS_EXCLUDED(mu_, io_mu_);

  const std::string file_;
  const Trial trial_;

  // Orders writers of the file; held during I/O on purpose.
  Mutex io_mu_;
  Mutex mu_;
  CondVar ended_;
  std::set<std::string> passed_ ABSL_GUARDED_BY(mu_);  // By identity.
  std::map<std::string, std::shared_ptr<Run>> runs_ ABSL_GUARDED_BY(mu_);
};

// What tells the binary at `path` from any other, and from itself after an
// update, to this version of the agent, as a shell of `kind`: one line of text.
absl::StatusOr<std::string> ShellIdentity(const std::string& path,
                                          ShellKind kind = ShellKind::kBash);

// The identities in the text of a ShellCheck's file. Lines that are none of
// this version's are left out.
std::set<std::string> ParseShells(absl::string_view text);

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_SHELL_CHECK_H_
