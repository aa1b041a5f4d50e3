#ifndef BERTH_AGENT_LOGIN_STEP_LIMIT_H_
#define BERTH_AGENT_LOGIN_STEP_LIMIT_H_

#include <signal.h>
#include <time.h>

namespace berth::agent {

// StepLimit bounds the time that the modules of a login session may take for
// one step, opening or closing it. After kStep, the programs that modules wait
// for are killed, so that these fail. A module that goes on, kGrace later, is
// ended with this process; nothing that it does to signals keeps it from that.
// One at a time, in a process of one thread.
class StepLimit {
 public:
  static constexpr int kStepSeconds = 20;
  static constexpr int kGraceSeconds = 5;

  StepLimit();
  ~StepLimit();
  StepLimit(const StepLimit&) = delete;
  StepLimit& operator=(const StepLimit&) = delete;

  // The step has taken long enough already. For handlers of signals, too;
  // without a step it does nothing.
  static void Hurry();

 private:
  timer_t soft_ = {};
  timer_t hard_ = {};
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_LOGIN_STEP_LIMIT_H_
