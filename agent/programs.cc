#include "agent/programs.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "agent/agent_lock.h"
#include "agent/link/agent_state.h"
#include "agent/link/control_writer.h"
#include "agent/link/enrollment.h"
#include "agent/link/link.h"
#include "agent/link/recording_upload.h"
#include "agent/recording/recorder.h"
#include "agent/sessions/configurations.h"
#include "agent/sessions/end_all.h"
#include "agent/sessions/freeze.h"
#include "agent/sessions/session_service.h"
#include "agent/sessions/worker_pool.h"
#include "base/escape.h"
#include "base/files.h"
#include "base/status_macros.h"
#include "base/tls/certificates.h"
#include "base/tls/expiry.h"
#include "base/unique_fd.h"
#include "spdlog/spdlog.h"

namespace berth::agent {
namespace {

// How long calls may go on after SIGTERM. Those that are cut come back when
// the agent does; what they ran goes on meanwhile.
constexpr absl::Duration kDrain = absl::Seconds(1);
// Two threads a call, and as many again for requests and endings.
constexpr size_t kMaxThreads = 2 * Link::kMaxCalls + 128;

void LimitMemory() {
  // Threads come and go with calls; an arena for each would keep what the
  // largest call ever needed. What is left is given back when there are none.
  mallopt(M_ARENA_MAX, 2);
}

// Holders and calls take a few descriptors each.
void RaiseFileLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// SIGTERM, SIGINT, SIGHUP and SIGUSR1 wait to be taken by this thread; holders
// that end leave nothing to collect.
sigset_t PrepareSignals() {
  signal(SIGCHLD, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGHUP);
  sigaddset(&ends, SIGUSR1);
  sigprocmask(SIG_BLOCK, &ends, nullptr);
  return ends;
}

// New sessions are made from what is there now; nothing else changes.
void Reload(Configurations& configurations, const SessionService& sessions,
            ControlWriter& writer) {
  const std::vector<std::string> problems = configurations.Reload();
  for (const std::string& problem : problems) {
    SPDLOG_ERROR("{}; it stays as it was", EscapeForTerminal(problem));
  }
  SPDLOG_INFO("configurations were read again");
  writer.ConfigurationsChanged(sessions.DescribeConfigurations(),
                               sessions.Frozen());
}

// Whether this is the computer's fleet and name already, and its certificate
// is good.
bool HasJoined(const JoinOptions& options, const std::string& ca_pem) {
  const absl::StatusOr<AgentState> state =
      LoadAgentState(options.state_directory);
  if (!state.ok() || state->broker != options.broker ||
      !ShareCertificate(state->ca_pem, ca_pem)) {
    return false;
  }
  const absl::StatusOr<std::string> name = ComputerName(*state);
  return name.ok() && *name == options.name &&
         CheckNotExpired("", state->certificate_pem, absl::Now(), "").ok();
}

// Tokens are short; this is to bound what a wrong file can be.
constexpr size_t kMaxTokenBytes = 4096;

absl::StatusOr<std::string> TokenFor(const JoinOptions& options) {
  std::string token = options.token;
  if (!options.token_file.empty()) {
    BERTH_ASSIGN_OR_RETURN(
        token,
        ReadFile(options.token_file == "-" ? "/dev/stdin" : options.token_file,
                 kMaxTokenBytes));
    absl::StripAsciiWhitespace(&token);
  }
  if (token.empty()) {
    return absl::InvalidArgumentError(
        "joining takes a token: `berth admin token create` makes one, for "
        "--token-file");
  }
  return token;
}

}  // namespace

absl::Status RunJoin(const JoinOptions& options) {
  JoinRequest request;
  request.broker = options.broker;
  request.name = options.name;
  request.labels = options.labels;
  BERTH_ASSIGN_OR_RETURN(request.ca_pem, ReadFile(options.ca_file));
  if (HasJoined(options, request.ca_pem)) {
    printf("already joined as %s\n", options.name.c_str());
    return absl::OkStatus();
  }
  BERTH_ASSIGN_OR_RETURN(request.token, TokenFor(options));
  BERTH_ASSIGN_OR_RETURN(const AgentState state, Join(request));
  BERTH_RETURN_IF_ERROR(SaveAgentState(options.state_directory, state));
  printf("joined as %s\n", options.name.c_str());
  return absl::OkStatus();
}

absl::Status RunLeave(const LeaveOptions& options) {
  const std::string& directory = options.state_directory;
  if (access((directory + "/certificate.pem").c_str(), F_OK) != 0) {
    printf("not joined\n");
    return absl::OkStatus();
  }
  const absl::StatusOr<UniqueFd> lock = LockDirectory(directory);
  if (!lock.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat(lock.status().message(),
                     ": stop it first (systemctl disable --now berth-agent)"));
  }
  if (!options.keep_sessions) {
    BERTH_RETURN_IF_ERROR(EndAllSessions(directory));
  }
  // The certificate first: without it the rest is nothing.
  for (const char* file :
       {"/certificate.pem", "/key.pem", "/ca.pem", "/broker"}) {
    if (unlink((directory + file).c_str()) != 0 && errno != ENOENT) {
      return ErrnoToStatus(errno, directory + file);
    }
  }
  printf("left\n");
  return absl::OkStatus();
}

