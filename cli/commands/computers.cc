#include "cli/commands/computers.h"

#include <utility>

#include "absl/time/clock.h"
#include "cli/client/call.h"
#include "cli/client/sessions.h"
#include "cli/commands/parser.h"
#include "cli/render/computers.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "Examples:\n"
    "  berth computers\n"
    "  berth computers 'web*' -o wide\n";

}  // namespace

int RunComputers(Invocation& invocation, std::vector<std::string> words) {
  std::vector<std::string> names;
  Format format = Format::kTable;
  Parser parser("computers", "Lists the computers of the fleet.", kExamples);
  parser.app()
      .add_option("names", names, "names, or wildcards; without it, all")
      ->type_name("NAME");
  parser.AddFormat(format);
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  const auto connection = parser.Connect(invocation);
  if (!connection.ok()) return invocation.Fail(connection.status());
  v1::ListComputersRequest request;
  for (const std::string& name : SplitLists(names)) request.add_names(name);
  v1::ListComputersResponse response;
  const absl::Status status =
      Call(**connection, invocation.signals(), (*connection)->computers(),
           &v1::Computers::Stub::ListComputers, request, response);
  if (!status.ok()) return invocation.Fail(status);
  const std::vector<v1::Computer> computers(response.computers().begin(),
                                            response.computers().end());
  return invocation.Print(RenderComputers(computers, format, absl::Now()));
}

}  // namespace berth::cli
