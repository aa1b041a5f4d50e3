#include "broker/gateway/serve.h"

#include <libssh/libssh.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "broker/gateway/config.h"
#include "broker/gateway/init.h"
#include "broker/gateway/server.h"

namespace berth::gateway {
namespace {

// A connection takes several descriptors.
void RaiseFileLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

absl::Status Serve(const std::string& directory, const std::string& listen) {
  // Blocked before there are threads, so that only sigwait() gets them.
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  signal(SIGPIPE, SIG_IGN);
  RaiseFileLimit();

  const std::string path = absl::StrCat(directory, "/", kConfigFile);
  absl::StatusOr<std::string> text = ReadFile(path);
  if (absl::IsNotFound(text.status())) {
    return absl::NotFoundError(absl::StrCat(
        "no gateway in '", directory, "'; make one with `berth-gateway init ",
        directory, " --broker-dir DIR`"));
  }
  BERTH_RETURN_IF_ERROR(text.status());
  BERTH_ASSIGN_OR_RETURN(Config config, ParseConfig(*text, path));
  if (!listen.empty()) config.listen = listen;
  BERTH_RETURN_IF_ERROR(InitLog("berth-gateway", config.log_level));
  BERTH_ASSIGN_OR_RETURN(std::unique_ptr<Server> server,
                         Server::Start(config, directory));
  SPDLOG_INFO("serving {} on port {}", directory, server->port());
  printf("ready port=%d\n", server->port());
  fflush(stdout);

  int signal_number = 0;
  sigwait(&stop, &signal_number);
  SPDLOG_INFO("going down: {}", strsignal(signal_number));
  // A second signal does not wait.
  pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);
  if (!server->Stop()) {
    SPDLOG_WARN("some connections have not ended in time");
    spdlog::shutdown();
    _exit(0);
  }
  return absl::OkStatus();
}

}  // namespace berth::gateway
