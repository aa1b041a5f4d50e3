#ifndef BERTH_BASE_END_REASON_H_
#define BERTH_BASE_END_REASON_H_

#include "absl/strings/string_view.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth {

// Why a session ended, in words for messages: "idle timeout".
absl::string_view EndReasonText(v1::EndReason reason);

}  // namespace berth

#endif  // BERTH_BASE_END_REASON_H_
