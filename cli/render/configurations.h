#ifndef BERTH_CLI_RENDER_CONFIGURATIONS_H_
#define BERTH_CLI_RENDER_CONFIGURATIONS_H_

#include <string>
#include <vector>

#include "cli/render/format.h"
#include "proto/berth/v1/computers.pb.h"

namespace berth::cli {

// A list of configurations, as `configurations` prints it.
std::string RenderConfigurations(
    const std::vector<v1::Configuration>& configurations, Format format);

}  // namespace berth::cli

#endif  // BERTH_CLI_RENDER_CONFIGURATIONS_H_
