#ifndef BERTH_CLI_KEEPER_RENEWAL_H_
#define BERTH_CLI_KEEPER_RENEWAL_H_

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/cond_var.h"
#include "base/mutex.h"
#include "cli/client/connection.h"
#include "cli/config/contexts.h"
#include "grpcpp/grpcpp.h"

namespace berth::cli {

// When a certificate is to be renewed: when a third of its life is left.
// InvalidArgument if it can't be read.
absl::StatusOr<absl::Time> RenewalTime(const std::string& certificate_pem);

// Keeps the files of one context fresh while its connection is in use: renews
// the user's certificate in time, for the key that they have, and takes over
// the CAs that the broker trusts. On a thread of its own. A broker of before
// there was renewal changes nothing.
class Renewal {
 public:
  // How often it looks at what the broker trusts, and, after a failure, tries
  // again.
  static constexpr absl::Duration kLook = absl::Hours(1);
  static constexpr absl::Duration kRetry = absl::Minutes(1);

  // `renewed` is called, on its thread, when files were written and the
  // connection uses them.
  Renewal(std::shared_ptr<Connection> connection, Context context,
          std::function<void()> renewed);
  // Stops, and waits for what is being written.
  ~Renewal();

 private:
  void Loop() ABSL_LOCKS_EXCLUDED(mu_);
  // Does what is due. Returns when to look again.
  absl::Duration Look() ABSL_LOCKS_EXCLUDED(mu_);
  // Whether the file was changed.
  absl::StatusOr<bool> TakeTrust() ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<bool> RenewIfDue() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Renew() ABSL_LOCKS_EXCLUDED(mu_);
  // Calls with a deadline, and until this is stopped.
  template <typename Request, typename Response>
  absl::Status Ask(grpc::Status (v1::Users::Stub::*method)(grpc::ClientContext*,
                                                           const Request&,
                                                           Response*),
                   const Request& request, Response& response)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Log(const absl::Status& status);

  const std::shared_ptr<Connection> connection_;
  const Context context_;
  const std::function<void()> renewed_;
  std::string last_error_;  // Of the thread alone.

  Mutex mu_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  grpc::ClientContext* asking_ ABSL_GUARDED_BY(mu_) = nullptr;
  std::thread thread_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_KEEPER_RENEWAL_H_
