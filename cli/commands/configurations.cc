#include "cli/commands/configurations.h"

#include <utility>

#include "cli/client/call.h"
#include "cli/client/computers.h"
#include "cli/commands/parser.h"
#include "cli/render/configurations.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "Those of computers that are offline are as last known. They are kept on\n"
    "each computer: 'berth-agent configuration' there changes them.\n\n"
    "Examples:\n"
    "  berth configurations\n"
    "  berth configurations -c web01 -o wide\n";

// As in ListConfigurationsRequest.
constexpr size_t kMaxComputers = 10'000;

}  // namespace

int RunConfigurations(Invocation& invocation, std::vector<std::string> words) {
  std::vector<std::string> computers;
  Format format = Format::kTable;
  Parser parser("configurations", "Lists what sessions can be made from.",
                kExamples);
  parser.AddComputers(computers, "of these computers; without it, of all");
  parser.AddFormat(format);
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  const auto made = parser.Connect(invocation);
  if (!made.ok()) return invocation.Fail(made.status());
  Connection& connection = **made;
  v1::ListConfigurationsRequest request;
  if (!computers.empty()) {
    auto names = PlainComputers(connection, invocation.signals(),
                                {computers, {}}, kMaxComputers);
    if (!names.ok()) return invocation.Fail(names.status());
    request.mutable_computers()->Assign(names->begin(), names->end());
  }
  v1::ListConfigurationsResponse response;
  const absl::Status status =
      Call(connection, invocation.signals(), connection.computers(),
           &v1::Computers::Stub::ListConfigurations, request, response);
  if (!status.ok()) return invocation.Fail(status);
  const std::vector<v1::Configuration> configurations(
      response.configurations().begin(), response.configurations().end());
  return invocation.Print(RenderConfigurations(configurations, format));
}

}  // namespace berth::cli
