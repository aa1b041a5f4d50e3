#include "tests/e2e/fleet.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace berth::testing {
namespace {

// The path of a program, from the environment that the build sets; absolute,
// because programs are started in other directories.
std::string Binary(const char* variable) {
  const char* path = getenv(variable);
  std::error_code error;
  return std::filesystem::absolute(path != nullptr ? path : variable, error);
}

}  // namespace

Fleet::Fleet(const std::vector<std::string>& computers,
             const std::string& address)
    : address_(address) {
  const std::string home = dir_.path() + "/home";
  mkdir(home.c_str(), 0700);
  WriteTextFile(home + "/.bashrc", "PS1='$ '\nHISTFILE=\n");
  auto init =
      Process::Run({.argv = {Binary("BERTH_BROKER"), "init",
                             dir_.path() + "/broker", "--host", "localhost"}});
  EXPECT_TRUE(init.ok() && init->exit_code == 0)
      << (init.ok() ? init->err : init.status().ToString());
  StartBroker();
  for (const std::string& computer : computers) {
    Join(computer);
    StartAgent(computer);
  }
  for (const std::string& computer : computers) {
    WaitFor({"computers", computer, "-o", "json"}, "COMPUTER_STATE_ONLINE");
  }
}

Fleet::~Fleet() {
  if (broker_.has_value() && broker_->pid() != 0) {
    for (const std::string& user : users_) {
      (void)Process::Run(Command({"rm", "*", "--no-keeper"}, user));
    }
  }
  for (const std::string& client : clients_) {
    (void)Process::Run(Command({"keeper", "stop"}, client));
  }
  // Holders outlive their agent, so sessions are ended while it lives.
  if (broker_.has_value() && broker_->pid() != 0) {
    for (const v1::Session& session : Sessions({})) {
      (void)Process::Run(
          Command({"rm", session.instance_id(), "--no-keeper"}, "laptop"));
    }
    (void)Process::Run(Command({"keeper", "stop"}, "laptop"));
  }
  for (auto& [name, agent] : agents_) {
    if (agent.pid() == 0) continue;
    EXPECT_EQ(agent.StopWith(SIGTERM), 0) << "agent " << name;
  }
  if (broker_.has_value() && broker_->pid() != 0) {
    EXPECT_EQ(broker_->StopWith(SIGTERM), 0) << "broker";
  }
}

void Fleet::ConfigureBroker(const std::string& key, const std::string& value) {
  const std::string path = dir_.path() + "/broker/broker.toml";
  std::string text = absl::StrCat(key, " = ", value, "\n");
  for (absl::string_view line : absl::StrSplit(ReadTextFile(path), '\n')) {
    if (!absl::StartsWith(line, key + " =")) absl::StrAppend(&text, line, "\n");
  }
  WriteTextFile(path, text);
}

void Fleet::StartBroker() {
  std::vector<std::string> environment = {
      absl::StrCat("BERTH_PAUSE_POINTS=", pause_points_)};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    environment.push_back(*entry);
  }
  auto broker = Process::Start(
      {.argv = {Binary("BERTH_BROKER"), "serve", dir_.path() + "/broker",
                "--listen", absl::StrCat(address_, ":", port_)},
       .environment = environment,
       .directory = "",
       .stderr_path = dir_.path() + "/broker.log"});
  ASSERT_TRUE(broker.ok()) << broker.status();
  auto port = broker->WaitForLine("ready port=");
  ASSERT_TRUE(port.ok()) << port.status() << "\n"
                         << ReadTextFile(dir_.path() + "/broker.log");
  ASSERT_TRUE(absl::SimpleAtoi(*port, &port_)) << *port;
  broker_.emplace(*std::move(broker));
}

void Fleet::KillBroker(int signal) { broker_->StopWith(signal); }

void Fleet::Join(const std::string& computer) {
  const std::string token(absl::StripAsciiWhitespace(
      Run({"admin", "token", "create", "--name-pattern", computer})));
  auto join = Process::Run(
      {.argv = {Binary("BERTH_AGENT"), "join", "--broker",
                absl::StrCat("localhost:", port_), "--token", token, "--ca",
                dir_.path() + "/broker/ca.pem", "--name", computer, "--label",
                "site=test", "--state-dir", AgentDirectory(computer)}});
  ASSERT_TRUE(join.ok()) << join.status();
  ASSERT_EQ(join->exit_code, 0) << join->err;
}

