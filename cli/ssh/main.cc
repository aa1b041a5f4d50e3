// berth-ssh: what `berth` does by SSH. A program of its own, since it needs
// libraries that would make every start of `berth` slower; `berth` executes it.

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "base/version.h"
#include "cli/direct.h"
#include "cli/install/run.h"
#include "cli/invocation/invocation.h"
#include "cli/login/run.h"
#include "libssh/libssh.h"

namespace berth::cli {
namespace {

int Main(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (first == "--version") {
    printf("berth-ssh %s\n", kVersion);
    return 0;
  }
  if (first != "agent" && first != "login") {
    fputs(
        "berth-ssh: this is a part of 'berth agent install' and 'berth "
        "login'; use these\n",
        stderr);
    return 1;
  }
  // What is opened must not become standard output by chance.
  for (int fd = 0; fd < 3; ++fd) {
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", O_RDWR);
  }
  if (ssh_init() != SSH_OK) {
    fputs("berth-ssh: libssh can't be used\n", stderr);
    return 1;
  }
  Invocation::Params params;
  params.args.assign(argv + 1, argv + argc);
  char* const directory = getcwd(nullptr, 0);
  params.cwd = directory == nullptr ? "/" : directory;
  free(directory);
  params.environment = Environment::FromProcess(environ, params.args);
  return RunDirectly(std::move(params),
                     first == "login" ? RunLogin : RunInstall);
}

}  // namespace
}  // namespace berth::cli

int main(int argc, char** argv) {
  const int exit_status = berth::cli::Main(argc, argv);
  fflush(stdout);
  // No destructors: gRPC's wait for its threads, and all is done.
  _exit(exit_status);
}
