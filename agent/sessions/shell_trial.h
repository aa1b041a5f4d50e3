#ifndef BERTH_AGENT_SESSIONS_SHELL_TRIAL_H_
#define BERTH_AGENT_SESSIONS_SHELL_TRIAL_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "agent/sessions/configuration.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::agent {

// One script of a shell's self-test, and what must come of it.
struct ShellCase {
  absl::string_view name;
  absl::string_view script;
  std::optional<absl::string_view> input = std::nullopt;
  bool interrupt = false;  // As soon as it has printed something.

  v1::CommandEnded::How how = v1::CommandEnded::COMPLETED;
  int32_t exit_code = 0;
  absl::string_view out = "";
  // Not set: any.
  std::optional<absl::string_view> err = "";
  std::optional<absl::string_view> cwd = std::nullopt;
};

// What a shell of a kind must do right to host sessions. The cases run one
// after the other in one session, and lean on each other. None for restricted
// ones, which have no shell.
absl::Span<const ShellCase> ShellCases(ShellKind kind = ShellKind::kBash);

// Runs `cases` in a throwaway session of `shell`, a shell of `kind`, with the
// program `holder`, in a directory of its own below `directory`. Takes some 50
// ms, and some 15 s at most. FAILED_PRECONDITION: the shell can't host
// sessions, and why. Other errors say nothing about the shell. Any thread.
absl::Status TryShell(const std::string& shell, const std::string& holder,
                      const std::string& directory,
                      absl::Span<const ShellCase> cases,
                      ShellKind kind = ShellKind::kBash);

// Ends what trials below `directory` have left that did not come to their end
// because the agent was killed. None may run.
void EndLeftTrials(const std::string& directory);

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_SHELL_TRIAL_H_
