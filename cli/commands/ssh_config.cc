#include "cli/commands/ssh_config.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/names.h"
#include "cli/client/computers.h"
#include "cli/commands/parser.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "Prints what makes 'ssh web01.berth' reach web01 by a gateway; scp, rsync "
    "and\nwhatever else reads ssh_config, too.\n\n"
    "Examples:\n"
    "  berth ssh-config --gateway gw.example.com:2222 >> ~/.ssh/config\n"
    "  berth ssh-config --gateway gw --user alice 'web*'\n";

constexpr int kDefaultPort = 2222;

struct Options {
  std::vector<std::string> computers;
  std::string gateway;
  std::string user;
};

// HOST, HOST:PORT or [ADDRESS]:PORT.
absl::Status SplitAddress(const std::string& text, std::string& host,
                          int& port) {
  const size_t colon = text.rfind(':');
  const bool bare = colon == text.npos || text.back() == ']' ||
                    (text.find(':') != colon && text[0] != '[');
  host = text.substr(0, bare ? text.npos : colon);
  port = kDefaultPort;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  // It becomes a line of a file that ssh believes.
  constexpr char kLetters[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:_%";
  if (host.empty() || host.find_first_not_of(kLetters) != host.npos ||
      (!bare && (!absl::SimpleAtoi(text.substr(colon + 1), &port) || port < 1 ||
                 port > 0xffff))) {
    return absl::InvalidArgumentError(
        absl::StrCat("--gateway '", text, "': it takes HOST or HOST:PORT"));
  }
  return absl::OkStatus();
}

}  // namespace

int RunSshConfig(Invocation& invocation, std::vector<std::string> words) {
  Options options;
  options.user = std::string(invocation.environment().Get("USER"));
  Parser parser("ssh-config", "Prints an ssh_config for a gateway.", kExamples);
  CLI::App& app = parser.app();
  app.add_option(
         "computers", options.computers,
         "which: web01, \"web[01-20]\", @label:role=db; without it, all")
      ->type_name("SET");
  app.add_option("--gateway", options.gateway, "where berth-gateway listens")
      ->type_name("HOST[:PORT]")
      ->required();
  app.add_option("--user", options.user, "whom the broker knows you as ($USER)")
      ->type_name("NAME");
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  std::string host;
  int port = 0;
  absl::Status status = SplitAddress(options.gateway, host, port);
  if (status.ok()) status = CheckName("user", options.user);
  if (!status.ok()) return invocation.Fail(status);
  const auto connection = parser.Connect(invocation);
  if (!connection.ok()) return invocation.Fail(connection.status());
  const auto found = FindComputers(**connection, invocation.signals(),
                                   {options.computers, {}});
  if (!found.ok()) return invocation.Fail(found.status());
  std::string text = "# By berth ssh-config.\n";
  for (const v1::Computer& computer : *found) {
    // Nor does a broker write other lines into it.
    if (!CheckName("computer", computer.name()).ok()) continue;
    absl::StrAppend(&text, "Host ", computer.name(), ".berth\n  HostName ",
                    host, "\n  Port ", port, "\n  User ", options.user, "+",
                    computer.name(), "\n  HostKeyAlias berth-gateway-", host,
                    "\n");
  }
  return invocation.Print(text);
}

}  // namespace berth::cli
