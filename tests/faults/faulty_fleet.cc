#include "tests/faults/faulty_fleet.h"

#include <signal.h>

#include "absl/time/time.h"

namespace berth::testing {

FaultyFleet::FaultyFleet()
    : Fleet({kComputer}), client_link_(port()), agent_link_(port()) {
  SetAgentPort(kComputer, agent_link_.port());
  SetClientPort(client_link_.port());
  RestartAgent("");
}

void FaultyFleet::WaitOnline() {
  WaitFor({"computers", kComputer, "-o", "json"}, "COMPUTER_STATE_ONLINE",
          absl::Minutes(1));
}

void FaultyFleet::RestartAgent(const std::string& points) {
  if (AgentPid(kComputer) != 0) KillAgent(kComputer, SIGKILL);
  // So that what is waited for is not the agent before.
  WaitFor({"computers", kComputer, "-o", "json"}, "COMPUTER_STATE_OFFLINE",
          absl::Minutes(1));
  SetPausePoints(points);
  StartAgent(kComputer);
  SetPausePoints("");
  WaitOnline();
}

void FaultyFleet::RestartBroker(const std::string& points) {
  if (BrokerPid() != 0) KillBroker(SIGKILL);
  SetPausePoints(points);
  StartBroker();
  SetPausePoints("");
  WaitOnline();
}

}  // namespace berth::testing
