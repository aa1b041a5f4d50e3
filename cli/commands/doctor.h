#ifndef BERTH_CLI_COMMANDS_DOCTOR_H_
#define BERTH_CLI_COMMANDS_DOCTOR_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// berth doctor: says whether this client can reach its broker, and if not, why.
int RunDoctor(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_DOCTOR_H_
