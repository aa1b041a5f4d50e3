#include "cli/commands/computers.h"

#include <utility>

#include "absl/time/clock.h"
#include "cli/client/computers.h"
#include "cli/commands/parser.h"
#include "cli/render/computers.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "Examples:\n"
    "  berth computers\n"
    "  berth computers 'web*,!web07' -o wide\n";

}  // namespace

int RunComputers(Invocation& invocation, std::vector<std::string> words) {
  std::vector<std::string> names;
  Format format = Format::kTable;
  Parser parser("computers", "Lists the computers of the fleet.", kExamples);
  parser.app()
      .add_option("computers", names,
                  "which: web01, \"web[01-20]\", \"web*\", @label:role=db; "
                  "without it, all")
      ->type_name("SET");
  parser.AddFormat(format);
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  const auto connection = parser.Connect(invocation);
  if (!connection.ok()) return invocation.Fail(connection.status());
  const auto found =
      FindComputers(**connection, invocation.signals(), {names, {}});
  if (!found.ok()) return invocation.Fail(found.status());
  return invocation.Print(RenderComputers(*found, format, absl::Now()));
}

}  // namespace berth::cli
