#ifndef BERTH_CLI_CLIENT_CONNECTION_H_
#define BERTH_CLI_CLIENT_CONNECTION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "cli/config/contexts.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/impl/rpc_method.h"
#include "proto/berth/v1/admin.grpc.pb.h"
#include "proto/berth/v1/approvals.grpc.pb.h"
#include "proto/berth/v1/computers.grpc.pb.h"
#include "proto/berth/v1/sessions.grpc.pb.h"
#include "proto/berth/v1/users.grpc.pb.h"

namespace berth::cli {

// A TLS connection to one broker, as one user's client. Thread-safe.
class Connection {
 public:
  // Reads the context's files; dials when it is first used. Errors name the
  // file that can't be read.
  static absl::StatusOr<std::shared_ptr<Connection>> Make(
      const Context& context, v1::Client client);

  Connection(std::shared_ptr<grpc::Channel> channel, std::string broker,
             v1::Client client);

  // A channel to a broker as clients make it, dialled when it is first used.
  // The rest is PEM.
  static std::shared_ptr<grpc::Channel> MakeChannel(
      const std::string& broker, const std::string& ca,
      const std::string& certificate, const std::string& key);

  // From now on calls go over another connection, with what the context's files
  // hold now. Those that are open stay where they are.
  absl::Status Redial(const Context& context) ABSL_LOCKS_EXCLUDED(mu_);
  void Redial(std::shared_ptr<grpc::Channel> channel) ABSL_LOCKS_EXCLUDED(mu_);
  // How often it was dialled: a stream that was ended since its certificate had
  // may go on over a later one.
  size_t generation() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    return dialled_.size();
  }

  // Each is good for as long as this is, whatever is dialled meanwhile.
  grpc::Channel& channel() { return *dialled().channel; }
  v1::Sessions::Stub& sessions() { return *dialled().sessions; }
  v1::Computers::Stub& computers() { return *dialled().computers; }
  v1::Admin::Stub& admin() { return *dialled().admin; }
  v1::Users::Stub& users() { return *dialled().users; }
  v1::Approvals::Stub& approvals() { return *dialled().approvals; }

  const std::string& broker() const { return broker_; }
  const v1::Client& client() const { return client_; }

  // For streams of raw messages, on any of its channels.
  const grpc::internal::RpcMethod& run_method() const { return run_; }
  const grpc::internal::RpcMethod& receive_method() const { return receive_; }

 private:
  struct Dialled {
    explicit Dialled(std::shared_ptr<grpc::Channel> dialled);

    const std::shared_ptr<grpc::Channel> channel;
    const std::unique_ptr<v1::Sessions::Stub> sessions;
    const std::unique_ptr<v1::Computers::Stub> computers;
    const std::unique_ptr<v1::Admin::Stub> admin;
    const std::unique_ptr<v1::Users::Stub> users;
    const std::unique_ptr<v1::Approvals::Stub> approvals;
  };

  Dialled& dialled() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    return *dialled_.back();
  }

  const std::string broker_;
  const v1::Client client_;
  const grpc::internal::RpcMethod run_;
  const grpc::internal::RpcMethod receive_;
  Mutex mu_;
  // The last one is used. One more for each renewal of the certificate, a few a
  // day; gRPC hangs up those that are not used.
  std::vector<std::unique_ptr<Dialled>> dialled_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::cli

#endif  // BERTH_CLI_CLIENT_CONNECTION_H_
