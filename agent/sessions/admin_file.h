#ifndef BERTH_AGENT_SESSIONS_ADMIN_FILE_H_
#define BERTH_AGENT_SESSIONS_ADMIN_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace berth::agent {

// Reads a file that decides what this computer allows. Who may write it is its
// signature: FAILED_PRECONDITION unless it is root's or, for an agent not run
// by root, that user's own, and nobody else may write it. Other errors as
// ReadFile().
absl::StatusOr<std::string> ReadAdminFile(const std::string& path,
                                          size_t max_bytes);

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_ADMIN_FILE_H_