void Fleet::StartAgent(const std::string& computer) {
  std::vector<std::string> environment = {
      absl::StrCat("HOME=", dir_.path(), "/home"),
      "USER=root",
      "LOGNAME=root",
      "SHELL=/bin/bash",
      "LANG=C.UTF-8",
      absl::StrCat("PATH=", getenv("PATH")),
      absl::StrCat("BERTH_PAUSE_POINTS=", pause_points_)};
  std::vector<std::string> words = {Binary("BERTH_AGENT"), "serve",
                                    "--state-dir", AgentDirectory(computer),
                                    "--holder", Binary("BERTH_HOLDER")};
  // Only some tests have it.
  if (getenv("BERTH_LOGIN") != nullptr) {
    words.insert(words.end(), {"--login", Binary("BERTH_LOGIN")});
  }
  auto agent = Process::Start(
      {.argv = words,
       .environment = environment,
       .directory = "",
       .stderr_path = absl::StrCat(dir_.path(), "/", computer, ".log")});
  ASSERT_TRUE(agent.ok()) << agent.status();
  auto ready = agent->WaitForLine("ready");
  ASSERT_TRUE(ready.ok()) << ready.status() << "\n"
                          << ReadTextFile(dir_.path() + "/" + computer +
                                          ".log");
  agents_.insert_or_assign(computer, *std::move(agent));
}

void Fleet::KillAgent(const std::string& computer, int signal) {
  agents_.at(computer).StopWith(signal);
}

std::vector<std::string> Fleet::Environment(const std::string& client) const {
  const std::string root = absl::StrCat(dir_.path(), "/c-", client);
  const std::string ca = dir_.path() + "/broker/";
  const bool is_user = users_.contains(client);
  const std::string user =
      is_user ? absl::StrCat(dir_.path(), "/users/", client) : ca + "admin";
  return {absl::StrCat("HOME=", root),
          absl::StrCat("XDG_CONFIG_HOME=", root, "/config"),
          absl::StrCat("XDG_STATE_HOME=", root, "/state"),
          absl::StrCat("XDG_RUNTIME_DIR=", root, "/run"),
          absl::StrCat("PATH=", getenv("PATH")),
          "LANG=C.UTF-8",
          "TERM=xterm",
          absl::StrCat("BERTH_PAUSE_POINTS=", pause_points_),
          absl::StrCat("BERTH_BROKER=localhost:",
                       client_port_ != 0 ? client_port_ : port_),
          absl::StrCat("BERTH_CA=", ca, "ca.pem"),
          absl::StrCat("BERTH_CERTIFICATE=", user, ".pem"),
          absl::StrCat("BERTH_KEY=", user, is_user ? ".key" : "-key.pem")};
}

Process::Options Fleet::Command(const std::vector<std::string>& arguments,
                                const std::string& client) {
  if (std::find(clients_.begin(), clients_.end(), client) == clients_.end()) {
    clients_.push_back(client);
    const std::string root = absl::StrCat(dir_.path(), "/c-", client);
    mkdir(root.c_str(), 0700);
    mkdir((root + "/run").c_str(), 0700);
  }
  Process::Options options;
  options.argv = {Binary("BERTH_CLI")};
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  options.environment = Environment(client);
  return options;
}

Process::Finished Fleet::Berth(const std::vector<std::string>& arguments,
                               const std::string& input,
                               const std::string& client) {
  auto finished =
      Process::Run(Command(arguments, client), input, absl::Minutes(2));
  EXPECT_TRUE(finished.ok())
      << absl::StrJoin(arguments, " ") << ": " << finished.status();
  if (!finished.ok()) return {.exit_code = -1, .out = "", .err = ""};
  return *std::move(finished);
}

std::string Fleet::Run(const std::vector<std::string>& arguments,
                       const std::string& input, const std::string& client) {
  Process::Finished finished = Berth(arguments, input, client);
  EXPECT_EQ(finished.exit_code, 0)
      << "berth " << absl::StrJoin(arguments, " ") << "\n"
      << finished.out << finished.err;
  return finished.out;
}

void Fleet::AddUser(const std::string& user) {
  Run({"admin", "user", "add", user, "--out", dir_.path() + "/users"});
  users_.insert(user);
}

Process Fleet::Start(const std::vector<std::string>& arguments,
                     const std::string& client) {
  Process::Options options = Command(arguments, client);
  options.stderr_path = dir_.path() + "/berth.err";
  auto process = Process::Start(options);
  EXPECT_TRUE(process.ok()) << process.status();
  return *std::move(process);
}

