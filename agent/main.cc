// berth-agent: hosts shell sessions on one computer, for the fleet of one
// broker.

#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/configuration_command.h"
#include "agent/options.h"
#include "agent/programs.h"
#include "base/escape.h"
#include "base/files.h"
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

// Where this program is installed, whatever is there now.
std::string ProgramPath() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error);
}

// Executes the program that is installed now, in this process: whoever started
// the agent notices nothing. Returns why that can't be done.
absl::Status BeginAnew(const std::string& program, char** argv) {
  spdlog::shutdown();
  fflush(nullptr);
  execv(program.c_str(), argv);
  return berth::ErrnoToStatus(errno, program);
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
  const std::string program = ProgramPath();
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
    } else if (const auto* restart =
                   std::get_if<berth::agent::RestartOptions>(&options)) {
      status = berth::agent::RunRestart(*restart);
    } else {
      const absl::StatusOr<berth::agent::ServeEnd> end =
          berth::agent::RunServe(std::get<berth::agent::ServeOptions>(options));
      status = end.status();
      if (end.ok() && *end == berth::agent::ServeEnd::kBeginAnew) {
        status = BeginAnew(program, argv);
      }
    }
  }
  if (!status.ok()) {
    fprintf(stderr, "berth-agent: %s\n",
            berth::EscapeForTerminal(status.message()).c_str());
  }
  End(status.ok() ? 0 : 1);
}
