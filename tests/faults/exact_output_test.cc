// Every byte that a command prints arrives once, whatever dies meanwhile.

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "base/unique_fd.h"
#include "gtest/gtest.h"
#include "tests/faults/fault_plan.h"
#include "tests/faults/faulty_fleet.h"

namespace berth::testing {
namespace {

constexpr char kOutKey[] = "00112233445566778899aabbccddeeff";
constexpr char kErrKey[] = "ffeeddccbbaa99887766554433221100";

// Clients that may give up in one test.
constexpr int kAttempts = 50;
constexpr size_t kName = sizeof("berth:") - 1;

// `mib` MiB that look like chance and are the same each time.
std::string Noise(uint64_t mib, const std::string& key) {
  return absl::StrCat("head -c ", mib, "M /dev/zero | openssl enc -aes-128-ctr",
                      " -K ", key, " -iv 00000000000000000000000000000000");
}

// On standard error `berth` says its own, in lines that begin with its name:
// what is printed there has neither colons nor blanks, so that they can be
// told from it.
std::string ErrNoise(uint64_t mib) {
  return Noise(mib, kErrKey) + " | base64 -w0";
}

uint64_t SizeOf(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 ? info.st_size : 0;
}

// What a shell prints for this, which may take minutes.
std::string Shell(const std::string& script) {
  auto finished =
      Process::Run({.argv = {"/bin/bash", "-c", script}}, "", absl::Minutes(5));
  EXPECT_TRUE(finished.ok()) << finished.status();
  return finished.ok() ? finished->out : "";
}

class ExactOutputTest : public ::testing::Test {
 protected:
  ExactOutputTest()
      : out_(fleet_.directory() + "/out"), err_(fleet_.directory() + "/err") {
    fleet_.Run({"new", "-c", FaultyFleet::kComputer});
  }

  // Starts `berth` with what it prints appended to out_ and err_.
  void Begin(const std::vector<std::string>& arguments) {
    Process::Options options = fleet_.Command(arguments, "laptop");
    std::vector<std::string> argv = {"/bin/sh", "-c",
                                     absl::StrCat("exec \"$0\" \"$@\" >>", out_,
                                                  " 2>>", err_, " </dev/null")};
    argv.insert(argv.end(), options.argv.begin(), options.argv.end());
    options.argv = argv;
    auto process = Process::Start(options);
    ASSERT_TRUE(process.ok()) << process.status();
    client_.emplace(*std::move(process));
  }

  // What came on standard error: the command's own bytes are written to `file`
  // if that is given.
  struct Errors {
    uint64_t bytes = 0;  // Of the command.
    std::string said;    // By `berth`.
  };
  Errors ReadErrors(FILE* file = nullptr) {
    Errors errors;
    FILE* in = fopen(err_.c_str(), "r");
    if (in == nullptr) return errors;
    std::string kept;  // May yet turn out to be a name.
    std::string buffer(1 << 20, '\0');
    bool saying = false;
    auto pass_on = [&](size_t keep) {
      const size_t sure = kept.size() - std::min(kept.size(), keep);
      if (file != nullptr) fwrite(kept.data(), 1, sure, file);
      errors.bytes += sure;
      kept.erase(0, sure);
    };
    while (const size_t got = fread(buffer.data(), 1, buffer.size(), in)) {
      absl::string_view rest(buffer.data(), got);
      while (!rest.empty()) {
        const size_t end = rest.find(saying ? '\n' : ':');
        const size_t size = end == rest.npos ? rest.size() : end + 1;
        absl::StrAppend(saying ? &errors.said : &kept, rest.substr(0, size));
        rest.remove_prefix(size);
        if (!saying) pass_on(kName);
        if (end == absl::string_view::npos) continue;
        if (!saying) errors.said += std::exchange(kept, "");
        saying = !saying;
      }
    }
    fclose(in);
    pass_on(0);
    return errors;
  }
  std::string Said() { return ReadErrors().said; }

  // How much was received: what the next one goes on after.
  uint64_t Received() { return SizeOf(out_) + ReadErrors().bytes; }

  // Starts one that knows nothing but what is in the files. Until it has got
  // something, nobody else knows where it began.
  void BeginWhereItStopped() {
    const uint64_t from = Received();
    uint64_t size = SizeOf(out_) + SizeOf(err_);
    Begin({"receive", "1", "--from", absl::StrCat(from)});
    while (!HasFatalFailure()) {
      WaitFor(size + 1);
      if (Ended() || Received() > from) return;
      size = SizeOf(out_) + SizeOf(err_);  // Only words have come.
    }
  }

  // Waits until so much has come, or the client has ended. A client that gives
  // up is started again where it stopped.
  void WaitFor(uint64_t bytes) {
    const absl::Time deadline = absl::Now() + absl::Minutes(2);
    while (SizeOf(out_) + SizeOf(err_) < bytes && !Ended()) {
      ASSERT_LT(absl::Now(), deadline)
          << SizeOf(out_) << " + " << SizeOf(err_) << " bytes have come\n"
          << Said();
      absl::SleepFor(absl::Milliseconds(1));  // Between two looks, no more.
    }
  }

  bool Ended() {
    if (client_->pid() == 0) return true;
    auto code = client_->Wait(absl::ZeroDuration());
    if (code.ok()) code_ = *code;
    return code.ok();
  }

