#include "base/foreign_client.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace berth {

std::string ForeignClientId(absl::string_view user, absl::string_view id) {
  return absl::StrCat(user, "/", id);
}

std::string ForeignClientName(absl::string_view user, absl::string_view name) {
  if (name.empty()) return std::string(user);
  return absl::StrCat(user, " (", name, ")");
}

std::pair<std::string, std::string> UserAndClient(absl::string_view owner,
                                                  absl::string_view holder_id) {
  const size_t slash = holder_id.find('/');
  if (slash == holder_id.npos) {
    return {std::string(owner), std::string(holder_id)};
  }
  return {std::string(holder_id.substr(0, slash)),
          std::string(holder_id.substr(slash + 1))};
}

std::string SessionFor(absl::string_view owner, absl::string_view session,
                       absl::string_view asker_id) {
  return UserAndClient(owner, asker_id).first == owner
             ? std::string(session)
             : absl::StrCat(owner, "/", session);
}

std::string DescribeClient(absl::string_view owner, absl::string_view id,
                           absl::string_view name) {
  const std::string user = UserAndClient(owner, id).first;
  if (user.empty()) return name.empty() ? "another client" : std::string(name);
  if (name.empty()) return absl::StrCat("another client of ", user);
  absl::string_view rest = name;
  const bool says_so = absl::ConsumePrefix(&rest, user) &&
                       (rest.empty() || rest[0] == '@' || rest[0] == ' ');
  return says_so ? std::string(name) : ForeignClientName(user, name);
}

}  // namespace berth
