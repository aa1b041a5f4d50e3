#ifndef BERTH_AGENT_OPTIONS_H_
#define BERTH_AGENT_OPTIONS_H_

#include <map>
#include <string>
#include <variant>

namespace berth::agent {

// `berth-agent join`
struct JoinOptions {
  std::string state_directory;
  std::string broker;
  std::string token;
  std::string token_file;  // Has the token, if `token` is empty; "-": stdin.
  std::string ca_file;
  std::string name;
  std::map<std::string, std::string> labels;
};

// `berth-agent leave`
struct LeaveOptions {
  std::string state_directory;
  bool keep_sessions = false;
};

// `berth-agent serve`
struct ServeOptions {
  std::string state_directory;
  std::string config_file;  // Empty: agent.toml in the state directory, if any.
  std::string holder;       // Path of berth-holder.
  std::string login;        // Path of berth-login.
};

// `berth-agent freeze` and `berth-agent unfreeze`
struct FreezeOptions {
  std::string state_directory;
  bool frozen = false;
  std::string reason;
};

// `berth-agent restart`
struct RestartOptions {
  std::string state_directory;
};

// `berth-agent configuration VERB`
struct ConfigurationOptions {
  enum class Verb {
    kList,
    kShow,
    kCheck,
    kRegister,
    kEnable,
    kDisable,
    kRemove,
    kSetDefault
  };
  Verb verb = Verb::kList;
  std::string state_directory;
  std::string config_file;  // As for serve.
  std::string name;
  std::string file;
};

// Parses the command line. An int is the exit status: help was shown, or a
// usage error.
std::variant<int, JoinOptions, LeaveOptions, ServeOptions, ConfigurationOptions,
             FreezeOptions, RestartOptions>
ParseOptions(int argc, char** argv);

}  // namespace berth::agent

#endif  // BERTH_AGENT_OPTIONS_H_
