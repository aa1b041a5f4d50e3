#include "cli/commands/context.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/names.h"
#include "cli/commands/parser.h"
#include "cli/config/contexts.h"
#include "cli/render/table.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "Examples:\n"
    "  berth context add prod --broker berth.example.com:7411 --ca ca.pem \\\n"
    "      --certificate alice.pem --key alice.key --use\n"
    "  berth context use prod\n"
    "  berth context ls\n";

struct Options {
  std::string name;
  Context context;
  bool use = false;
};

int Save(Invocation& invocation, const Contexts& contexts) {
  const absl::Status status = SaveContexts(invocation.environment(), contexts);
  return status.ok() ? 0 : invocation.Fail(status);
}

int Add(Invocation& invocation, Contexts contexts, Options options) {
  if (absl::Status status = CheckName("context", options.name); !status.ok()) {
    return invocation.Fail(status, kUsageExit);
  }
  for (std::string* path : {&options.context.ca, &options.context.certificate,
                            &options.context.key}) {
    *path = invocation.AbsolutePath(*path);
  }
  contexts.contexts[options.name] = options.context;
  if (options.use || contexts.contexts.size() == 1) {
    contexts.current = options.name;
  }
  return Save(invocation, contexts);
}

int NotFound(Invocation& invocation, const std::string& name) {
  return invocation.Fail(absl::NotFoundError(
      absl::StrCat("context '", name, "': not found; see 'berth context ls'")));
}

int Use(Invocation& invocation, Contexts contexts, const Options& options) {
  if (!contexts.contexts.contains(options.name)) {
    return NotFound(invocation, options.name);
  }
  contexts.current = options.name;
  return Save(invocation, contexts);
}

int Remove(Invocation& invocation, Contexts contexts, const Options& options) {
  if (contexts.contexts.erase(options.name) == 0) {
    return NotFound(invocation, options.name);
  }
  if (contexts.current == options.name) contexts.current.clear();
  return Save(invocation, contexts);
}

int List(Invocation& invocation, const Contexts& contexts) {
  if (contexts.contexts.empty()) return 0;
  Table table({{"Current", 7}, {"Name", 15}, {"Broker", 21}, {"Certificate"}});
  for (const auto& [name, context] : contexts.contexts) {
    table.AddRow({name == contexts.current ? "*" : "", name, context.broker,
                  context.certificate});
  }
  return invocation.Print(table.Render());
}

void AddName(CLI::App& app, Options& options) {
  app.add_option("name", options.name, "the context")->required();
}

}  // namespace

int RunContext(Invocation& invocation, std::vector<std::string> words) {
  Options options;
  Parser parser("context", "Manages the brokers you talk to.", kExamples);
  CLI::App& app = parser.app();
  app.require_subcommand(1);
  CLI::App* add = app.add_subcommand("add", "Adds a context, or replaces it");
  AddName(*add, options);
  add->add_option("--broker", options.context.broker, "HOST:PORT")->required();
  add->add_option("--ca", options.context.ca, "the fleet's CA (PEM)")
      ->required();
  add->add_option("--certificate", options.context.certificate,
                  "your certificate (PEM)")
      ->required();
  add->add_option("--key", options.context.key, "its private key (PEM)")
      ->required();
  add->add_flag("--use", options.use, "make it the current one");
  CLI::App* use = app.add_subcommand("use", "Makes a context the current one");
  AddName(*use, options);
  CLI::App* rm = app.add_subcommand("rm", "Removes a context");
  AddName(*rm, options);
  app.add_subcommand("ls", "Lists contexts");
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  absl::StatusOr<Contexts> contexts = LoadContexts(invocation.environment());
  if (!contexts.ok()) return invocation.Fail(contexts.status());
  if (add->parsed()) {
    return Add(invocation, *std::move(contexts), std::move(options));
  }
  if (use->parsed()) return Use(invocation, *std::move(contexts), options);
  if (rm->parsed()) return Remove(invocation, *std::move(contexts), options);
  return List(invocation, *contexts);
}

}  // namespace berth::cli
