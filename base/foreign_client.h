#ifndef BERTH_BASE_FOREIGN_CLIENT_H_
#define BERTH_BASE_FOREIGN_CLIENT_H_

#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace berth {

// In a session of somebody else, a user's client goes by another id and name
// than in their own: both begin with the user's name, as the certificate says
// it. So nobody who says another's client id is taken for that client.

// "bob/4c2d...".
std::string ForeignClientId(absl::string_view user, absl::string_view id);
// "bob (bob@laptop)".
std::string ForeignClientName(absl::string_view user, absl::string_view name);

// The user and the client id of who holds a session of `owner` as `holder_id`.
std::pair<std::string, std::string> UserAndClient(absl::string_view owner,
                                                  absl::string_view holder_id);

}  // namespace berth

#endif  // BERTH_BASE_FOREIGN_CLIENT_H_
