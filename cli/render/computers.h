#ifndef BERTH_CLI_RENDER_COMPUTERS_H_
#define BERTH_CLI_RENDER_COMPUTERS_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/render/format.h"
#include "proto/berth/v1/computers.pb.h"

namespace berth::cli {

// A list of computers, as `computers` prints it.
std::string RenderComputers(const std::vector<v1::Computer>& computers,
                            Format format, absl::Time now);

}  // namespace berth::cli

#endif  // BERTH_CLI_RENDER_COMPUTERS_H_
