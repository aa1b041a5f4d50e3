#ifndef BERTH_TESTS_HOSTILE_SIEGE_H_
#define BERTH_TESTS_HOSTILE_SIEGE_H_

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/e2e/fleet.h"
#include "tests/hostile/http2_peer.h"

namespace berth::testing {

// What attackers know of the siege they take part in.
struct Siege {
  std::atomic<bool> over = false;
  std::atomic<int64_t> connections = 0;
  std::atomic<int64_t> refused = 0;  // Connections that were not let in.
  std::atomic<int64_t> attempts = 0;
};

// A fleet with one session, attackers, and an honest client that looks how
// much of it it notices.
class SiegeTest : public ::testing::Test {
 protected:
  // With BERTH_LONG=1 there is time, and quiet enough to judge latencies.
  static bool IsLong();

  SiegeTest();

  // Sets [limits] keys, and starts the broker anew.
  void SetLimits(const std::vector<std::pair<std::string, std::string>>& keys);

  // Another client's command is answered.
  void ExpectServes();

  // Lets `attack` go on, on a thread of its own, while an honest client with a
  // warm connection runs commands: they are answered, hardly later than
  // before; the broker's memory grows by at most `growth_mib` at any moment;
  // and nobody dies. Prints the figures.
  void Withstand(const std::string& name, int64_t growth_mib,
                 const std::function<void(Siege&)>& attack);

  // An attack: over one connection after another, sends what `next` makes,
  // with stream ids that it counts on, as fast as it is taken.
  std::function<void(Siege&)> Flood(
      std::function<std::string(uint32_t& stream)> next,
      const TlsPeer::Options& options = {});

  // A peer with the certificate of this user, who is made.
  TlsPeer::Options User(const std::string& name);
  // A peer with the administrator's certificate.
  TlsPeer::Options Admin() const;

  Fleet fleet_;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_HOSTILE_SIEGE_H_
