#ifndef BERTH_AGENT_HOLDER_TEXT_H_
#define BERTH_AGENT_HOLDER_TEXT_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace berth::holder {

// The first `max` bytes of `text` at most, with every byte that is not part of
// valid UTF-8 replaced by '?'. Names of files and arguments can be anything,
// but a message with such text would not be parsed.
std::string ValidText(absl::string_view text, size_t max);

}  // namespace berth::holder

#endif  // BERTH_AGENT_HOLDER_TEXT_H_
