#ifndef BERTH_BROKER_GATEWAY_LOGINS_H_
#define BERTH_BROKER_GATEWAY_LOGINS_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/cond_var.h"
#include "base/mutex.h"
#include "cli/client/connection.h"
#include "proto/berth/v1/gateway.grpc.pb.h"

namespace berth::gateway {

// Who logs in, and with what.
struct Claim {
  std::string user;
  std::string fingerprint;  // Of their SSH key.
  std::string address;      // Of their SSH client.
};

// The gateway's certificate and key, and the CAs it trusts: PEM.
struct Credentials {
  std::string ca;
  std::string certificate;
  std::string key;
};

// Logins gets certificates for users from the broker, and keeps one connection
// for each user and key, with a certificate that is good for as long as
// somebody uses the connection. Thread-safe.
class Logins {
 public:
  // One that nobody uses is kept this long, for who comes again.
  static constexpr absl::Duration kKeep = absl::Minutes(5);

  // `name`: the gateway's, in its certificate. `public_broker`: what users'
  // own clients are told of where the broker is.
  Logins(std::string broker, std::string public_broker, std::string name,
         const Credentials& credentials);
  ~Logins();

  // Whether they may log in so. NotFound: no. Unavailable: the broker can't be
  // reached.
  absl::Status CheckKey(const Claim& claim);

  // The user's connection to the broker: they have proved to have the key.
  // Errors as CheckKey().
  absl::StatusOr<std::shared_ptr<cli::Connection>> LogIn(const Claim& claim)
      ABSL_LOCKS_EXCLUDED(mu_);

  // What the user's own client needs to go on without this gateway: they have
  // proved to have the key, and `csr_pem` is of their client's. Errors as
  // CheckKey(); InvalidArgument: a bad CSR.
  absl::StatusOr<v1::ClientLogin> Certify(const Claim& claim,
                                          const std::string& csr_pem);

 private:
  struct Login {
    Claim claim;  // The latest.
    std::string serial;
    absl::Time expires_at = absl::InfinitePast();
    absl::Time used_at = absl::InfinitePast();
    std::shared_ptr<cli::Connection> connection;
  };

  // Asks the broker, and takes a new certificate if it gives one.
  absl::StatusOr<std::shared_ptr<cli::Connection>> Ask(const Claim& claim)
      ABSL_LOCKS_EXCLUDED(mu_);
  std::shared_ptr<cli::Connection> Take(const Claim& claim,
                                        const std::string& serial,
                                        absl::Time expires_at,
                                        std::shared_ptr<grpc::Channel> channel)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Renew() ABSL_LOCKS_EXCLUDED(mu_);
  // Those whose certificates end soon; forgets those that nobody uses.
  std::vector<Claim> Due() ABSL_LOCKS_EXCLUDED(mu_);
  v1::Client ClientOf(const std::string& user) const;

  const std::string broker_;
  const std::string public_broker_;
  const std::string name_;
  const std::unique_ptr<v1::Gateway::Stub> stub_;
  Mutex mu_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  // By user and fingerprint.
  std::map<std::pair<std::string, std::string>, Login> logins_
      ABSL_GUARDED_BY(mu_);
  std::thread renewal_;
};

}  // namespace berth::gateway

#endif  // BERTH_BROKER_GATEWAY_LOGINS_H_
