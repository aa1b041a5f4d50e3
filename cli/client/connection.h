#ifndef BERTH_CLI_CLIENT_CONNECTION_H_
#define BERTH_CLI_CLIENT_CONNECTION_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "cli/config/contexts.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/impl/rpc_method.h"
#include "proto/berth/v1/admin.grpc.pb.h"
#include "proto/berth/v1/computers.grpc.pb.h"
#include "proto/berth/v1/sessions.grpc.pb.h"

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

  grpc::Channel& channel() { return *channel_; }
  const std::string& broker() const { return broker_; }
  const v1::Client& client() const { return client_; }

  v1::Sessions::Stub& sessions() { return *sessions_; }
  v1::Computers::Stub& computers() { return *computers_; }
  v1::Admin::Stub& admin() { return *admin_; }

  // Registered with the channel, for streams of raw messages.
  const grpc::internal::RpcMethod& run_method() const { return run_; }
  const grpc::internal::RpcMethod& receive_method() const { return receive_; }

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  const std::string broker_;
  const v1::Client client_;
  const std::unique_ptr<v1::Sessions::Stub> sessions_;
  const std::unique_ptr<v1::Computers::Stub> computers_;
  const std::unique_ptr<v1::Admin::Stub> admin_;
  const grpc::internal::RpcMethod run_;
  const grpc::internal::RpcMethod receive_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_CLIENT_CONNECTION_H_
