#include "cli/jobs/follow.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/client/sessions.h"
#include "cli/commands/parallel.h"
#include "cli/fanout/live.h"
#include "cli/fanout/summary.h"
#include "cli/invocation/deadline.h"
#include "cli/run/command_view.h"
#include "cli/run/conversation.h"
#include "cli/run/exit_status.h"
#include "cli/run/follower.h"
#include "cli/run/output_sink.h"

namespace berth::cli {
namespace {

using Phase = JobTargetState::Phase;

// Takes no output, as none is asked for.
class NoSink : public OutputSink {
 public:
  absl::Status Write(v1::OutputStream, uint64_t offset, absl::Span<iovec>,
                     size_t size) override {
    at_ = offset + size;
    return absl::OkStatus();
  }
  absl::Status Flush() override { return absl::OkStatus(); }
  void StartAt(uint64_t offset) override { at_ = offset; }
  uint64_t written() const override { return at_; }

 private:
  uint64_t at_ = 0;
};

v1::OpenReceive MakeOpen(const Connection& connection,
                         const jobs::Target& target) {
  v1::OpenReceive open;
  open.mutable_session()->set_instance_id(target.instance_id());
  open.mutable_session()->set_owner(target.owner());
  *open.mutable_client() = connection.client();
  open.set_command_id(target.command_id());
  return open;
}

struct Seen {
  bool started = false;
  std::optional<v1::CommandEnded> ended;
};

// How far a command is, looking on only.
absl::StatusOr<Seen> LookAt(Invocation& invocation, Connection& connection,
                            const jobs::Target& target, bool follow) {
  v1::OpenReceive open = MakeOpen(connection, target);
  open.set_from_offset(0);
  open.set_tail_lines(0);
  open.set_no_follow(!follow);
  NoSink sink;
  CommandView view(invocation, sink);
  view.Peek();
  const ReceiveConversation conversation(std::move(open), /*only_reads=*/true);
  BERTH_RETURN_IF_ERROR(
      Follower(connection, invocation, conversation, view, nullptr).Run());
  return Seen{view.started().has_value(), view.ended()};
}

JobTargetState Ended(Outcome outcome) {
  return {Phase::kEnded, std::move(outcome)};
}

Outcome NotBegun(const jobs::Target& target) {
  Outcome outcome{TargetState::kRefused, kFailedExit, target.detail()};
  for (const TargetState state :
       {TargetState::kTimedOut, TargetState::kUnreachable,
        TargetState::kCancelled, TargetState::kSkipped}) {
    if (target.not_begun() == StateName(state)) outcome.state = state;
  }
  return outcome;
}

Outcome OfSummary(const v1::CommandSummary& summary) {
  v1::CommandEnded ended;
  ended.set_how(summary.how());
  ended.set_exit_code(summary.exit_code());
  return OutcomeOf(ended, /*stopped=*/false, /*expired=*/false);
}

// What the list tells; nothing if only the session itself knows.
std::optional<JobTargetState> FromList(const jobs::Target& target,
                                       const v1::Session* session) {
  if (!target.not_begun().empty()) return Ended(NotBegun(target));
  if (session == nullptr) return JobTargetState{Phase::kGone, {}};
  if (session->last_command().command_id() == target.command_id()) {
    return Ended(OfSummary(session->last_command()));
  }
  if (session->state() == v1::SESSION_STATE_BROKEN) {
    return Ended({TargetState::kUnreachable, kFailedExit, ""});
  }
  // That it runs is what was last heard: the session knows.
  return std::nullopt;
}

JobTargetState FromSession(Invocation& invocation, Connection& connection,
                           const jobs::Target& target,
                           const v1::Session& session) {
  const auto seen = LookAt(invocation, connection, target, /*follow=*/false);
  if (seen.ok() && seen->ended) {
    return Ended(OutcomeOf(*seen->ended, /*stopped=*/false, /*expired=*/false));
  }
  if (seen.ok() && seen->started) return {Phase::kRunning, {}};
  // What waits has left no trace in its session yet.
  const bool may_wait = session.activity().queued() > 0;
  if (may_wait) return {Phase::kWaiting, {}};
  if (seen.ok() || absl::IsNotFound(seen.status())) return {Phase::kGone, {}};
  return Ended(OutcomeOf(seen.status()));
}

// Tells how each ended; returns the exit status.
int Tell(Invocation& invocation, const jobs::Job& job,
         std::vector<std::optional<Outcome>> outcomes) {
  std::vector<std::string> labels;
  int exit = 0;
  for (int i = 0; i < job.targets_size(); ++i) {
    labels.push_back(job.targets(i).label());
    exit = std::max(exit, outcomes[i]->exit_code);
  }
  for (const std::string& reason : Reasons(labels, outcomes)) {
    invocation.Say(reason);
  }
  invocation.Say(
      absl::StrCat("job ", job.id(), ": ", Summarize(labels, outcomes)));
  return exit;
}

}  // namespace

std::string Describe(const JobTargetState& state) {
  switch (state.phase) {
    case Phase::kRunning:
      return "running";
    case Phase::kWaiting:
      return "waiting";
    case Phase::kGone:
      return "gone";
    case Phase::kEnded:
      return Describe(state.outcome);
  }
  return "gone";
}

absl::StatusOr<std::vector<JobTargetState>> AskJob(Invocation& invocation,
                                                   Connection& connection,
                                                   const jobs::Job& job) {
  SessionQuery query;
  if (job.targets_size() > 0) query.owner = job.targets(0).owner();
  const SessionList list =
      ListSessions(connection, invocation.signals(), query);
  BERTH_RETURN_IF_ERROR(list.status);
  absl::flat_hash_map<std::string, const v1::Session*> by_id;
  for (const v1::Session& session : list.sessions) {
    by_id[session.instance_id()] = &session;
  }
  std::vector<JobTargetState> states(job.targets_size());
  std::vector<std::pair<int, const v1::Session*>> open;
  for (int i = 0; i < job.targets_size(); ++i) {
    const auto it = by_id.find(job.targets(i).instance_id());
    auto state =
        FromList(job.targets(i), it == by_id.end() ? nullptr : it->second);
    if (state) {
      states[i] = *std::move(state);
    } else {
      open.push_back({i, it->second});
    }
  }
  ForEachInParallel(open.size(), [&](size_t i) {
    const auto& [target, session] = open[i];
    states[target] =
        FromSession(invocation, connection, job.targets(target), *session);
  });
  return states;
}

int WaitForJob(Invocation& invocation, Connection& connection,
               const jobs::Job& job, std::optional<absl::Duration> timeout) {
  const Deadline deadline(invocation.signals(), timeout);
  std::vector<std::optional<Outcome>> outcomes(job.targets_size());
  ForEachInParallel(outcomes.size(), [&](size_t i) {
    const jobs::Target& target = job.targets(i);
    if (!target.not_begun().empty()) {
      outcomes[i] = NotBegun(target);
      return;
    }
    const auto seen = LookAt(invocation, connection, target, /*follow=*/true);
    if (!seen.ok()) {
      outcomes[i] = OutcomeOf(seen.status());
    } else if (!seen->ended) {
      outcomes[i] = OutcomeOf(absl::UnknownError("the command has no end"));
    } else {
      outcomes[i] =
          OutcomeOf(*seen->ended, /*stopped=*/false, /*expired=*/false);
    }
  });
  if (deadline.passed()) {
    invocation.Say(absl::StrCat("job ", job.id(), " still runs"));
    return kDeadlineExit;
  }
  if (invocation.signals().left()) return invocation.signals().exit_code();
  return Tell(invocation, job, std::move(outcomes));
}

int ReceiveJob(Invocation& invocation, Connection& connection,
               const jobs::Job& job, bool from_start, bool no_follow) {
  std::vector<int> exits(job.targets_size(), 0);
  ForEachInParallel(exits.size(), [&](size_t i) {
    const jobs::Target& target = job.targets(i);
    if (!target.not_begun().empty()) return;
    v1::OpenReceive open = MakeOpen(connection, target);
    open.set_no_follow(no_follow);
    if (from_start) open.set_from_offset(0);
    TaggedSink sink(invocation.out(), invocation.err(),
                    MakeTag(target.label(), target.computer(), false));
    CommandView view(invocation, sink);
    const ReceiveConversation conversation(std::move(open));
    Follower follower(connection, invocation, conversation, view, nullptr);
    const absl::Status status = follower.Run();
    if (status.ok() || invocation.signals().left()) return;
    invocation.Say(absl::StrCat(target.label(), ": ", status.message()));
    exits[i] = absl::IsAborted(status) && follower.failed_to_write()
                   ? kPipeExit
                   : kFailedExit;
  });
  if (invocation.signals().left()) return invocation.signals().exit_code();
  return exits.empty() ? 0 : *std::max_element(exits.begin(), exits.end());
}

}  // namespace berth::cli
