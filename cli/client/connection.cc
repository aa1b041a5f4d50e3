#include "cli/client/connection.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/status_macros.h"
#include "base/tls/credentials.h"
#include "base/tls/expiry.h"

namespace berth::cli {
namespace {

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  SetChannelDefaults(&arguments);
  // Brokers are reached directly: a proxy meant for the web is not for them.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // People wait for it: try again soon, as the whole fleet does not.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  // How long an attempt may take: three round trips, on a busy machine, too.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5000);
  // A name is looked up again before each attempt, but not within 30 s unless
  // this is said.
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 200);
  // Each connection stands for a context: no sharing behind our back.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return arguments;
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> Dial(const Context& context) {
  BERTH_ASSIGN_OR_RETURN(const std::string ca, ReadFile(context.ca));
  BERTH_ASSIGN_OR_RETURN(const std::string certificate,
                         ReadFile(context.certificate));
  BERTH_RETURN_IF_ERROR(CheckNotExpired(
      context.certificate, certificate, absl::Now(),
      "ask an administrator for a new one: berth admin user add NAME"));
  BERTH_ASSIGN_OR_RETURN(const std::string key, ReadSecretFile(context.key));
  return Connection::MakeChannel(context.broker, ca, certificate, key);
}

}  // namespace

std::shared_ptr<grpc::Channel> Connection::MakeChannel(
    const std::string& broker, const std::string& ca,
    const std::string& certificate, const std::string& key) {
  return grpc::CreateCustomChannel(
      broker, MakeChannelCredentials(ca, certificate, key), Arguments());
}

absl::StatusOr<std::shared_ptr<Connection>> Connection::Make(
    const Context& context, v1::Client client) {
  BERTH_ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> channel, Dial(context));
  return std::make_shared<Connection>(std::move(channel), context.broker,
                                      std::move(client));
}

Connection::Dialled::Dialled(std::shared_ptr<grpc::Channel> dialled)
    : channel(std::move(dialled)),
      sessions(v1::Sessions::NewStub(channel)),
      computers(v1::Computers::NewStub(channel)),
      admin(v1::Admin::NewStub(channel)),
      users(v1::Users::NewStub(channel)),
      approvals(v1::Approvals::NewStub(channel)) {}

// The methods are registered with no channel, so that they go with all.
Connection::Connection(std::shared_ptr<grpc::Channel> channel,
                       std::string broker, v1::Client client)
    : broker_(std::move(broker)),
      client_(std::move(client)),
      run_("/berth.v1.Sessions/Run", nullptr,
           grpc::internal::RpcMethod::BIDI_STREAMING),
      receive_("/berth.v1.Sessions/Receive", nullptr,
               grpc::internal::RpcMethod::BIDI_STREAMING) {
  dialled_.push_back(std::make_unique<Dialled>(std::move(channel)));
}

absl::Status Connection::Redial(const Context& context) {
  BERTH_ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> channel, Dial(context));
  Redial(std::move(channel));
  return absl::OkStatus();
}

void Connection::Redial(std::shared_ptr<grpc::Channel> channel) {
  auto dialled = std::make_unique<Dialled>(std::move(channel));
  MutexLock lock(mu_);
  dialled_.push_back(std::move(dialled));
}

}  // namespace berth::cli
