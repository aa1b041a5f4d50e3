#include "tests/hostile/siege.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/monotonic.h"
#include "tests/support/proc.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

#ifdef BERTH_ASAN
constexpr int kSamples = 30;
// Freed memory is kept for a while, and everything has a margin.
constexpr int kMemoryFactor = 4;
#else
constexpr int kSamples = 60;
constexpr int kMemoryFactor = 1;
#endif
constexpr int kLongSamples = 500;

// On a machine that does other things as well, only what is out of all
// proportion tells anything.
constexpr int kLoosely = 20;
constexpr absl::Duration kAtLeast = absl::Seconds(3);

// The most that it had in memory since the last ForgetPeak().
int64_t PeakMib(pid_t pid) {
  const std::string status =
      ReadTextFile(absl::StrCat("/proc/", pid, "/status"));
  const size_t at = status.find("VmHWM:");
  if (at == std::string::npos) return -1;
  return strtoll(status.c_str() + at + 6, nullptr, 10) >> 10;
}

void ForgetPeak(pid_t pid) {
  WriteTextFile(absl::StrCat("/proc/", pid, "/clear_refs"), "5");
}

struct Latencies {
  absl::Duration median;
  absl::Duration p99;
};

Latencies Measure(Fleet& fleet, int samples) {
  std::vector<absl::Duration> times;
  for (int i = 0; i < samples && !::testing::Test::HasFailure(); ++i) {
    const absl::Time begin = MonotonicNow();
    fleet.Run({"run", "-s", "1", "true"});
    times.push_back(MonotonicNow() - begin);
  }
  if (times.empty()) return {};
  std::sort(times.begin(), times.end());
  return {times[times.size() / 2], times[times.size() * 99 / 100]};
}

// Attackers are on other machines, so they are given no time here that anybody
// of the fleet wants.
void StandBack() {
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 19);
}

}  // namespace

bool SiegeTest::IsLong() {
  const char* value = getenv("BERTH_LONG");
  return value != nullptr && std::string(value) == "1";
}

SiegeTest::SiegeTest() : fleet_({"Server01"}) {
  rlimit files = {};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGPIPE, SIG_IGN);
  fleet_.Run({"new", "-c", "Server01"});
}

void SiegeTest::SetLimits(
    const std::vector<std::pair<std::string, std::string>>& keys) {
  fleet_.KillBroker(SIGTERM);
  const std::string path = fleet_.directory() + "/broker/broker.toml";
  std::string text = ReadTextFile(path);
  for (const auto& [key, value] : keys) {
    const size_t begin = text.find("\n" + key + " = ") + 1;
    ASSERT_GT(begin, 0u) << key;
    const size_t end = text.find('\n', begin);
    text.replace(begin, end - begin, absl::StrCat(key, " = ", value));
  }
  WriteTextFile(path, text);
  fleet_.StartBroker();
  fleet_.WaitFor({"computers", "-o", "json"}, "COMPUTER_STATE_ONLINE");
}

void SiegeTest::ExpectServes() {
  EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", "echo served"}), "served\n");
}

void SiegeTest::Withstand(const std::string& name, int64_t growth_mib,
                          const std::function<void(Siege&)>& attack) {
  const int samples = IsLong() ? kLongSamples : kSamples;
  const pid_t broker = fleet_.BrokerPid();
  const pid_t agent = fleet_.AgentPid("Server01");
  ExpectServes();  // The keeper is there, and its connection.
  const Latencies before = Measure(fleet_, samples);
  ForgetPeak(broker);
  const int64_t memory = PeakMib(broker);
  Siege siege;
  std::thread attacker([&] {
    StandBack();
    attack(siege);
  });
  const Latencies during = Measure(fleet_, samples);
  siege.over = true;
  attacker.join();
  const int64_t growth = PeakMib(broker) - memory;
  printf(
      "%-28s run: median %s, p99 %s undisturbed; %s, %s attacked; broker: "
      "+%lld MiB; %lld connections, %lld refused, %lld attempts\n",
      name.c_str(), absl::FormatDuration(before.median).c_str(),
      absl::FormatDuration(before.p99).c_str(),
      absl::FormatDuration(during.median).c_str(),
      absl::FormatDuration(during.p99).c_str(), static_cast<long long>(growth),
      static_cast<long long>(siege.connections),
      static_cast<long long>(siege.refused),
      static_cast<long long>(siege.attempts));
  ASSERT_TRUE(ProcessLives(broker));
  EXPECT_TRUE(ProcessLives(agent));
  EXPECT_GT(siege.attempts, 0);
  EXPECT_LE(growth, growth_mib * kMemoryFactor);
  EXPECT_LE(during.p99, IsLong() ? 2 * before.p99
                                 : std::max(kLoosely * before.p99, kAtLeast));
  ExpectServes();
}

std::function<void(Siege&)> SiegeTest::Flood(
    std::function<std::string(uint32_t& stream)> next,
    const TlsPeer::Options& options) {
  return [this, next = std::move(next), options](Siege& siege) {
    while (!siege.over) {
      Http2Peer peer(fleet_.port(), options);
      ++siege.connections;
      if (!peer.accepted()) {
        ++siege.refused;
        continue;
      }
      uint32_t stream = 1;
      while (!siege.over && peer.Send(next(stream)) && peer.Drain()) {
        ++siege.attempts;
      }
    }
  };
}

TlsPeer::Options SiegeTest::User(const std::string& name) {
  fleet_.AddUser(name);
  TlsPeer::Options options;
  options.certificate = absl::StrCat(fleet_.directory(), "/users/", name);
  options.key = options.certificate + ".key";
  options.certificate += ".pem";
  return options;
}

TlsPeer::Options SiegeTest::Admin() const {
  TlsPeer::Options options;
  options.certificate = fleet_.directory() + "/broker/admin.pem";
  options.key = fleet_.directory() + "/broker/admin-key.pem";
  return options;
}

}  // namespace berth::testing
