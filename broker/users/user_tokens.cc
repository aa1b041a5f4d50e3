#include "broker/users/user_tokens.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "base/status_macros.h"

namespace berth::broker {
namespace {

constexpr absl::string_view kGetAnother =
    "; an administrator makes another with 'berth admin token create --user'";

std::string Format(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", FromProto(time),
                          absl::UTCTimeZone());
}

absl::Status Check(const v1::CreateUserTokenRequest& request,
                   absl::Duration lifetime) {
  if (lifetime < absl::Seconds(1) || lifetime > UserTokens::kMaxLifetime) {
    return absl::InvalidArgumentError(absl::StrCat(
        "bad lifetime ", absl::FormatDuration(lifetime), ": from 1s to ",
        absl::FormatDuration(UserTokens::kMaxLifetime)));
  }
  if (request.max_uses() > UserTokens::kMaxUses) {
    return absl::InvalidArgumentError(
        absl::StrCat("bad number of uses ", request.max_uses(), ": at most ",
                     UserTokens::kMaxUses, ", or 0 for any number"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status UserTokens::Load(const std::string& key,
                              const std::string& bytes) {
  MutexLock lock(mu_);
  if (tokens_[key].ParseFromString(bytes)) return absl::OkStatus();
  return absl::DataLossError("the record of a user's token can't be read");
}

void UserTokens::ForgetLocked(absl::Time now) {
  for (auto it = tokens_.begin(); it != tokens_.end();) {
    const auto here = it++;
    if (FromProto(here->second.expires_at()) + kMemory >= now) continue;
    keep_(here->first, "");
    tokens_.erase(here);
  }
}

absl::StatusOr<v1::UserToken> UserTokens::Add(
    absl::string_view digest, const v1::CreateUserTokenRequest& request,
    const std::string& admin, absl::Time now) {
  const absl::Duration lifetime =
      request.has_lifetime() ? FromProto(request.lifetime()) : kDefaultLifetime;
  BERTH_RETURN_IF_ERROR(Check(request, lifetime));
  const std::string key = absl::BytesToHexString(digest);
  v1::UserToken token;
  token.set_id(absl::StrCat("u-", key.substr(0, 12)));
  token.set_user(request.user());
  token.set_created_by(admin);
  *token.mutable_created_at() = ToProto(now);
  *token.mutable_expires_at() = ToProto(now + lifetime);
  token.set_max_uses(request.max_uses());
  MutexLock lock(mu_);
  ForgetLocked(now);
  const auto had =
      std::count_if(tokens_.begin(), tokens_.end(), [&](const auto& entry) {
        return entry.second.user() == request.user() &&
               FromProto(entry.second.expires_at()) > now;
      });
  if (had >= kMaxTokens) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "user '", request.user(), "' has ", had, " of ", kMaxTokens,
        " tokens; remove some with 'berth admin token rm'"));
  }
  keep_(key, token.SerializeAsString());
  return tokens_[key] = std::move(token);
}

std::vector<v1::UserToken> UserTokens::List() const {
  std::vector<v1::UserToken> tokens;
  {
    MutexLock lock(mu_);
    for (const auto& [key, token] : tokens_) tokens.push_back(token);
  }
  std::sort(tokens.begin(), tokens.end(), [](const auto& a, const auto& b) {
    const auto key = [](const v1::UserToken& t) {
      return std::make_tuple(t.user(), t.expires_at().seconds(), t.id());
    };
    return key(a) < key(b);
  });
  return tokens;
}

absl::Status UserTokens::Remove(const std::string& id) {
  MutexLock lock(mu_);
  for (auto it = tokens_.begin(); it != tokens_.end(); ++it) {
    if (it->second.id() != id) continue;
    keep_(it->first, "");
    tokens_.erase(it);
    return absl::OkStatus();
  }
  return absl::NotFoundError(absl::StrCat("no token '",
                                          EscapeForTerminal(id.substr(0, 64)),
                                          "'; see 'berth admin token ls'"));
}

void UserTokens::RemoveOf(const std::string& user) {
  MutexLock lock(mu_);
  for (auto it = tokens_.begin(); it != tokens_.end();) {
    const auto here = it++;
    if (here->second.user() != user) continue;
    keep_(here->first, "");
    tokens_.erase(here);
  }
}

absl::StatusOr<const v1::UserToken*> UserTokens::FindGoodLocked(
    const std::string& key, absl::Time now) const {
  const auto it = tokens_.find(key);
  if (it == tokens_.end()) {
    return absl::PermissionDeniedError(
        absl::StrCat("this token is not known to this broker", kGetAnother));
  }
  const v1::UserToken& token = it->second;
  if (token.max_uses() > 0 && token.uses() >= token.max_uses()) {
    return absl::PermissionDeniedError(
        absl::StrCat("token ", token.id(), " was used ", token.uses(), " of ",
                     token.max_uses(), " times, last from ", token.used_from(),
                     " at ", Format(token.used_at()), kGetAnother));
  }
  if (now >= FromProto(token.expires_at())) {
    return absl::PermissionDeniedError(
        absl::StrCat("token ", token.id(), " expired at ",
                     Format(token.expires_at()), kGetAnother));
  }
  return &token;
}

absl::StatusOr<std::string> UserTokens::UserOf(absl::string_view digest,
                                               absl::Time now) const {
  MutexLock lock(mu_);
  BERTH_ASSIGN_OR_RETURN(const v1::UserToken* token,
                         FindGoodLocked(absl::BytesToHexString(digest), now));
  return token->user();
}

absl::Status UserTokens::Use(absl::string_view digest, const std::string& from,
                             absl::Time now) {
  const std::string key = absl::BytesToHexString(digest);
  MutexLock lock(mu_);
  BERTH_RETURN_IF_ERROR(FindGoodLocked(key, now).status());
  v1::UserToken& token = tokens_[key];
  token.set_uses(token.uses() + 1);
  token.set_used_from(from);
  *token.mutable_used_at() = ToProto(now);
  keep_(key, token.SerializeAsString());
  return absl::OkStatus();
}

}  // namespace berth::broker
