#ifndef BERTH_CLI_RENDER_SESSIONS_H_
#define BERTH_CLI_RENDER_SESSIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/render/format.h"
#include "cli/render/table.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {

// SessionListing prints a list of sessions while it comes: what it returns,
// one after another, is what RenderSessions() returns for all.
class SessionListing {
 public:
  // `now` is for times like "5m" ago. `with_owner`: ids are "alice/3".
  SessionListing(Format format, absl::Time now, bool with_owner = false);

  std::string Add(const std::vector<v1::Session>& sessions);
  // After the last ones.
  std::string End() const;

 private:
  const Format format_;
  const absl::Time now_;
  const bool with_owner_;
  bool empty_ = true;
  Table table_;
};

// A list of sessions, as `ls` prints it. `now` is for times like "5m" ago.
std::string RenderSessions(const std::vector<v1::Session>& sessions,
                           Format format, absl::Time now);

// "Opened", "Disconnected", "Broken", "Closed".
std::string StateName(v1::SessionState state);

// The state of that name, in any case. InvalidArgument if there is none.
absl::StatusOr<v1::SessionState> ParseState(absl::string_view name);

// "None", "Available", "Busy".
std::string AvailabilityName(v1::SessionAvailability availability);

// "bash", "zsh", "python", "restricted"; empty if it is not known.
std::string ShellName(v1::ShellKind shell);

// "block", "drop"; empty if it is not known.
std::string BufferingName(v1::BufferingMode mode);

// Short, for tables: "0", "812", "64.0MiB".
std::string ByteSize(uint64_t bytes);

// When it ends if nobody connects: "1h50m", and from five minutes before on "!
// ends in 4m". Empty: its idle clock doesn't run.
std::string Expiry(const v1::Session& session, absl::Time now);

// How a command ended: "0", "3", "interrupted (130)".
std::string Outcome(const v1::CommandSummary& command);

// What it is doing, for people: "idle", "make -j8", "vim (terminal)".
std::string Describe(const v1::Activity& activity);

}  // namespace berth::cli

#endif  // BERTH_CLI_RENDER_SESSIONS_H_
