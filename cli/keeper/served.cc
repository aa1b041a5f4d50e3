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
               Connector& connector, Listener listener)
    : listener_(std::move(listener)),
      fds_(std::move(fds)),
      invocation_(std::make_unique<Invocation>(WithFds(std::move(params), fds_),
                                               connector)) {
  thread_ = std::thread([this] { Run(); });
}

void Served::Post(Signal signal) {
  MutexLock lock(mu_);
  if (invocation_ != nullptr) invocation_->signals().Post(signal);
}

void Served::Run() {
  Invocation* invocation;
  {
    MutexLock lock(mu_);
    invocation = invocation_.get();
  }
  invocation->OnConclude([this](int exit_status) { Exit(exit_status); });
  invocation->OnSuspend(listener_.suspends);
  const int exit_status = RunCommandLine(*invocation);
  {
    MutexLock lock(mu_);
    invocation_.reset();
  }
  Exit(exit_status);
  listener_.done();
}

void Served::Exit(int exit_status) {
  if (has_exited_) return;
  has_exited_ = true;
  fds_.clear();
  listener_.exits(exit_status);
}

}  // namespace berth::cli
