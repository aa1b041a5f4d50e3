#ifndef BERTH_TESTS_FAULTS_RESTART_CUT_LINK_H_
#define BERTH_TESTS_FAULTS_RESTART_CUT_LINK_H_

#include <atomic>
#include <thread>
#include <vector>

#include "base/unique_fd.h"

namespace berth::testing {

// CutLink is a cable between an agent and its broker: a port of its own on
// loopback, whose connections go on to the broker's until they are cut. One
// thread of its own passes the bytes on.
class CutLink {
 public:
  // To the broker on `port`, which may change its process but not its port.
  explicit CutLink(int port);
  ~CutLink();

  int port() const { return port_; }

  // Ends all connections, and ends new ones at once.
  void Cut() { mode_ = Mode::kCut; }
  // Nothing comes through any more, and neither end is told.
  void Silence() { mode_ = Mode::kSilent; }
  // Lets new connections through. Those that were silent are ended.
  void Heal() { mode_ = Mode::kWhole; }

 private:
  enum class Mode { kWhole, kCut, kSilent };
  struct Pair {
    UniqueFd agent;
    UniqueFd broker;
    bool silenced = false;
  };

  void Run();
  void Accept();
  // False: the pair is over.
  bool Pass(Pair& pair);

  const int broker_port_;
  int port_ = 0;
  UniqueFd listener_;
  std::atomic<Mode> mode_ = Mode::kWhole;
  std::atomic<bool> ending_ = false;
  std::vector<Pair> pairs_;  // The thread's.
  std::thread thread_;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_FAULTS_RESTART_CUT_LINK_H_
