#ifndef BERTH_AGENT_SESSIONS_CONFIGURATION_TEXT_H_
#define BERTH_AGENT_SESSIONS_CONFIGURATION_TEXT_H_

#include <string>

#include "agent/sessions/configuration.h"

namespace berth::agent {

// A configuration with all its keys, as its file would have them: read again,
// it is the same.
std::string ConfigurationText(const Configuration& configuration);

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_CONFIGURATION_TEXT_H_
