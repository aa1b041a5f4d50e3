#include "broker/access/grants.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace berth::broker {

Grants::Id Grants::Add(Grant grant) {
  MutexLock lock(mu_);
  grants_.emplace(++last_, std::move(grant));
  return last_;
}

void Grants::Remove(Id id) {
  MutexLock lock(mu_);
  grants_.erase(id);
}

void Grants::Recheck(
    const std::function<Viewer(const std::string&)>& viewer_for) {
  std::vector<std::pair<Id, Grant>> all;
  {
    MutexLock lock(mu_);
    all.assign(grants_.begin(), grants_.end());
  }
  for (auto& [id, grant] : all) {
    Viewer viewer = viewer_for(grant.user);
    for (const Verb verb : grant.verbs) {
      if (viewer.May(*grant.session, verb)) continue;
      grant.end(absl::PermissionDeniedError(absl::StrCat(
          "a new policy, or the end of an approval, takes the "
          "right '",
          VerbName(verb), "' on '", grant.session->computer(), "' from user '",
          grant.user, "'; ask an administrator")));
      Remove(id);
      break;
    }
  }
}

}  // namespace berth::broker
