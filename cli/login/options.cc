#include "cli/login/options.h"

#include <utility>

#include "cli/commands/parser.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "Gets a certificate of yours for a new key on this machine, from a "
    "gateway\n"
    "that knows your SSH key, as ssh would log in there (~/.ssh/config is not\n"
    "read). It is good for half a day, and renews itself while it is in use;\n"
    "the gateway is not needed any more. Programs log in with a token, which\n"
    "stands in a file or in BERTH_TOKEN, never on the command line.\n\n"
    "Examples:\n"
    "  berth login alice@gw.example.com\n"
    "  berth login gw.example.com:2222 --context prod\n"
    "  BERTH_TOKEN=... berth login --broker berth.example.com:7780 --ca "
    "ca.pem\n"
    "  berth logout\n";

}  // namespace

std::optional<int> ParseLoginOptions(Invocation& invocation,
                                     std::vector<std::string> words,
                                     LoginOptions& options) {
  Parser parser("login", "Logs in: makes a context from your SSH key.",
                kExamples);
  CLI::App& app = parser.app();
  app.add_option("gateway", options.gateway, "where berth-gateway is (2222)")
      ->type_name("[USER@]HOST[:PORT]");
  app.add_option("-i,--identity", options.identities,
                 "private key to log in with, before those of ssh-agent and "
                 "~/.ssh; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_option("--known-hosts", options.known_hosts,
                 "known host keys (~/.ssh/known_hosts)")
      ->type_name("FILE");
  app.add_flag("--accept-new", options.accept_new,
               "believe a gateway of which no key is known, and note its; a "
               "key that changed is never believed");
  app.add_option("--broker", options.broker,
                 "how to reach the broker; else as the gateway says")
      ->type_name("HOST:PORT");
  app.add_option("--ca", options.ca,
                 "with a token: the fleet's CA (PEM), to know the broker by")
      ->type_name("FILE");
  app.add_option("--token-file", options.token_file,
                 "log in with the token in this file; - is standard input")
      ->type_name("FILE");
  app.add_option("--context", options.context,
                 "the context's name, which becomes the current one (the "
                 "host's)")
      ->type_name("CONTEXT");
  return parser.Parse(invocation, std::move(words));
}

}  // namespace berth::cli
