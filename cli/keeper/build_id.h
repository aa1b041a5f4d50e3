#ifndef BERTH_CLI_KEEPER_BUILD_ID_H_
#define BERTH_CLI_KEEPER_BUILD_ID_H_

#include <string>

namespace berth::cli {

// What tells this build of the program from any other: its version, and the
// hash that the linker left in it.
std::string BuildId();

}  // namespace berth::cli

#endif  // BERTH_CLI_KEEPER_BUILD_ID_H_
