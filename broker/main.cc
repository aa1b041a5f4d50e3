#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "absl/status/statusor.h"
#include "base/escape.h"
#include "base/tls/credentials.h"
#include "base/version.h"
#include "broker/commands.h"

int main(int argc, char** argv) {
  CLI::App app(
      "berth-broker: knows the sessions of a fleet, and connects "
      "clients with them.");
  app.set_version_flag("--version", std::string(berth::kVersion));
  berth::broker::Commands commands(app);
  CLI11_PARSE(app, argc, argv);

  berth::InitTls();
  berth::InitForBulk(64 << 20);
  const absl::StatusOr<std::string> done = commands.Run();
  if (done.ok()) {
    printf("%s", done->c_str());
    return 0;
  }
  fprintf(stderr, "berth-broker: %s\n",
          berth::EscapeForTerminal(done.status().message()).c_str());
  return 1;
}
