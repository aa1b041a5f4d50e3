#include "cli/invocation/signals.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

namespace berth::cli {
namespace {

int ExitCode(Signal signal) {
  switch (signal) {
    case Signal::kInterrupt:
      return 130;
    case Signal::kTerminate:
      return 143;
    case Signal::kHangup:
    case Signal::kGone:
      return 129;
    case Signal::kResized:
    case Signal::kContinued:
      break;  // They end nothing.
  }
  return 130;
}

}  // namespace

SignalSource::SignalSource() : left_fd_(eventfd(0, EFD_CLOEXEC)) {}

void SignalSource::Post(Signal signal) {
  MutexLock lock(mu_);
  if (settled_) return;
  if (signal == Signal::kResized || signal == Signal::kContinued) {
    ++(signal == Signal::kResized ? resizes_ : continues_);
    if (on_terminal_) on_terminal_();
    return;
  }
  if (signal == Signal::kInterrupt) ++interrupts_;
  const bool forwarded =
      signal == Signal::kInterrupt && forward_interrupts_ && interrupts_ == 1;
  if (!forwarded && !left_) {
    exit_code_ = ExitCode(signal);
    LeaveLocked();
  }
  for (const auto& watch : watches_) watch(left_);
}

void SignalSource::ForwardInterrupts() {
  MutexLock lock(mu_);
  forward_interrupts_ = true;
}

void SignalSource::Settle() {
  MutexLock lock(mu_);
  settled_ = true;
}

void SignalSource::Leave() {
  MutexLock lock(mu_);
  LeaveLocked();
  for (const auto& watch : watches_) watch(left_);
}

void SignalSource::LeaveLocked() {
  left_ = true;
  const uint64_t one = 1;
  // Can't fail: the counter never comes near its limit.
  (void)!write(left_fd_.get(), &one, sizeof(one));
}

int SignalSource::interrupts() const {
  MutexLock lock(mu_);
  return interrupts_;
}

int SignalSource::resizes() const {
  MutexLock lock(mu_);
  return resizes_;
}

int SignalSource::continues() const {
  MutexLock lock(mu_);
  return continues_;
}

void SignalSource::OnTerminal(std::function<void()> changed) {
  MutexLock lock(mu_);
  on_terminal_ = std::move(changed);
}

bool SignalSource::left() const {
  MutexLock lock(mu_);
  return left_;
}

int SignalSource::exit_code() const {
  MutexLock lock(mu_);
  return exit_code_;
}

SignalSource::Watch::Watch(SignalSource& source,
                           std::function<void(bool left)> on_signal)
    : source_(source) {
  MutexLock lock(source_.mu_);
  // A signal that came before is not missed.
  if (source_.left_ || source_.interrupts_ > 0) on_signal(source_.left_);
  source_.watches_.push_back(std::move(on_signal));
  position_ = std::prev(source_.watches_.end());
}

SignalSource::Watch::~Watch() {
  MutexLock lock(source_.mu_);
  source_.watches_.erase(position_);
}

}  // namespace berth::cli
