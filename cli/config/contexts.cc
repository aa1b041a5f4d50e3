#include "cli/config/contexts.h"

#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/status_macros.h"
#include "base/toml.h"
#include "cli/config/paths.h"
#include "toml++/toml.h"

namespace berth::cli {
namespace {

constexpr char kHowToAdd[] =
    "add one with 'berth context add NAME --broker HOST:PORT --ca FILE "
    "--certificate FILE --key FILE --use'";

absl::StatusOr<std::string> ConfigPath(const Environment& environment) {
  BERTH_ASSIGN_OR_RETURN(std::string directory, ConfigDirectory(environment));
  return absl::StrCat(directory, "/config.toml");
}

std::string Text(const toml::table& table, absl::string_view key) {
  return table[std::string_view(key.data(), key.size())].value_or(
      std::string());
}

Context ToContext(const toml::table& table) {
  return {.broker = Text(table, "broker"),
          .ca = Text(table, "ca"),
          .certificate = Text(table, "certificate"),
          .key = Text(table, "key")};
}

void Override(const Environment& environment, absl::string_view variable,
              std::string& value) {
  if (const absl::string_view text = environment.Get(variable); !text.empty()) {
    value = std::string(text);
  }
}

absl::Status CheckComplete(const Context& context) {
  const std::pair<absl::string_view, const std::string&> fields[] = {
      {"BERTH_BROKER", context.broker},
      {"BERTH_CA", context.ca},
      {"BERTH_CERTIFICATE", context.certificate},
      {"BERTH_KEY", context.key}};
  for (const auto& [variable, value] : fields) {
    if (!value.empty()) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("no broker to talk to: there is no current context, and ",
                     variable, " is not set; ", kHowToAdd));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Contexts> ParseContexts(absl::string_view text,
                                       const std::string& path) {
  BERTH_ASSIGN_OR_RETURN(const toml::table parsed, ParseToml(text, path));
  Contexts contexts;
  contexts.current = Text(parsed, "current");
  if (const toml::table* table = parsed["contexts"].as_table()) {
    for (const auto& [name, value] : *table) {
      if (const toml::table* context = value.as_table()) {
        contexts.contexts[std::string(name.str())] = ToContext(*context);
      }
    }
  }
  return contexts;
}

std::string ToToml(const Contexts& contexts) {
  toml::table all;
  for (const auto& [name, context] : contexts.contexts) {
    all.insert_or_assign(name, toml::table{{"broker", context.broker},
                                           {"ca", context.ca},
                                           {"certificate", context.certificate},
                                           {"key", context.key}});
  }
  std::ostringstream out;
  out << toml::table{{"current", contexts.current}, {"contexts", all}} << "\n";
  return out.str();
}

absl::StatusOr<Contexts> LoadContexts(const Environment& environment) {
  BERTH_ASSIGN_OR_RETURN(const std::string path, ConfigPath(environment));
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (absl::IsNotFound(text.status())) return Contexts();
  if (!text.ok()) return text.status();
  return ParseContexts(*text, path);
}

absl::Status SaveContexts(const Environment& environment,
                          const Contexts& contexts) {
  BERTH_ASSIGN_OR_RETURN(const std::string directory,
                         ConfigDirectory(environment));
  BERTH_RETURN_IF_ERROR(MakePrivateDirectory(directory));
  BERTH_ASSIGN_OR_RETURN(const std::string path, ConfigPath(environment));
  return WriteFileAtomically(path, ToToml(contexts));
}

absl::StatusOr<Context> ResolveContext(const Environment& environment,
                                       absl::string_view name) {
  if (name.empty()) name = environment.Get("BERTH_CONTEXT");
  BERTH_ASSIGN_OR_RETURN(const Contexts contexts, LoadContexts(environment));
  Context context;
  const std::string wanted(name.empty() ? contexts.current : name);
  if (const auto it = contexts.contexts.find(wanted);
      it != contexts.contexts.end()) {
    context = it->second;
  } else if (!name.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "context '", name, "': not found; see 'berth context ls'"));
  }
  Override(environment, "BERTH_BROKER", context.broker);
  Override(environment, "BERTH_CA", context.ca);
  Override(environment, "BERTH_CERTIFICATE", context.certificate);
  Override(environment, "BERTH_KEY", context.key);
  BERTH_RETURN_IF_ERROR(CheckComplete(context));
  return context;
}

}  // namespace berth::cli
