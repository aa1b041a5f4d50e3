#ifndef BERTH_TESTS_MODEL_HOLD_WORLD_H_
#define BERTH_TESTS_MODEL_HOLD_WORLD_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agent/sessions/hold.h"
#include "base/state/tables.h"

namespace berth::model {

// Two clients that want one session: the real rules, and what each has done.
class HoldWorld {
 public:
  enum class What : uint8_t {
    kNone,
    kConnect,
    kTake,
    kLetGo,
    kFree,
    kEnter,
    kLeave,
    kLeaveOld,  // A call from before it let go ends.
  };
  struct Event {
    What what = What::kNone;
    uint8_t client = 0;
  };

  // `rows` must outlive this.
  explicit HoldWorld(const state::HoldRows& rows) : hold_("ann", "1", rows) {}

  std::vector<Event> Events() const;
  void Do(const Event& event, std::string& violation);
  std::string Key() const;
  static std::string Name(const Event& event);

 private:
  static constexpr int kClients = 2;
  static constexpr int kMaxCalls = 2;

  absl::Status Apply(const Event& event);
  // What should have come of it.
  bool Expected(const Event& event);
  void StopHolding();
  std::string Compare(bool done, bool expected) const;

  agent::Hold hold_;
  int holder_ = -1;  // As it should be.
  bool lasting_ = false;
  absl::Time since_;
  agent::Hold::Tenure entered_ = 0;  // What the last call got.
  // Open calls of each that hold the session, and those from before it let go.
  using Calls = std::vector<agent::Hold::Tenure>;
  std::array<Calls, kClients> calls_ = {};
  std::array<Calls, kClients> old_calls_ = {};
};

}  // namespace berth::model

#endif  // BERTH_TESTS_MODEL_HOLD_WORLD_H_
