// A policy as an administrator may have damaged it, and what it then decides.

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <string>

#include "absl/strings/string_view.h"
#include "broker/policy/policy.h"

using berth::broker::Action;
using berth::broker::Decision;
using berth::broker::Policy;
using berth::broker::Rights;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto policy = Policy::Parse(text, "policy.toml");
  if (!policy.ok()) {
    if (policy.status().code() != absl::StatusCode::kInvalidArgument) abort();
    return 0;
  }
  const berth::NodeSet::Node nodes[] = {{"web01", {{"role", "web"}}},
                                        {"db1", {}}};
  for (const berth::broker::Verb verb : berth::broker::kVerbs) {
    for (const berth::NodeSet::Node& node : nodes) {
      const Action action{verb, node, "std"};
      const auto who = (*policy)->WhoCan(action);
      for (const char* user : {"alice", "bob"}) {
        const Rights rights(*policy, user);
        const Decision decision = rights.Decide(action);
        // One answer, whoever asks; and never one without a reason.
        if (decision.allowed != rights.Allows(action)) abort();
        if (decision.allowed == decision.role.empty()) abort();
        if (decision.why.empty()) abort();
        if (decision.allowed && who.empty()) abort();
        if (who.contains(user) && !decision.allowed) abort();
        if (decision.allowed && verb != berth::broker::Verb::kAdmin &&
            !rights.HasAnyOn(node)) {
          abort();
        }
      }
    }
  }
  return 0;
}
