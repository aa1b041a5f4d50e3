#ifndef BERTH_TESTS_FAULTS_FAULTY_FLEET_H_
#define BERTH_TESTS_FAULTS_FAULTY_FLEET_H_

#include <string>

#include "tests/e2e/fleet.h"
#include "tests/support/tcp_proxy.h"

namespace berth::testing {

// A fleet of one computer, both of whose links a test can break: clients and
// the agent reach the broker through a proxy each.
class FaultyFleet : public Fleet {
 public:
  static constexpr char kComputer[] = "Server01";

  FaultyFleet();

  TcpProxy& client_link() { return client_link_; }
  TcpProxy& agent_link() { return agent_link_; }

  void WaitOnline();
  // Kills it, and starts it again with these pause points in its environment,
  // which nothing that is started later has.
  void RestartAgent(const std::string& points);
  void RestartBroker(const std::string& points);

 private:
  TcpProxy client_link_;
  TcpProxy agent_link_;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_FAULTS_FAULTY_FLEET_H_
