#include "agent/link/channel.h"

#include "base/tls/credentials.h"

namespace berth::agent {
namespace {

// What gRPC may keep in buffers for all calls together. Over it, calls are
// cancelled at random, and Control with them.
constexpr size_t kMemoryBytes = 256 << 20;
// What a client may send ahead on one call, such as to a disk that is slow.
// gRPC would choose it by the speed of the network alone, and fill its memory.
constexpr int kAheadBytes = 8 << 20;
constexpr int kFrameBytes = 256 << 10;
// Less often than clients: the pings of thousands of idle agents are what an
// idle broker works for. What is sent and not acknowledged for 10 s ends a
// link anyway.
constexpr int kPingMilliseconds = 40000;

}  // namespace

std::shared_ptr<grpc::Channel> DialBroker(const AgentState& state) {
  grpc::ChannelArguments arguments;
  SetChannelDefaults(&arguments);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kPingMilliseconds);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kAheadBytes);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, kFrameBytes);
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
