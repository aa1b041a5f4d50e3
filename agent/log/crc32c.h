#ifndef BERTH_AGENT_LOG_CRC32C_H_
#define BERTH_AGENT_LOG_CRC32C_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace berth::agent {

// CRC-32C (Castagnoli) of `data`, continuing from `crc`, the checksum of what
// came before it. Table driven: what is summed here is short (headers, journal
// records), never output.
uint32_t Crc32c(absl::string_view data, uint32_t crc = 0);

}  // namespace berth::agent

#endif  // BERTH_AGENT_LOG_CRC32C_H_
