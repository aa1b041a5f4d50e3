#ifndef BERTH_TESTS_AGENT_FAKE_BROKER_H_
#define BERTH_TESTS_AGENT_FAKE_BROKER_H_

#include <grpcpp/grpcpp.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "base/cond_var.h"
#include "base/mutex.h"
#include "base/tls/certificates.h"
#include "proto/berth/link/v1/link.grpc.pb.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::agent {

// The broker's end of the link as a test drives it: says what the test says,
// keeps what the agent says. Thread-safe. Every wait ends after 20 s.
class FakeBroker final : public link::v1::Link::Service {
 public:
  // One call, with the test as the client.
  class ClientCall {
   public:
    ClientCall(FakeBroker& broker, uint64_t id) : broker_(broker), id_(id) {}

    // The next event. Not set: the agent has sent its last.
    std::optional<v1::CommandEvent> Next();
    // The same, of any call. Not set: the agent has sent its last.
    std::optional<std::string> NextFrame();
    // All events up to `ended`, with the output put together.
    struct Result {
      std::string out;
      std::string err;
      std::optional<v1::CommandEnded> ended;
    };
    Result Finish();
    void Send(const google::protobuf::MessageLite& request);
    void HalfClose();
    // The end that the agent reported on Control.
    link::v1::CallEnded WaitEnded();
    // The client goes away: the stream ends with CANCELLED.
    void Cancel();
    // The call is over, and takes no memory any more.
    void Forget();

   private:
    FakeBroker& broker_;
    const uint64_t id_;
  };

  FakeBroker();
  ~FakeBroker() override;

  // Writes what `berth-agent join` would have.
  void WriteAgentState(const std::string& directory, const std::string& name);

  // The next hello: an agent is linked.
  link::v1::Hello WaitHello();
  link::v1::Reply Ask(link::v1::Request request);
  // The same, without waiting for the answer. Returns the request's id.
  uint64_t Tell(link::v1::Request request);
  ClientCall Open(link::v1::OpenCall::Method method, const std::string& user,
                  const std::string& instance_id,
                  const google::protobuf::MessageLite& first);
  // The same, on a session of `owner`.
  ClientCall OpenAsGuest(link::v1::OpenCall::Method method,
                         const std::string& user, const std::string& owner,
                         bool read_only, const std::string& instance_id,
                         const google::protobuf::MessageLite& first);
  // Waits for a report on Control for which `want` holds.
  // Whatever was reported so far won't be waited for.
  void DropMessages();
  bool WaitMessage(
      const std::function<bool(const link::v1::AgentMessage&)>& want);

 private:
  using ControlStream =
      grpc::ServerReaderWriter<link::v1::BrokerMessage, link::v1::AgentMessage>;
  using CallStream =
      grpc::ServerReaderWriter<link::v1::CallFrame, link::v1::CallFrame>;
  struct CallState {
    CallStream* stream = nullptr;
    bool cancelled = false;
    grpc::ServerContext* context = nullptr;
    std::deque<std::string> frames;
    bool writes_done = false;
    std::optional<link::v1::CallEnded> ended;
  };

  grpc::Status Control(grpc::ServerContext* context,
                       ControlStream* stream) override;
  grpc::Status Call(grpc::ServerContext* context, CallStream* stream) override;
  void Write(const link::v1::BrokerMessage& message);
  ClientCall Open(link::v1::OpenCall open);
  bool WaitUntil(const std::function<bool()>& condition)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  std::optional<CertificateAuthority> authority_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;

  Mutex mu_;
  CondVar changed_;
  bool ending_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t last_id_ ABSL_GUARDED_BY(mu_) = 0;
  ControlStream* control_ ABSL_GUARDED_BY(mu_) = nullptr;
  std::deque<link::v1::Hello> hellos_ ABSL_GUARDED_BY(mu_);
  std::deque<link::v1::AgentMessage> messages_ ABSL_GUARDED_BY(mu_);
  std::map<uint64_t, link::v1::Reply> replies_ ABSL_GUARDED_BY(mu_);
  std::map<uint64_t, CallState> calls_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::agent

#endif  // BERTH_TESTS_AGENT_FAKE_BROKER_H_
