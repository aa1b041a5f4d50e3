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

// For messages to the one who asks as client `asker_id`: what names a session
// of `owner` in their commands: "3", or to others than the owner "alice/3".
std::string SessionFor(absl::string_view owner, absl::string_view session,
                       absl::string_view asker_id);
// And who a client of that id and name is: "alice@laptop", or with whose it is
// if the name does not begin with that: "alice (spare)". Not escaped.
std::string DescribeClient(absl::string_view owner, absl::string_view id,
                           absl::string_view name);

}  // namespace berth

#endif  // BERTH_BASE_FOREIGN_CLIENT_H_
