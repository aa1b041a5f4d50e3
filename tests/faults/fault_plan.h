#ifndef BERTH_TESTS_FAULTS_FAULT_PLAN_H_
#define BERTH_TESTS_FAULTS_FAULT_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

namespace berth::testing {

// What a plan can do to a running fleet.
enum class Fault {
  kKillClient,     // `berth` alone; its keeper lives.
  kKillKeeper,     // The client's whole side.
  kKillBroker,     // And starts it again.
  kKillAgent,      // And starts it again.
  kCutClientLink,  // Between client and broker.
  kCutAgentLink,   // Between agent and broker.
};
std::string ToString(Fault fault);

struct PlannedFault {
  Fault fault;
  uint64_t at;  // When so many bytes have come.
};

// Random numbers that are the same for the same seed, everywhere.
class FaultRandom {
 public:
  explicit FaultRandom(uint64_t seed) : state_(seed) {}
  uint64_t Next();
  // Less than `bound`.
  uint64_t Below(uint64_t bound) { return Next() % bound; }

 private:
  uint64_t state_;
};

// BERTH_FAULT_SEED, which replays a plan; else a new one.
uint64_t FaultSeed();

// `count` faults, spread at random over `bytes` of output, in their order.
// Every kind is in it if `count` allows that.
std::vector<PlannedFault> MakeFaultPlan(uint64_t seed, int count,
                                        uint64_t bytes);
std::string ToString(const std::vector<PlannedFault>& plan);

// Whether the heavy forms of tests are wanted (BERTH_LONG=1).
bool IsLong();

}  // namespace berth::testing

#endif  // BERTH_TESTS_FAULTS_FAULT_PLAN_H_