  void KillKeeper() {
    const pid_t keeper = fleet_.KeeperPid();
    if (keeper <= 1) return;
    const UniqueFd process(
        static_cast<int>(syscall(SYS_pidfd_open, keeper, 0)));
    kill(keeper, SIGKILL);
    // Only then has it written the last byte.
    pollfd ended = {process.get(), POLLIN, 0};
    EXPECT_EQ(poll(&ended, 1, 30'000), 1);
  }

  void Do(Fault fault) {
    switch (fault) {
      case Fault::kKillClient:
        client_->StopWith(SIGKILL);
        return Begin({"receive", "1"});
      case Fault::kKillKeeper:
        KillKeeper();
        client_->StopWith(SIGKILL);
        return BeginWhereItStopped();
      case Fault::kKillBroker:
        fleet_.KillBroker(SIGKILL);
        return fleet_.StartBroker();
      case Fault::kKillAgent:
        fleet_.KillAgent(FaultyFleet::kComputer, SIGKILL);
        return fleet_.StartAgent(FaultyFleet::kComputer);
      case Fault::kCutClientLink:
        return fleet_.client_link().Cut();
      case Fault::kCutAgentLink:
        return fleet_.agent_link().Cut();
    }
  }

  // Does the plan, and waits until everything has come.
  void Perform(const std::vector<PlannedFault>& plan) {
    for (const PlannedFault& fault : plan) {
      WaitFor(fault.at);
      while (!HasFatalFailure() && Ended() && GaveUp()) {
        Again();
        WaitFor(fault.at);
      }
      if (HasFatalFailure() || Ended()) return;
      Do(fault.fault);
    }
    for (int i = 0; i < kAttempts && !HasFatalFailure(); ++i) {
      if (client_->pid() != 0) {
        auto code = client_->Wait(absl::Minutes(4));
        ASSERT_TRUE(code.ok()) << code.status() << "\n" << Said();
        code_ = *code;
      }
      if (!GaveUp()) return;
      Again();
    }
    FAIL() << "no client gets to the end\n" << Said();
  }

  // A client that comes when broker or computer are not there gives up at once;
  // one that lost them does after a while.
  bool GaveUp() const { return code_ != 7 && code_ != 0; }

  // Then the user starts it again.
  void Again() {
    ASSERT_LT(++attempts_, kAttempts) << Said();
    fleet_.WaitOnline();
    BeginWhereItStopped();
  }

  void Check(uint64_t out_mib, uint64_t err_mib) {
    EXPECT_EQ(Shell("sha256sum <" + out_),
              Shell(Noise(out_mib, kOutKey) + " | sha256sum"));
    const std::string only = err_ + ".only";
    FILE* file = fopen(only.c_str(), "w");
    ASSERT_NE(file, nullptr);
    ReadErrors(file);
    fclose(file);
    EXPECT_EQ(Shell("sha256sum <" + only),
              Shell(ErrNoise(err_mib) + " | sha256sum"));
    // `receive` has done what it was asked to: it says how the command ended.
    EXPECT_TRUE(code_ == 7 ||
                (code_ == 0 && absl::StrContains(Said(), "status 7")))
        << code_ << "\n"
        << Said();
  }

  FaultyFleet fleet_;
  const std::string out_;
  const std::string err_;
  std::optional<Process> client_;
  int code_ = -1;
  int attempts_ = 0;
};

std::string Command(uint64_t out_mib, uint64_t err_mib) {
  return absl::StrCat("( ", Noise(out_mib, kOutKey), " & { ", ErrNoise(err_mib),
                      "; } >&2 & wait ); (exit 7)");
}

TEST_F(ExactOutputTest, EveryByteArrivesOnceWhateverDies) {
  const uint64_t seed = FaultSeed();
  const uint64_t out_mib = IsLong() ? 4096 : 40;
  const uint64_t err_mib = IsLong() ? 1024 : 16;
  const int faults = IsLong() ? 100 : 12;
  const auto plan =
      MakeFaultPlan(seed, faults, (out_mib + err_mib) * (1 << 20));
  SCOPED_TRACE(absl::StrCat("replay with BERTH_FAULT_SEED=", seed, "\n",
                            ToString(plan)));
  const absl::Time start = absl::Now();
  Begin({"run", "-s", "1", "--", Command(out_mib, err_mib)});
  Perform(plan);
  const absl::Duration took = absl::Now() - start;
  Check(out_mib, err_mib);
  printf("%llu bytes on stdout, %llu on stderr, %d faults, %.1f s, seed %llu\n",
         static_cast<unsigned long long>(SizeOf(out_)),
         static_cast<unsigned long long>(SizeOf(err_)), faults,
         absl::ToDoubleSeconds(took), static_cast<unsigned long long>(seed));
}

// A keeper that could not acknowledge what it had written was sent it again,
// and wrote it again.
TEST_F(ExactOutputTest, NothingComesTwiceIfTheLinkBreaksBeforeTheClientDies) {
  Begin({"run", "-s", "1", "--", Command(16, 1)});
  WaitFor(6 << 20);
  fleet_.client_link().Stall(true);
  client_->StopWith(SIGKILL);
  Begin({"receive", "1"});
  fleet_.client_link().Cut();
  fleet_.client_link().Stall(false);
  Perform({});
  Check(16, 1);
}

}  // namespace
}  // namespace berth::testing
