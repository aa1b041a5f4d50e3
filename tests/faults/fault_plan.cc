#include "tests/faults/fault_plan.h"

#include <stdlib.h>

#include <algorithm>
#include <random>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace berth::testing {

std::string ToString(Fault fault) {
  switch (fault) {
    case Fault::kKillClient:
      return "kill client";
    case Fault::kKillKeeper:
      return "kill keeper";
    case Fault::kKillBroker:
      return "kill broker";
    case Fault::kKillAgent:
      return "kill agent";
    case Fault::kCutClientLink:
      return "cut client's link";
    case Fault::kCutAgentLink:
      return "cut agent's link";
  }
  return "?";
}

// SplitMix64.
uint64_t FaultRandom::Next() {
  uint64_t z = (state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

uint64_t FaultSeed() {
  const char* text = getenv("BERTH_FAULT_SEED");
  uint64_t seed = 0;
  if (text != nullptr && absl::SimpleAtoi(text, &seed)) return seed;
  return std::random_device()();
}

std::vector<PlannedFault> MakeFaultPlan(uint64_t seed, int count,
                                        uint64_t bytes) {
  constexpr int kKinds = 6;
  FaultRandom random(seed);
  std::vector<PlannedFault> plan;
  for (int i = 0; i < count; ++i) {
    const uint64_t kind = i < kKinds ? i : random.Below(kKinds);
    plan.push_back({static_cast<Fault>(kind), 0});
  }
  for (size_t i = plan.size(); i > 1; --i) {
    std::swap(plan[i - 1], plan[random.Below(i)]);
  }
  std::vector<uint64_t> places;
  for (int i = 0; i < count; ++i) places.push_back(random.Below(bytes));
  std::sort(places.begin(), places.end());
  for (int i = 0; i < count; ++i) plan[i].at = places[i];
  return plan;
}

std::string ToString(const std::vector<PlannedFault>& plan) {
  std::string text;
  for (const PlannedFault& fault : plan) {
    absl::StrAppend(&text, fault.at, ": ", ToString(fault.fault), "\n");
  }
  return text;
}

bool IsLong() {
  const char* text = getenv("BERTH_LONG");
  return text != nullptr && std::string(text) == "1";
}

}  // namespace berth::testing
