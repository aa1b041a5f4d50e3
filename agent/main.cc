// berth-agent: hosts shell sessions on one computer, for the fleet of one
// broker.

#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include <variant>

#include "absl/status/status.h"
#include "agent/configuration_command.h"
#include "agent/options.h"
#include "agent/programs.h"
#include "base/escape.h"
#include "base/log.h"
#include "base/tls/credentials.h"
#include "spdlog/spdlog.h"

namespace {

// Without the destructors of what is static: threads of gRPC, and the pool's
// last that just end, may use that until there is no process any more.
[[noreturn]] void End(int status) {
  spdlog::shutdown();
  fflush(nullptr);
#ifdef __SANITIZE_ADDRESS__
  // It looks at its own threads as a debugger would.
  prctl(PR_SET_DUMPABLE, 1);
  __lsan_do_leak_check();
#endif
  _exit(status);
}

}  // namespace

int main(int argc, char** argv) {
#ifndef __SANITIZE_ADDRESS__
  // What commands are given passes through here: it must be neither in a core
  // dump nor to be had by a debugger.
  prctl(PR_SET_DUMPABLE, 0);
#endif
  const auto options = berth::agent::ParseOptions(argc, argv);
  if (const int* status = std::get_if<int>(&options)) return *status;
  berth::InitTls();
  berth::InitForBulk(1 << 20);
  absl::Status status = berth::InitLog("berth-agent", "info");
  if (status.ok()) {
    if (const auto* join = std::get_if<berth::agent::JoinOptions>(&options)) {
      status = berth::agent::RunJoin(*join);
    } else if (const auto* configuration =
                   std::get_if<berth::agent::ConfigurationOptions>(&options)) {
      status = berth::agent::RunConfiguration(*configuration);
    } else if (const auto* leave =
                   std::get_if<berth::agent::LeaveOptions>(&options)) {
      status = berth::agent::RunLeave(*leave);
    } else if (const auto* freeze =
                   std::get_if<berth::agent::FreezeOptions>(&options)) {
      status = berth::agent::RunFreeze(*freeze);
    } else {
      status =
          berth::agent::RunServe(std::get<berth::agent::ServeOptions>(options));
    }
  }
  if (!status.ok()) {
    fprintf(stderr, "berth-agent: %s\n",
            berth::EscapeForTerminal(status.message()).c_str());
  }
  End(status.ok() ? 0 : 1);
}
