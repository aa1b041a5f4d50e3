// Poses as a fleet of agents until standard input ends:
//   simulate BROKER_DIRECTORY HOST:PORT AGENTS SESSIONS
// and prints "linked N seconds=S" when all of them are linked (again), "lost"
// when none is any more.

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <string>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "base/files.h"
#include "base/tls/credentials.h"
#include "tests/load/simulator.h"

namespace berth::testing {
namespace {

void RaiseFileLimit() {
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

absl::StatusOr<CertificateAuthority> LoadAuthority(const std::string& dir) {
  const auto cert = ReadFile(dir + "/ca.pem");
  if (!cert.ok()) return cert.status();
  const auto key = ReadFile(dir + "/ca-key.pem");
  if (!key.ok()) return key.status();
  return CertificateAuthority::Load(*cert, *key);
}

void Report(Simulator& simulator, size_t agents, std::atomic<bool>& stop) {
  constexpr absl::Duration kLook = absl::Seconds(1);
  while (true) {
    const absl::Time start = absl::Now();
    while (!simulator.WaitForLinked(agents, agents, kLook)) {
      if (stop) return;
    }
    const Simulator::Counts counts = simulator.counts();
    printf(
        "linked %zu seconds=%.2f attempts=%zu pushed_back=%zu early=%zu "
        "longest_pushback=%.1f\n",
        agents, absl::ToDoubleSeconds(absl::Now() - start), counts.attempts,
        counts.pushed_back, counts.early,
        absl::ToDoubleSeconds(counts.longest_pushback));
    fflush(stdout);
    while (!simulator.WaitForLinked(0, agents / 2, kLook)) {
      if (stop) return;
    }
    printf("lost\n");
    fflush(stdout);
  }
}

int Main(int argc, char** argv) {
  Simulator::Options options;
  if (argc != 5 || !absl::SimpleAtoi(argv[3], &options.agents) ||
      !absl::SimpleAtoi(argv[4], &options.sessions)) {
    fprintf(stderr, "usage: %s BROKER_DIRECTORY HOST:PORT AGENTS SESSIONS\n",
            argv[0]);
    return 2;
  }
  options.broker = argv[2];
  RaiseFileLimit();
  InitTls();
  auto authority = LoadAuthority(argv[1]);
  if (!authority.ok()) {
    fprintf(stderr, "%s\n", authority.status().ToString().c_str());
    return 1;
  }
  auto simulator = Simulator::Create(*authority, options);
  if (!simulator.ok()) {
    fprintf(stderr, "%s\n", simulator.status().ToString().c_str());
    return 1;
  }
  printf("ready\n");
  fflush(stdout);
  std::atomic<bool> stop = false;
  std::thread report([&] { Report(**simulator, options.agents, stop); });
  (*simulator)->Start(absl::Milliseconds(2) * options.agents);
  char c;
  while (read(STDIN_FILENO, &c, 1) > 0) {
  }
  stop = true;
  report.join();
  return 0;
}

}  // namespace
}  // namespace berth::testing

int main(int argc, char** argv) { return berth::testing::Main(argc, argv); }
