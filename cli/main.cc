// berth: the command line.

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/version.h"
#include "cli/commands/command.h"
#include "cli/direct.h"
#include "cli/keeper/client.h"
#include "cli/terminal/saved_terminal.h"

namespace berth::cli {
namespace {

std::string CurrentDirectory() {
  char* path = getcwd(nullptr, 0);
  const std::string result = path == nullptr ? "/" : path;
  free(path);
  return result;
}

// What the command opens must not become its standard output by chance.
void EnsureDescriptors() {
  for (int fd = 0; fd < 3; ++fd) {
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", O_RDWR);
  }
}

// Removes --no-keeper from the words before "--". True: it was there.
bool TakeNoKeeper(std::vector<std::string>& args) {
  const auto end = std::find(args.begin(), args.end(), "--");
  const auto kept = std::remove(args.begin(), end, "--no-keeper");
  const bool found = kept != end;
  args.erase(kept, end);
  return found;
}

int Main(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (first == "--version") {
    printf("berth %s\n", kVersion);
    return 0;
  }
  if (first == "--help" || first == "-h") {
    fputs(HelpText().c_str(), stdout);
    return 0;
  }
  EnsureDescriptors();
  Invocation::Params params;
  params.args.assign(argv + std::min(argc, 1), argv + argc);
  params.cwd = CurrentDirectory();
  params.environment = Environment::FromProcess(environ, params.args);
  // These become another program, which a keeper can't.
  const std::string verb = VerbOf(params.args);
  const bool use_keeper = !TakeNoKeeper(params.args) &&
                          params.environment.Get("BERTH_KEEPER") != "off" &&
                          verb != "agent" && verb != "login";
  if (!params.args.empty() && params.args[0] == "keeper") {
    return RunKeeperCommand(params);
  }
  // Whoever works in the keeper is not stopped for reading from a terminal.
  if (!params.args.empty() && params.args[0] == "enter") WaitForForeground(0);
  if (use_keeper) {
    if (const std::optional<int> exit_status = RunInKeeper(params)) {
      return *exit_status;
    }
  }
  return RunDirectly(std::move(params));
}

}  // namespace
}  // namespace berth::cli

int main(int argc, char** argv) {
  const int exit_status = berth::cli::Main(argc, argv);
  fflush(stdout);
  // No destructors: gRPC's wait for its threads, and all is done.
  _exit(exit_status);
}
