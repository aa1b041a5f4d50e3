#ifndef BERTH_CLI_FANOUT_ENGINE_H_
#define BERTH_CLI_FANOUT_ENGINE_H_

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "cli/fanout/link_report.h"
#include "cli/fanout/plan.h"
#include "cli/fanout/presenter.h"
#include "cli/fanout/scheduler.h"
#include "cli/fanout/shared_input.h"
#include "cli/fanout/target_run.h"
#include "cli/fanout/writer.h"
#include "grpcpp/alarm.h"
#include "grpcpp/grpcpp.h"

namespace berth::cli {

// Lets a thread that waits on a completion queue know of something else.
// Wake() is thread-safe, the rest is for the thread that waits.
class QueueWaker {
 public:
  QueueWaker(grpc::CompletionQueue& queue, void* tag)
      : queue_(queue), tag_(tag) {}

  void Wake() ABSL_LOCKS_EXCLUDED(mu_);
  // The tag came out of the queue.
  void Taken() ABSL_LOCKS_EXCLUDED(mu_);
  // Wakes no more. True: the tag is still to come.
  bool Stop() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  grpc::CompletionQueue& queue_;
  void* const tag_;
  Mutex mu_;
  bool pending_ ABSL_GUARDED_BY(mu_) = false;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  grpc::Alarm alarm_ ABSL_GUARDED_BY(mu_);
};

// Runs a command on many targets: one thread and one completion queue for all.
// When Run() returns each target has ended in one state.
class Engine : private TargetHost {
 public:
  struct Options {
    // A line at the bottom of the terminal says how far it is.
    bool progress = false;
    bool progress_on_out = false;
    // Says nothing if all went well.
    bool quiet = false;
  };

  using MakePresenter =
      std::function<std::unique_ptr<Presenter>(Writer& writer)>;

  Engine(Invocation& invocation, Connection& connection, FanoutPlan plan,
         std::vector<FanoutTarget> targets, const MakePresenter& make_presenter,
         const Options& options);
  ~Engine() override;

  // Returns the exit status. `on_end` is called when all have ended, before
  // the summary is told: to print something, or keep a record.
  int Run(const std::function<void()>& on_end = nullptr);

  const Scheduler& scheduler() const { return scheduler_; }
  const TargetName& name(size_t target) const { return runs_[target]->name(); }
  const FanoutResult& result(size_t target) const {
    return runs_[target]->result();
  }

 private:
  Invocation& invocation() override { return invocation_; }
  Connection& connection() override { return connection_; }
  grpc::CompletionQueue& queue() override { return queue_; }
  const FanoutPlan& plan() override { return plan_; }
  Presenter& presenter() override { return *presenter_; }
  Writer& writer() override { return *writer_; }
  SharedInput* input() override { return input_.get(); }
  void WakeAt(absl::Time time, TargetRun& run) override;
  void WhenWritten(TargetRun& run) override;
  void OnEnded(TargetRun& run, Outcome outcome) override;
  void OnLost(TargetRun& run, const absl::Status& why) override;
  void OnBack(TargetRun& run) override;
  void OnBroken(const absl::Status& why) override;

  void BeginMore();
  // Takes one event, or what is due; waits until `deadline` at most.
  void Step(absl::Time deadline);
  void OnWake();
  void OnSignals();
  void RunTimers(absl::Time now);
  void Tell(absl::string_view text);
  void Expire();
  void LeaveAll();
  absl::Time NextDeadline() const;
  void ShowProgress(absl::Time now);
  int Conclude();
  void Summarize();
  void TellWhatGoesOn();
  void TellWhatWasSkipped();
  void Settle(absl::Duration limit);
  bool AllSettled() const;
  std::vector<std::string> LabelsOf(
      const std::function<bool(const TargetRun&)>& wanted) const;
  std::vector<uint32_t> IdsOf(
      const std::function<bool(const TargetRun&)>& wanted) const;

  Invocation& invocation_;
  Connection& connection_;
  const FanoutPlan plan_;
  const Options options_;
  grpc::CompletionQueue queue_;
  QueueWaker waker_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Presenter> presenter_;
  std::unique_ptr<SharedInput> input_;
  Scheduler scheduler_;
  LinkReport links_;
  std::vector<std::unique_ptr<TargetRun>> runs_;

  std::multimap<absl::Time, TargetRun*> timers_;
  std::vector<TargetRun*> when_written_;
  absl::Time started_at_;
  absl::Time expires_at_ = absl::InfiniteFuture();
  absl::Time abandon_at_ = absl::InfiniteFuture();
  absl::Time tell_at_ = absl::InfiniteFuture();
  absl::Time next_progress_ = absl::InfiniteFuture();
  bool beginning_ = false;
  bool interrupted_ = false;
  bool expired_ = false;
  bool left_ = false;
  absl::Status broken_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_FANOUT_ENGINE_H_
