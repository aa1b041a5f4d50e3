#ifndef BERTH_AGENT_LOG_LOG_TAIL_H_
#define BERTH_AGENT_LOG_LOG_TAIL_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "agent/log/record.h"

namespace berth::agent {

// Where the last `lines` lines begin in the log of command `sequence`, as far
// as it reaches now and was not deleted. `only` set: lines of that stream. The
// end of the log, if `lines` is 0. Reads segments from the last one backwards,
// as many as it takes; its memory is that of `lines` offsets. DATA_LOSS: the
// files can't be read.
absl::StatusOr<uint64_t> FindTail(const std::string& directory,
                                  uint64_t sequence, size_t lines,
                                  std::optional<Stream> only);

}  // namespace berth::agent

#endif  // BERTH_AGENT_LOG_LOG_TAIL_H_
