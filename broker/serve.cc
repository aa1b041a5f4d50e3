#include "broker/serve.h"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <string.h>
#include <sys/resource.h>

#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "broker/config.h"
#include "broker/init.h"
#include "broker/server.h"

namespace berth::broker {

namespace {

// Each agent and client takes a file descriptor, and the usual soft limit,
// 1024, is for programs that use select().
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
    return absl::NotFoundError(
        absl::StrCat("no broker in '", directory,
                     "'; make one with `berth-broker init ", directory, "`"));
  }
  BERTH_RETURN_IF_ERROR(text.status());
  BERTH_ASSIGN_OR_RETURN(Config config, ParseConfig(*text, path));
  if (!listen.empty()) config.listen = listen;
  BERTH_RETURN_IF_ERROR(InitLog("berth-broker", config.log_level));
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
  server->Stop();
  return absl::OkStatus();
}

}  // namespace berth::broker
