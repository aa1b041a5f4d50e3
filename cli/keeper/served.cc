#include "cli/keeper/served.h"

#include <utility>

#include "cli/commands/command.h"

namespace berth::cli {
namespace {

Invocation::Params WithFds(Invocation::Params params,
                           const std::vector<UniqueFd>& fds) {
  params.in = fds[0].get();
  params.out = fds[1].get();
  params.err = fds[2].get();
  return params;
}

}  // namespace

Served::Served(Invocation::Params params, std::vector<UniqueFd> fds,
               Connector& connector, std::function<void(int)> on_done)
    : fds_(std::move(fds)),
      invocation_(std::make_unique<Invocation>(WithFds(std::move(params), fds_),
                                               connector)),
      thread_([this, on_done = std::move(on_done)]() mutable {
        Run(std::move(on_done));
      }) {}

void Served::Post(Signal signal) {
  MutexLock lock(mu_);
  if (invocation_ != nullptr) invocation_->signals().Post(signal);
}

void Served::Run(std::function<void(int)> on_done) {
  Invocation* invocation;
  {
    MutexLock lock(mu_);
    invocation = invocation_.get();
  }
  const int exit_status = RunCommandLine(*invocation);
  {
    MutexLock lock(mu_);
    invocation_.reset();
  }
  fds_.clear();
  on_done(exit_status);
}

}  // namespace berth::cli
