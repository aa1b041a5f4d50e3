#include "agent/configuration_command.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/agent_lock.h"
#include "agent/sessions/configuration_text.h"
#include "agent/sessions/configurations.h"
#include "base/escape.h"
#include "base/files.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"

namespace berth::agent {
namespace {

void Print(const std::string& text) { fputs(text.c_str(), stdout); }

absl::Status NoSuch(const std::string& name) {
  return absl::NotFoundError(
      absl::StrCat("no configuration '", EscapeForTerminal(name),
                   "' here; see 'berth-agent configuration list'"));
}

// One invocation of the command.
class Command {
 public:
  explicit Command(const ConfigurationOptions& options)
      : options_(options),
        directory_(ConfigurationDirectory(options.state_directory)),
        configurations_(options.config_file.empty()
                            ? options.state_directory + "/agent.toml"
                            : options.config_file,
                        options.config_file.empty(), directory_) {}

  absl::Status Run() {
    using Verb = ConfigurationOptions::Verb;
    switch (options_.verb) {
      case Verb::kList:
        return List();
      case Verb::kShow:
        return Show();
      case Verb::kCheck:
        return Check().status();
      default:
        return Change();
    }
  }

 private:
  absl::Status List() {
    BERTH_RETURN_IF_ERROR(configurations_.Load());
    const auto snapshot = configurations_.Get();
    Print(
        "NAME                 STATE     KIND        FROM        DESCRIPTION\n");
    for (const auto& [name, entry] : snapshot->entries) {
      const Configuration& it = entry.configuration;
      char line[160];
      snprintf(line, sizeof(line), "%-20s %-9s %-11s %-11s ",
               absl::StrCat(name, name == snapshot->default_name ? " *" : "")
                   .c_str(),
               !entry.usable ? "unusable"
               : it.enabled  ? "enabled"
                             : "disabled",
               KindName(it.kind).c_str(),
               entry.registered ? "file" : "agent.toml");
      Print(absl::StrCat(line, EscapeForTerminal(it.description), "\n"));
      if (!entry.problem.empty()) {
        Print(absl::StrCat("  ", EscapeForTerminal(entry.problem), "\n"));
      }
    }
    return absl::OkStatus();
  }

  absl::Status Show() {
    BERTH_RETURN_IF_ERROR(configurations_.Load());
    const auto snapshot = configurations_.Get();
    const auto it = snapshot->entries.find(options_.name);
    if (it == snapshot->entries.end()) return NoSuch(options_.name);
    if (!it->second.usable) {
      return absl::FailedPreconditionError(it->second.problem);
    }
    Print(ConfigurationText(it->second.configuration));
    return absl::OkStatus();
  }

  // The text of the file, once there is nothing wrong with it.
  absl::StatusOr<std::string> Check() {
    BERTH_ASSIGN_OR_RETURN(std::string text, ReadFile(options_.file, 1 << 20));
    BERTH_ASSIGN_OR_RETURN(const Configuration configuration,
                           ParseConfiguration(text, options_.file));
    BERTH_RETURN_IF_ERROR(StartupScript(configuration).status());
    std::vector<std::string> programs;
    if (configuration.kind != ShellKind::kRestricted) {
      programs.push_back(configuration.shell);
    }
    for (const AllowedProgram& program : configuration.allowed) {
      programs.push_back(program.path);
    }
    for (const std::string& program : programs) {
      if (access(program.c_str(), X_OK) != 0) {
        return absl::FailedPreconditionError(
            absl::StrCat(options_.file, ": ", EscapeForTerminal(program),
                         " is no program that can be run here"));
      }
    }
    if (options_.verb == ConfigurationOptions::Verb::kCheck) {
      Print(absl::StrCat(EscapeForTerminal(options_.file), " is good\n"));
    }
    return text;
  }

  absl::Status Change() {
    BERTH_RETURN_IF_ERROR(MakePrivateDirectory(directory_));
    // One at a time; readers see the old files or the new ones.
    const UniqueFd lock(open((directory_ + "/lock").c_str(),
                             O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock.valid() || flock(lock.get(), LOCK_EX) != 0) {
      return ErrnoToStatus(errno, directory_ + "/lock");
    }
    BERTH_RETURN_IF_ERROR(configurations_.Load());
    BERTH_RETURN_IF_ERROR(ChangeFiles());
    BERTH_ASSIGN_OR_RETURN(const bool told,
                           TellAgentToReload(options_.state_directory));
    Print(told ? "done; new sessions are made accordingly\n"
               : "done; no agent runs here now\n");
    return absl::OkStatus();
  }

  absl::Status ChangeFiles() {
    using Verb = ConfigurationOptions::Verb;
    if (options_.verb == Verb::kRegister) return Register();
    const auto snapshot = configurations_.Get();
    const auto it = snapshot->entries.find(options_.name);
    if (it == snapshot->entries.end()) return NoSuch(options_.name);
    if (options_.verb == Verb::kRemove) return Remove(it->second, *snapshot);
    return ChangeChoices([&](ConfigurationChoices& choices) {
      if (options_.verb == Verb::kSetDefault) {
        choices.default_configuration = options_.name;
      } else {
        choices.enabled[options_.name] = options_.verb == Verb::kEnable;
      }
    });
  }

  absl::Status Register() {
    BERTH_RETURN_IF_ERROR(CheckName("configuration", options_.name));
    const auto snapshot = configurations_.Get();
    const auto it = snapshot->entries.find(options_.name);
    if (it != snapshot->entries.end() && !it->second.registered) {
      return absl::AlreadyExistsError(absl::StrCat(
          "configuration '", options_.name,
          "' is in agent.toml: change it there, or take another name"));
    }
    BERTH_ASSIGN_OR_RETURN(const std::string text, Check());
    return WriteFileAtomically(FileOf(options_.name), text);
  }

  absl::Status Remove(const Configurations::Entry& entry,
                      const Configurations::Snapshot& snapshot) {
    if (!entry.registered) {
      return absl::FailedPreconditionError(absl::StrCat(
          "configuration '", options_.name,
          "' is in agent.toml, or built in: change it there, or disable it"));
    }
    if (options_.name == snapshot.default_name) {
      return absl::FailedPreconditionError(absl::StrCat(
          "configuration '", options_.name,
          "' is the default: first choose another with 'berth-agent "
          "configuration set-default'"));
    }
    const std::string path = FileOf(options_.name);
    if (unlink(path.c_str()) != 0) return ErrnoToStatus(errno, path);
    return ChangeChoices([&](ConfigurationChoices& choices) {
      choices.enabled.erase(options_.name);
    });
  }

  template <typename Edit>
  absl::Status ChangeChoices(const Edit& edit) {
    const std::string path = directory_ + "/choices";
    ConfigurationChoices choices;
    const absl::StatusOr<std::string> text = ReadFile(path);
    if (text.ok()) {
      BERTH_ASSIGN_OR_RETURN(choices, ParseChoices(*text, path));
    } else if (!absl::IsNotFound(text.status())) {
      return text.status();
    }
    edit(choices);
    return WriteFileAtomically(path, ChoicesText(choices));
  }

  std::string FileOf(const std::string& name) const {
    return absl::StrCat(directory_, "/", name, ".toml");
  }

  const ConfigurationOptions& options_;
  const std::string directory_;
  Configurations configurations_;
};

}  // namespace

absl::Status RunConfiguration(const ConfigurationOptions& options) {
  return Command(options).Run();
}

}  // namespace berth::agent
