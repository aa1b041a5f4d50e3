#ifndef BERTH_AGENT_LINK_OS_NAME_H_
#define BERTH_AGENT_LINK_OS_NAME_H_

#include <string>

namespace berth::agent {

// What this computer runs, such as "Debian GNU/Linux 12 (bookworm)".
std::string OsName();

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_OS_NAME_H_
