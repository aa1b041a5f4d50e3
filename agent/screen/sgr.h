#ifndef BERTH_AGENT_SCREEN_SGR_H_
#define BERTH_AGENT_SCREEN_SGR_H_

#include <string>

#include "agent/screen/cell.h"
#include "agent/screen/sequence.h"

namespace berth::screen {

// Changes `style` as the sequence SGR ("ESC [ ... m") says.
void ApplySgr(const Sequence& sequence, Style& style);

// Appends the sequence that sets `style`, whatever was set before.
void AppendSgr(const Style& style, std::string& out);

}  // namespace berth::screen

#endif  // BERTH_AGENT_SCREEN_SGR_H_