absl::Status RunFreeze(const FreezeOptions& options) {
  const std::string& directory = options.state_directory;
  BERTH_RETURN_IF_ERROR(options.frozen ? Freeze(directory, options.reason)
                                       : Unfreeze(directory));
  BERTH_ASSIGN_OR_RETURN(const bool told, TellAgentToReload(directory));
  printf("%s%s\n",
         options.frozen
             ? "frozen: no new sessions are made here; those that live go on"
             : "new sessions can be made again",
         told ? "" : " (no agent runs here now)");
  return absl::OkStatus();
}

absl::Status RunRestart(const RestartOptions& options) {
  BERTH_RETURN_IF_ERROR(RestartAgent(options.state_directory));
  printf("the agent began anew; sessions live on\n");
  return absl::OkStatus();
}

absl::StatusOr<ServeEnd> RunServe(const ServeOptions& options) {
  LimitMemory();
  RaiseFileLimit();
  const sigset_t signals = PrepareSignals();
  BERTH_ASSIGN_OR_RETURN(const AgentState state,
                         LoadAgentState(options.state_directory));
  BERTH_ASSIGN_OR_RETURN(const std::string name, ComputerName(state));
  const bool own_config = options.config_file.empty();
  Configurations configurations(
      own_config ? options.state_directory + "/agent.toml"
                 : options.config_file,
      /*optional=*/own_config, ConfigurationDirectory(options.state_directory));
  BERTH_RETURN_IF_ERROR(configurations.Load());
  BERTH_ASSIGN_OR_RETURN(const UniqueFd lock,
                         LockDirectory(options.state_directory));
  WorkerPool workers(kMaxThreads, [] { malloc_trim(0); });
  ControlWriter writer;
  Recorder recorder({options.state_directory + "/recordings",
                     configurations.Get()->recordings_limit,
                     configurations.Get()->recordings_seal_after});
  BERTH_RETURN_IF_ERROR(recorder.Start());
  RecordingUpload upload(recorder.spool());
  SessionService sessions(
      {options.state_directory, options.holder, name, &recorder,
       options.login},
      configurations, workers,
      {[&](const SessionService::Session& session, bool details) {
         writer.Report(session, details);
       },
       [&](const std::string& id) { writer.Gone(id); }});
  if (geteuid() == 0 && configurations.Get()->run_as.run_as == "agent") {
    SPDLOG_WARN(
        "sessions run as root: run_as in agent.toml says for whom they are; "
        "see 'Who sessions run as' in docs/OPERATING.md");
  }
  Link link(options.state_directory, state, writer, sessions, workers);
  link.OnChannel([&](std::shared_ptr<grpc::Channel> channel) {
    upload.SetChannel(std::move(channel));
  });
  BERTH_RETURN_IF_ERROR(sessions.Start());
  upload.Start();
  link.Start();
  printf("ready\n");
  fflush(stdout);
  int signal = 0;
  while (sigwait(&signals, &signal) == 0 && signal == SIGHUP) {
    Reload(configurations, sessions, writer);
  }
  const bool anew = signal == SIGUSR1;
  SPDLOG_INFO("{}; sessions live on", anew ? "beginning anew" : "ending");
  link.Stop(kDrain);
  upload.Stop();
  sessions.Stop();
  recorder.Stop();
  return anew ? ServeEnd::kBeginAnew : ServeEnd::kStopped;
}

}  // namespace berth::agent
