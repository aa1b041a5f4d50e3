#include "cli/commands/run.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "cli/client/computers.h"
#include "cli/commands/parser.h"
#include "cli/commands/run_options.h"
#include "cli/commands/run_target.h"
#include "cli/commands/targets.h"
#include "cli/fanout/engine.h"
#include "cli/fanout/show.h"
#include "cli/jobs/store.h"
#include "cli/run/exit_status.h"
#include "cli/run/patience.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "The script runs in the session's own shell, as if typed there. Ctrl-C\n"
    "interrupts it; a second Ctrl-C leaves it running. Ends with its status;\n"
    "of several, the largest; 125 if Berth failed, 124 if a deadline passed.\n"
    "With -c and no -s it runs in new sessions, which end with it.\n\n"
    "Examples:\n"
    "  berth run -s 1 -- 'cd /var/log; ls'\n"
    "  berth run -s '*' -b -- uname -r\n"
    "  berth run -c 'web[01-20],!web07' -- uptime\n"
    "  berth run -c @label:role=db --fail-after 10% --file upgrade.sh -- now\n"
    "  tar c . | berth run -s 1 -- 'tar x -C /srv/in'\n"
    "  berth run -s 2 --detach -- 'make -j8 all'\n"
    "  berth run -c 'web*' --job nightly -- ./backup\n";

// The sessions that were asked for; or computers, to make sessions on.
absl::StatusOr<std::vector<FanoutTarget>> FindFanoutTargets(
    Connection& connection, Invocation& invocation,
    const RunRequestOptions& options) {
  std::vector<FanoutTarget> targets;
  if (options.temporary()) {
    auto names = FindComputerNames(connection, invocation.signals(),
                                   {options.query.computers, {}});
    if (!names.ok()) return names.status();
    for (const std::string& name : *names) {
      targets.push_back({{name, name, 0}, std::nullopt, {}});
    }
    return targets;
  }
  SessionList list =
      ListSessions(connection, invocation.signals(), options.query);
  if (!list.status.ok()) return list.status;
  absl::flat_hash_map<std::string, int> counts;
  for (const v1::Session& session : list.sessions) ++counts[session.computer()];
  for (const v1::Session& session : list.sessions) {
    const std::string& computer = session.computer();
    const std::string label = counts[computer] == 1
                                  ? computer
                                  : absl::StrCat(computer, "/", session.id());
    targets.push_back(
        {{label, computer, session.id()}, RefOf(session), session.shell()});
  }
  return targets;
}

FanoutPlan MakePlan(Invocation& invocation, const RunRequestOptions& options) {
  FanoutPlan plan;
  plan.script = [&options](v1::ShellKind shell) {
    return MakeScript(options.script, shell);
  };
  if (options.wait) plan.wait = *options.wait;
  plan.timeout = options.timeout;
  plan.total_timeout = options.total_timeout;
  plan.detach = options.detach;
  plan.exit_ends_session = options.exit_ends_session;
  plan.secrets = options.secrets;
  plan.with_input =
      !options.detach && !options.no_input && invocation.in().HasData();
  plan.skips = !options.gather && !options.diff && !options.json_lines &&
               options.out_dir.empty() && invocation.out().IsTerminal() &&
               invocation.err().IsTerminal();
  plan.throttle = options.throttle;
  plan.fail_after = options.fail_after;
  plan.create.set_configuration(options.configuration);
  plan.create.set_run_as(options.run_as);
  // What is left running is an ordinary session's.
  plan.create.set_temporary(!options.detach);
  if (options.job) plan.create.set_name(options.job_name);
  plan.patience = ReconnectPatience(invocation.environment());
  return plan;
}

// A job begins to be known before its commands are, and then knows more.
class JobKeeper {
 public:
  JobKeeper(Invocation& invocation, const Connection& connection,
            const RunRequestOptions& options) {
    job_.set_name(options.job_name);
    *job_.mutable_started_at() = ToProto(absl::Now());
    job_.set_what(options.script.text.substr(0, kMaxWhat));
    job_.set_broker(connection.broker());
    // It was found, so it can be read.
    owner_ = OwnerOf(options.query).value_or("");
    const auto store = JobStore::Open(invocation.environment());
    if (!store.ok()) {
      status_ = store.status();
      return;
    }
    store_ = *store;
  }

  // Nothing is begun before this was written.
  absl::Status Begin(const Engine& engine) {
    if (!status_.ok()) return status_;
    Describe(engine);
    return store_->Add(job_);
  }

  absl::Status End(const Engine& engine) {
    Describe(engine);
    return store_->Update(job_);
  }

  const jobs::Job& job() const { return job_; }

 private:
  static constexpr size_t kMaxWhat = 200;

