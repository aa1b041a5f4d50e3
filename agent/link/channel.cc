#include "agent/link/channel.h"

#include "base/tls/credentials.h"

namespace berth::agent {
namespace {

// What gRPC may keep in buffers for all calls together.
constexpr size_t kMemoryBytes = 64 << 20;

}  // namespace

std::shared_ptr<grpc::Channel> DialBroker(const AgentState& state) {
  grpc::ChannelArguments arguments;
  SetChannelDefaults(&arguments);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  grpc::ResourceQuota quota("berth-agent");
  quota.Resize(kMemoryBytes);
  arguments.SetResourceQuota(quota);
  const std::string key = state.certificate_pem.empty() ? "" : state.key_pem;
  return grpc::CreateCustomChannel(
      state.broker,
      MakeChannelCredentials(state.ca_pem, state.certificate_pem, key),
      arguments);
}

}  // namespace berth::agent
