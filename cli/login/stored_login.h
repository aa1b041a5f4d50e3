#ifndef BERTH_CLI_LOGIN_STORED_LOGIN_H_
#define BERTH_CLI_LOGIN_STORED_LOGIN_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/config/contexts.h"
#include "cli/invocation/environment.h"

namespace berth::cli {

// What a login has brought.
struct NewLogin {
  std::string broker;
  std::string ca_pem;
  std::string certificate_pem;
  std::string key_pem;
};

// FailedPrecondition: there is a context `name` that no login has made, which
// none may replace. InvalidArgument: no name for one.
absl::Status CheckLoginName(const Environment& environment,
                            const std::string& name);

// Stores it below logins/ in the configuration's directory, and makes `name`
// its context, the current one. Whoever reads meanwhile sees the old login or
// the new one; the old one's key is deleted.
absl::Status StoreLogin(const Environment& environment, const std::string& name,
                        const NewLogin& login);

// The context `name` (empty: BERTH_CONTEXT's, else the current one), which a
// login must have made. NotFound; FailedPrecondition.
struct StoredLogin {
  std::string name;
  Context context;
};
absl::StatusOr<StoredLogin> FindLogin(const Environment& environment,
                                      std::string name);

// Removes the context, and its key and certificate.
absl::Status ForgetLogin(const Environment& environment,
                         const StoredLogin& login);

}  // namespace berth::cli

#endif  // BERTH_CLI_LOGIN_STORED_LOGIN_H_
