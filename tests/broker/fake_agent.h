#ifndef BERTH_TESTS_BROKER_FAKE_AGENT_H_
#define BERTH_TESTS_BROKER_FAKE_AGENT_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "base/cond_var.h"
#include "base/mutex.h"
#include "proto/berth/link/v1/link.grpc.pb.h"

namespace berth::testing {

// FakeAgent speaks the agent's side of the link with a real broker. Sessions
// are records in memory; calls go to a handler, or are echoed frame by frame.
// Thread-safe.
class FakeAgent {
 public:
  using CallStream =
      grpc::ClientReaderWriter<link::v1::CallFrame, link::v1::CallFrame>;
  // Runs on a thread of its own for each call.
  using CallHandler =
      std::function<void(FakeAgent&, const link::v1::OpenCall&)>;

  // Dials, and says hello with `sessions`. WaitForWelcome() tells when that
  // was heard.
  FakeAgent(std::shared_ptr<grpc::Channel> channel,
            std::vector<v1::Session> sessions = {},
            CallHandler handler = nullptr);
  ~FakeAgent();  // Cancels the link.

  bool WaitForWelcome();
  // Breaks the link as a crash would.
  void Break() { context_.TryCancel(); }
  // Waits for the end of Control, and returns its status.
  grpc::Status WaitForEnd();
  const grpc::ClientContext& context() const { return context_; }

  void Send(const link::v1::AgentMessage& message);
  // Makes a session, or another one of it, and reports it.
  void AddSession(const v1::Session& session) ABSL_LOCKS_EXCLUDED(mu_);
  void EndCall(uint64_t call_id, const grpc::Status& status,
               std::optional<uint64_t> frames);
  // Opens the Call stream of a call.
  std::unique_ptr<CallStream> OpenStream(grpc::ClientContext* context,
                                         uint64_t call_id);

  std::vector<v1::Session> sessions() const;
  // Waits until `count` calls were cancelled before their stream was opened.
  bool WaitForCancelled(size_t count);
  // Waits until the handlers of all calls so far have returned.
  void JoinCalls() ABSL_LOCKS_EXCLUDED(mu_);
  // If set, requests are not answered.
  void set_silent() ABSL_LOCKS_EXCLUDED(mu_);

  // Sends every frame back, the first message first, until the client has
  // half-closed.
  static void Echo(FakeAgent& agent, const link::v1::OpenCall& open);

 private:
  void ReadControl();
  void OnRequest(const link::v1::Request& request);

  std::unique_ptr<link::v1::Link::Stub> stub_;
  const CallHandler handler_;
  grpc::ClientContext context_;
  std::unique_ptr<
      grpc::ClientReaderWriter<link::v1::AgentMessage, link::v1::BrokerMessage>>
      control_;
  Mutex write_mu_;
  mutable Mutex mu_;
  CondVar changed_;
  std::map<std::string, v1::Session> sessions_ ABSL_GUARDED_BY(mu_);
  bool welcome_ ABSL_GUARDED_BY(mu_) = false;
  bool silent_ ABSL_GUARDED_BY(mu_) = false;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  size_t cancelled_ ABSL_GUARDED_BY(mu_) = 0;
  grpc::Status status_ ABSL_GUARDED_BY(mu_);
  std::vector<std::thread> calls_ ABSL_GUARDED_BY(mu_);
  std::thread reader_;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_BROKER_FAKE_AGENT_H_
