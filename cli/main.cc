// berth: the command line.

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/version.h"
#include "cli/commands/command.h"
#include "cli/direct.h"
#include "cli/keeper/client.h"

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

int Main(int argc, char** argv) {
  Invocation::Params params;
  bool use_keeper = true;
  int at = 1;
  EnsureDescriptors();
  for (; at < argc && argv[at][0] == '-'; ++at) {
    if (strcmp(argv[at], "--version") == 0) {
      printf("berth %s\n", kVersion);
      return 0;
    }
    if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
      fputs(HelpText().c_str(), stdout);
      return 0;
    }
    if (strcmp(argv[at], "--no-keeper") != 0) break;
    use_keeper = false;
  }
  params.args.assign(argv + at, argv + argc);
  params.cwd = CurrentDirectory();
  params.environment = Environment::FromProcess(environ);
  if (params.environment.Get("BERTH_KEEPER") == "off") use_keeper = false;
  if (!params.args.empty() && params.args[0] == "keeper") {
    return RunKeeperCommand(params);
  }
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
