#include "base/foreign_client.h"

#include "absl/strings/str_cat.h"

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

}  // namespace berth
