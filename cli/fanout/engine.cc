#include "cli/fanout/engine.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/escape.h"
#include "base/monotonic.h"
#include "cli/client/connector.h"
#include "cli/fanout/summary.h"
#include "cli/run/exit_status.h"

namespace berth::cli {
namespace {

// When somebody who pressed Ctrl-C should learn what else they can do.
constexpr absl::Duration kTellTime = absl::Seconds(1);
// How long interrupted commands may take to end once the time is over.
constexpr absl::Duration kExpiryGrace = absl::Seconds(1);
// How long who leaves waits for what was written to be acknowledged.
constexpr absl::Duration kLeaveTime = absl::Milliseconds(500);
constexpr absl::Duration kSettleTime = absl::Seconds(2);
constexpr absl::Duration kProgressTime = absl::Milliseconds(100);
constexpr absl::Duration kFirstProgress = absl::Milliseconds(400);

}  // namespace

void QueueWaker::Wake() {
  MutexLock lock(mu_);
  if (pending_ || stopped_) return;
  pending_ = true;
  alarm_.Set(&queue_, std::chrono::system_clock::now(), tag_);
}

void QueueWaker::Taken() {
  MutexLock lock(mu_);
  pending_ = false;
}

bool QueueWaker::Stop() {
  MutexLock lock(mu_);
  stopped_ = true;
  return pending_;
}

Engine::Engine(Invocation& invocation, Connection& connection, FanoutPlan plan,
               std::vector<FanoutTarget> targets,
               const MakePresenter& make_presenter, const Options& options)
    : invocation_(invocation),
      connection_(connection),
      plan_(std::move(plan)),
      options_(options),
      waker_(queue_, /*tag=*/nullptr),
      writer_(std::make_unique<Writer>(invocation.out(), invocation.err(),
                                       options.progress_on_out,
                                       [this] { waker_.Wake(); })),
      presenter_(make_presenter(*writer_)),
      scheduler_(targets.size(), plan_.throttle, plan_.fail_after),
      links_(plan_.patience) {
  if (plan_.with_input) {
    input_ = std::make_unique<SharedInput>(invocation.in(),
                                           [this] { waker_.Wake(); });
  }
  runs_.reserve(targets.size());
  for (size_t i = 0; i < targets.size(); ++i) {
    runs_.emplace_back(new TargetRun(*this, i, std::move(targets[i])));
  }
}

Engine::~Engine() {
  next_progress_ = tell_at_ = absl::InfiniteFuture();
  for (const auto& run : runs_) run->Abandon();
  input_.reset();
  writer_.reset();
  waker_.Stop();
  // Everything that was begun has to come out before it can be destroyed.
  while (!AllSettled()) Step(absl::InfiniteFuture());
  queue_.Shutdown();
  void* tag;
  bool ok;
  while (queue_.Next(&tag, &ok)) {
  }
}

int Engine::Run(const std::function<void()>& on_end) {
  started_at_ = MonotonicNow();
  if (plan_.total_timeout) expires_at_ = started_at_ + *plan_.total_timeout;
  if (options_.progress) next_progress_ = started_at_ + kFirstProgress;
  const SignalSource::Watch watch(invocation_.signals(),
                                  [this](bool) { waker_.Wake(); });
  BeginMore();
  while (!scheduler_.done()) Step(NextDeadline());
  if (on_end) on_end();
  return Conclude();
}

void Engine::BeginMore() {
  // One that fails at once leads here again.
  if (std::exchange(beginning_, true)) return;
  while (const std::optional<size_t> next = scheduler_.Next()) {
    runs_[*next]->Begin();
  }
  beginning_ = false;
}

absl::Time Engine::NextDeadline() const {
  absl::Time next = std::min(
      {expires_at_, abandon_at_, tell_at_, next_progress_, links_.due()});
  if (!timers_.empty()) next = std::min(next, timers_.begin()->first);
  return next;
}

void Engine::Step(absl::Time deadline) {
  void* tag = nullptr;
  bool ok = false;
  const auto until =
      deadline == absl::InfiniteFuture()
          ? std::chrono::system_clock::time_point::max()
          : std::chrono::system_clock::now() +
                absl::ToChronoMilliseconds(deadline - MonotonicNow()) +
                std::chrono::milliseconds(1);
  if (queue_.AsyncNext(&tag, &ok, until) == grpc::CompletionQueue::GOT_EVENT) {
    if (tag == nullptr) {
      OnWake();
    } else {
      const TargetRun::Tag& event = *static_cast<TargetRun::Tag*>(tag);
      event.run->OnEvent(event.op, ok);
    }
  }
  const absl::Time now = MonotonicNow();
  if (now >= NextDeadline()) RunTimers(now);
}

void Engine::OnWake() {
  waker_.Taken();
  OnSignals();
  if (writer_ == nullptr) return;
  if (absl::Status status = writer_->status(); !status.ok()) OnBroken(status);
  for (TargetRun* run : std::exchange(when_written_, {})) run->OnWritten();
  if (input_ == nullptr) return;
  if (absl::Status status = input_->status(); !status.ok()) OnBroken(status);
  for (const auto& run : runs_) run->OnInput();
}

void Engine::OnSignals() {
  SignalSource& signals = invocation_.signals();
  if (signals.left()) return LeaveAll();
  if (signals.interrupts() == 0 || interrupted_) return;
  interrupted_ = true;
  tell_at_ = MonotonicNow() + kTellTime;
  scheduler_.Stop(Skipped("", signals.exit_code()));
  for (const auto& run : runs_) {
    if (run->began()) run->Stop(/*expired=*/false);
  }
}

void Engine::LeaveAll() {
  if (left_) return;
  left_ = true;
  abandon_at_ = MonotonicNow() + kLeaveTime;
  scheduler_.Stop(Skipped("", invocation_.signals().exit_code()));
  for (const auto& run : runs_) {
    if (run->began()) run->Leave();
  }
}

void Engine::RunTimers(absl::Time now) {
  while (!timers_.empty() && timers_.begin()->first <= now) {
    TargetRun* const run = timers_.begin()->second;
    timers_.erase(timers_.begin());
    run->OnTimer();
  }
  if (now >= expires_at_) Expire();
  if (now >= abandon_at_) {
    abandon_at_ = absl::InfiniteFuture();
    for (const auto& run : runs_) run->Abandon();
  }
  if (now >= tell_at_) {
    tell_at_ = absl::InfiniteFuture();
    Tell(absl::StrCat("interrupting ", scheduler_.running(), " command",
                      scheduler_.running() == 1
                          ? "; press Ctrl-C again to leave it running"
                          : "s; press Ctrl-C again to leave them "
                            "running"));
  }
  if (const auto news = links_.Next(now)) Tell(*news);
  if (now >= next_progress_) ShowProgress(now);
}

// The time for all is over: what runs is interrupted, and not waited for.
void Engine::Expire() {
  expires_at_ = absl::InfiniteFuture();
  expired_ = true;
  abandon_at_ = std::min(abandon_at_, MonotonicNow() + kExpiryGrace);
  scheduler_.Stop(Skipped("", kDeadlineExit));
  for (const auto& run : runs_) {
    if (run->began()) run->Stop(/*expired=*/true);
  }
}

// Does not disturb the line with the progress.
void Engine::Tell(absl::string_view text) {
  if (writer_ == nullptr) return;
  writer_->Write(/*to_err=*/true,
                 absl::StrCat("berth: ", EscapeForTerminal(text), "\n"));
}

void Engine::WakeAt(absl::Time time, TargetRun& run) {
  timers_.emplace(time, &run);
}

void Engine::WhenWritten(TargetRun& run) {
  when_written_.push_back(&run);
  writer_->WantsNews();
  // It may have been written just before.
  if (writer_->waiting() == 0) waker_.Wake();
}

void Engine::OnEnded(TargetRun& run, Outcome outcome) {
  if (broken_.ok() && presenter_ != nullptr) {
    if (absl::Status status = presenter_->Ended(run.index(), outcome);
        !status.ok()) {
      OnBroken(status);
    }
  }
  scheduler_.Ended(run.index(), std::move(outcome));
  BeginMore();
}

void Engine::OnLost(TargetRun& run, const absl::Status& why) {
  links_.Lost(run.name().label, why.message(), MonotonicNow());
}

void Engine::OnBack(TargetRun& run) {
  links_.Back(run.name().label, MonotonicNow());
}

// Nothing more can be shown: leaves, with what was written acknowledged.
void Engine::OnBroken(const absl::Status& why) {
  if (!broken_.ok()) return;
  broken_ = why;
  if (!invocation_.signals().left()) invocation_.signals().Leave();
}

void Engine::ShowProgress(absl::Time now) {
  next_progress_ = now + kProgressTime;
  const double seconds = absl::ToDoubleSeconds(now - started_at_);
  std::string line =
      absl::StrCat("[", scheduler_.ended(), "/", scheduler_.count(), "]");
  if (scheduler_.failed() > 0) {
    absl::StrAppend(&line, " ", scheduler_.failed(), " not ok");
  }
  absl::StrAppendFormat(&line, " %.1f/s", scheduler_.ended() / seconds);
  writer_->ShowProgress(std::move(line));
}

std::vector<std::string> Engine::LabelsOf(
    const std::function<bool(const TargetRun&)>& wanted) const {
  std::vector<std::string> labels;
  for (const auto& run : runs_) {
    if (wanted(*run)) labels.push_back(run->name().label);
  }
  return labels;
}

int Engine::Conclude() {
  input_.reset();
  next_progress_ = tell_at_ = absl::InfiniteFuture();
  // Those that were skipped have not been told yet.
  for (size_t i = 0; i < runs_.size() && broken_.ok(); ++i) {
    if (runs_[i]->began()) continue;
    broken_ = presenter_->Ended(i, *scheduler_.outcomes()[i]);
  }
  if (broken_.ok()) broken_ = presenter_->Finish();
  writer_->ShowProgress("");
  if (broken_.ok()) writer_->Drain();
  if (broken_.ok()) broken_ = writer_->status();
  int exit_status = scheduler_.exit_code();
  if (left_) exit_status = invocation_.signals().exit_code();
  if (absl::IsAborted(broken_)) {
    exit_status = kPipeExit;
  } else if (!broken_.ok() && !absl::IsCancelled(broken_)) {
    exit_status = kFailedExit;
    invocation_.Say(broken_.message());
  }
  if (!absl::IsAborted(broken_)) Summarize();
  // Sessions that we have to end ourselves are gone when this returns.
  if (plan_.create.temporary()) Settle(kSettleTime);
  Leaving& leaving = invocation_.connector().leaving();
  leaving.Begin();
  invocation_.Conclude(exit_status);
  Settle(kSettleTime);
  leaving.End();
  return exit_status;
}

void Engine::Summarize() {
  std::vector<std::string> labels;
  for (const auto& run : runs_) labels.push_back(run->name().label);
  for (const std::string& reason : Reasons(labels, scheduler_.outcomes())) {
    invocation_.Say(reason);
  }
  if (!plan_.detach) TellWhatGoesOn();
  TellWhatWasSkipped();
  const bool well = scheduler_.exit_code() == 0 && !left_;
  if (runs_.size() > 1 && !(options_.quiet && well)) {
    invocation_.Say(berth::cli::Summarize(labels, scheduler_.outcomes()));
  }
}

void Engine::TellWhatGoesOn() {
  const auto goes_on = [](const TargetRun& run) {
    return run.result().goes_on;
  };
  const std::vector<std::string> going = LabelsOf(goes_on);
  if (going.empty()) return;
  invocation_.Say(absl::StrCat(
      going.size() == 1 ? "the command goes on in " : "commands go on in ",
      FoldShort(going), "; see the rest with 'berth receive ",
      SelectIds(IdsOf(goes_on)), "'"));
}

// It was acknowledged, so that it does not stand in the way of what is run
// next.
void Engine::TellWhatWasSkipped() {
  const auto skipped = [](const TargetRun& run) {
    return run.result().skipped > 0;
  };
  const std::vector<std::string> labels = LabelsOf(skipped);
  if (labels.empty()) return;
  uint64_t bytes = 0;
  for (const auto& run : runs_) bytes += run->result().skipped;
  std::string told = absl::StrCat(bytes, " bytes of output of ",
                                  FoldShort(labels), " skipped");
  std::vector<uint32_t> ids = IdsOf([&](const TargetRun& run) {
    return skipped(run) && !run.result().session.temporary();
  });
  if (!ids.empty()) {
    absl::StrAppend(&told, "; see all of it with 'berth receive ",
                    SelectIds(std::move(ids)), " --from-start'");
  }
  invocation_.Say(told);
}

std::vector<uint32_t> Engine::IdsOf(
    const std::function<bool(const TargetRun&)>& wanted) const {
  std::vector<uint32_t> ids;
  for (const auto& run : runs_) {
    if (wanted(*run)) ids.push_back(run->result().session.id());
  }
  return ids;
}

// Waits for what is still open.
void Engine::Settle(absl::Duration limit) {
  const absl::Time deadline = MonotonicNow() + limit;
  while (!AllSettled() && MonotonicNow() < deadline) {
    Step(std::min(deadline, NextDeadline()));
  }
}

bool Engine::AllSettled() const {
  return std::all_of(runs_.begin(), runs_.end(),
                     [](const auto& run) { return run->settled(); });
}

}  // namespace berth::cli
