#include "tests/bounds/slow_link.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace berth::testing {
namespace {

constexpr char kOther[] = "10.99.0.2";

// Runs a line of shell, also where a user's PATH has no tc; FAILED_PRECONDITION
// with what it printed if it fails.
absl::Status Sh(const std::string& line) {
  BERTH_ASSIGN_OR_RETURN(
      const Process::Finished finished,
      Process::Run(
          {.argv = {"/bin/sh", "-ec",
                    absl::StrCat("PATH=$PATH:/usr/sbin:/sbin; ", line)}}));
  if (finished.exit_code == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("'", line, "' failed: ", finished.err));
}

// What goes out of `device`: at that rate, half a second of it waits.
std::string Narrow(const std::string& device, const std::string& rate) {
  return absl::StrCat("tc qdisc add dev ", device, " root handle 1: tbf rate ",
                      rate, " burst 32kb latency 500ms");
}

}  // namespace

absl::StatusOr<std::unique_ptr<SlowLink>> SlowLink::Make(
    const std::string& rate, const std::string& delay) {
  if (geteuid() != 0) {
    return absl::FailedPreconditionError(
        "networks of its own can only be made by root");
  }
  if (unshare(CLONE_NEWNET) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("unshare(CLONE_NEWNET): ", strerror(errno)));
  }
  BERTH_ASSIGN_OR_RETURN(Process other,
                         Process::Start(std::vector<std::string>{
                             "/usr/bin/unshare", "--net", "/bin/sh", "-c",
                             "echo ready; exec sleep 3600"}));
  BERTH_RETURN_IF_ERROR(other.WaitForLine("ready").status());
  const std::string there =
      absl::StrCat("nsenter --net=/proc/", other.pid(), "/ns/net ");
  BERTH_RETURN_IF_ERROR(Sh(absl::StrCat(
      "ip link set lo up; ip link add here type veth peer name there netns ",
      other.pid(), "; ip addr add ", kAddress, "/24 dev here; ",
      "ip link set here up; ", there, "ip link set lo up; ", there,
      "ip addr add ", kOther, "/24 dev there; ", there,
      "ip link set there up")));
  BERTH_RETURN_IF_ERROR(Sh(Narrow("here", rate)));
  BERTH_RETURN_IF_ERROR(Sh(there + Narrow("there", rate)));
  std::unique_ptr<SlowLink> link(new SlowLink(std::move(other)));
  const std::string netem =
      absl::StrCat(" parent 1: handle 10: netem delay ", delay);
  link->delays_ = Sh("tc qdisc add dev here" + netem).ok() &&
                  Sh(there + "tc qdisc add dev there" + netem).ok();
  return link;
}

Process::Options SlowLink::Through(Process::Options options) const {
  options.argv.insert(options.argv.begin(),
                      {"/usr/bin/nsenter",
                       absl::StrCat("--net=/proc/", other_.pid(), "/ns/net")});
  return options;
}

}  // namespace berth::testing