std::string Fleet::WaitFor(const std::vector<std::string>& arguments,
                           const std::string& text, absl::Duration limit,
                           const std::string& client) {
  const absl::Time deadline = absl::Now() + limit;
  absl::Duration pause = absl::Milliseconds(10);
  while (true) {
    Process::Finished finished = Berth(arguments, "", client);
    if (absl::StrContains(finished.out, text)) return finished.out;
    if (absl::Now() > deadline) {
      ADD_FAILURE() << "no '" << text << "' from berth "
                    << absl::StrJoin(arguments, " ") << " in " << limit
                    << "; the last was:\n"
                    << finished.out << finished.err;
      return finished.out;
    }
    absl::SleepFor(pause);  // Between two looks, no more.
    pause = std::min(pause * 1.2, absl::Milliseconds(500));
  }
}

std::vector<v1::Session> Fleet::Sessions(
    const std::vector<std::string>& arguments, const std::string& client) {
  std::vector<std::string> all = {"ls", "-o", "jsonl"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<v1::Session> sessions;
  for (absl::string_view line :
       absl::StrSplit(Berth(all, "", client).out, '\n', absl::SkipEmpty())) {
    auto status = google::protobuf::util::JsonStringToMessage(
        std::string(line), &sessions.emplace_back());
    EXPECT_TRUE(status.ok()) << line;
  }
  return sessions;
}

v1::Session Fleet::Session(const std::string& selector,
                           const std::string& client) {
  std::vector<v1::Session> sessions = Sessions({selector}, client);
  EXPECT_EQ(sessions.size(), 1u) << selector;
  return sessions.empty() ? v1::Session() : sessions.front();
}

void Fleet::WaitForState(const std::string& selector, v1::SessionState state,
                         const std::string& client) {
  WaitFor({"ls", "-o", "jsonl", selector}, v1::SessionState_Name(state),
          absl::Seconds(20), client);
}

Process::Finished Fleet::Configuration(const std::string& computer,
                                       std::vector<std::string> words) {
  words.insert(words.begin(), {Binary("BERTH_AGENT"), "configuration"});
  words.insert(words.end(), {"--state-dir", AgentDirectory(computer)});
  auto finished = Process::Run({.argv = words});
  EXPECT_TRUE(finished.ok()) << finished.status();
  return finished.ok() ? *std::move(finished) : Process::Finished();
}

void Fleet::Register(const std::string& computer, const std::string& name,
                     const std::string& text) {
  const std::string file = dir_.path() + "/new.toml";
  WriteTextFile(file, text);
  const auto registered = Configuration(computer, {"register", name, file});
  ASSERT_EQ(registered.exit_code, 0) << registered.err;
  WaitFor({"configurations", "-c", computer, "-o", "name"}, name + "\n");
}

void Fleet::SetAgentPort(const std::string& computer, int port) {
  WriteTextFile(AgentDirectory(computer) + "/broker",
                absl::StrCat("localhost:", port, "\n"));
}

int Fleet::WaitBrokerEnd(absl::Duration limit) {
  auto code = broker_->Wait(limit);
  EXPECT_TRUE(code.ok()) << "broker: " << code.status();
  return code.value_or(-1);
}

int Fleet::WaitAgentEnd(const std::string& computer, absl::Duration limit) {
  auto code = agents_.at(computer).Wait(limit);
  EXPECT_TRUE(code.ok()) << "agent: " << code.status();
  return code.value_or(-1);
}

pid_t Fleet::BrokerPid() const {
  return broker_.has_value() ? broker_->pid() : 0;
}

pid_t Fleet::AgentPid(const std::string& computer) const {
  return agents_.at(computer).pid();
}

pid_t Fleet::HolderPid(const std::string& selector) {
  const v1::Session session = Session(selector);
  const std::string identity = ReadTextFile(
      absl::StrCat(AgentDirectory(session.computer()), "/sessions/",
                   session.instance_id(), "/holder"));
  pid_t pid = 0;
  for (absl::string_view word :
       absl::StrSplit(identity, absl::ByAnyChar(" \n"))) {
    if (absl::SimpleAtoi(word, &pid)) return pid;
  }
  return 0;
}

pid_t Fleet::KeeperPid(const std::string& client) {
  const std::string out = Berth({"keeper", "status"}, "", client).out;
  pid_t pid = 0;
  for (absl::string_view word : absl::StrSplit(out, absl::ByAnyChar(" =\n"))) {
    if (absl::SimpleAtoi(word, &pid)) return pid;
  }
  return 0;
}

}  // namespace berth::testing
