#ifndef BERTH_BROKER_SERVICES_SESSION_REQUESTS_H_
#define BERTH_BROKER_SERVICES_SESSION_REQUESTS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::broker {

// Checks of what clients send, before anything is done. All return
// InvalidArgument, naming the field and the limit.

// Unless `required`, a client without an id passes.
absl::Status CheckClient(const v1::Client& client, bool required);
// At least 60 s; agents know the maximum.
absl::Status CheckIdleTimeout(const google::protobuf::Duration& timeout);
absl::Status CheckCreate(const v1::CreateSessionRequest& request);

// "session 3 ('web') on 'web01'", for messages.
std::string Describe(const v1::Session& session);
// FailedPrecondition if it has ended, saying how.
absl::Status CheckLives(const v1::Session& session);

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_SESSION_REQUESTS_H_