  void Describe(const Engine& engine) {
    job_.clear_targets();
    const auto& outcomes = engine.scheduler().outcomes();
    for (size_t i = 0; i < engine.scheduler().count(); ++i) {
      const FanoutResult& result = engine.result(i);
      jobs::Target& target = *job_.add_targets();
      target.set_label(engine.name(i).label);
      target.set_computer(engine.name(i).computer);
      target.set_instance_id(result.session.instance_id());
      target.set_owner(owner_);
      target.set_session(result.session.id());
      target.set_command_id(result.command_id);
      if (!outcomes[i] || outcomes[i]->state == TargetState::kOk) continue;
      target.set_not_begun(std::string(StateName(outcomes[i]->state)));
      target.set_detail(outcomes[i]->detail);
    }
  }

  jobs::Job job_;
  std::string owner_;
  std::optional<JobStore> store_;
  absl::Status status_;
};

int RunAsJob(Invocation& invocation, Connection& connection, Engine& engine,
             const RunRequestOptions& options) {
  JobKeeper keeper(invocation, connection, options);
  if (absl::Status status = keeper.Begin(engine); !status.ok()) {
    return invocation.Fail(status, kFailedExit);
  }
  absl::Status kept;
  const int exit = engine.Run([&] {
    kept = keeper.End(engine);
    if (!kept.ok()) invocation.Say(kept.message());
    invocation.Print(
        absl::StrCat("%", keeper.job().id(), " ", keeper.job().name(), "\n"));
  });
  return kept.ok() ? exit : kFailedExit;
}

// What to look for the commands that were left running.
void PrintDetached(Invocation& invocation, const Engine& engine) {
  std::string text;
  for (size_t i = 0; i < engine.scheduler().count(); ++i) {
    if (engine.scheduler().outcomes()[i]->state != TargetState::kOk) continue;
    const FanoutResult& result = engine.result(i);
    absl::StrAppend(&text, EscapeForTerminal(engine.name(i).label), " ",
                    result.session.id(), " ", result.command_id, "\n");
  }
  invocation.Print(text);
}

int RunOnMany(Invocation& invocation, Connection& connection,
              const RunRequestOptions& options) {
  auto targets = FindFanoutTargets(connection, invocation, options);
  if (!targets.ok()) return invocation.Fail(targets.status(), kFailedExit);
  if (targets->empty()) {
    invocation.Say("nothing matches: nothing was run");
    return 0;
  }
  ShowOptions show;
  show.gather = options.gather;
  show.diff = options.diff;
  show.json_lines = options.json_lines;
  show.out_dir = options.out_dir;
  show.prefix = !options.no_prefix && targets->size() > 1;
  show.exact = targets->size() == 1;
  show.colour = options.colour;
  std::vector<TargetName> names;
  for (const FanoutTarget& target : *targets) names.push_back(target.name);
  auto make_presenter = PreparePresenter(invocation, show, std::move(names));
  if (!make_presenter.ok()) {
    return invocation.Fail(make_presenter.status(), kFailedExit);
  }
  invocation.signals().ForwardInterrupts();
  Engine::Options engine_options;
  engine_options.progress =
      targets->size() > 1 && invocation.err().IsTerminal();
  engine_options.progress_on_out = invocation.out().IsTerminal();
  engine_options.quiet = options.quiet;
  Engine engine(invocation, connection, MakePlan(invocation, options),
                *std::move(targets), *make_presenter, engine_options);
  if (options.job) return RunAsJob(invocation, connection, engine, options);
  return engine.Run([&] {
    if (options.detach) PrintDetached(invocation, engine);
  });
}

// One session, whose bytes pass as they are.
bool IsSingle(const RunRequestOptions& options) {
  return !options.temporary() && options.plain() && options.script.plain() &&
         LiteralRef(options.query).has_value();
}

int RunOnOne(Invocation& invocation, Connection& connection,
             const RunRequestOptions& options) {
  const Targets found = FindTargets(connection, invocation, options.query);
  if (!found.status.ok()) return invocation.Fail(found.status, kFailedExit);
  invocation.signals().ForwardInterrupts();
  RunOptions run;
  run.script = options.script.text;
  run.wait = options.wait;
  run.timeout = options.timeout;
  run.detach = options.detach;
  run.exit_ends_session = options.exit_ends_session;
  run.no_input = options.no_input;
  run.alone = true;
  return RunOnTarget(invocation, connection, found.targets[0], run, "");
}

}  // namespace

int RunRun(Invocation& invocation, std::vector<std::string> words) {
  RunRequestOptions options;
  Parser parser("run", "Runs a command in sessions, or on computers.",
                kExamples);
  if (const auto exit =
          ReadRunOptions(invocation, parser, std::move(words), options)) {
    return *exit;
  }
  if (absl::Status status = CheckSelectors(options.query.selectors);
      !status.ok()) {
    return invocation.Fail(status, kFailedExit);
  }
  const auto connection = parser.Connect(invocation);
  if (!connection.ok()) {
    return invocation.Fail(connection.status(), kFailedExit);
  }
  return IsSingle(options) ? RunOnOne(invocation, **connection, options)
                           : RunOnMany(invocation, **connection, options);
}

}  // namespace berth::cli
