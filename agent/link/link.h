#ifndef BERTH_AGENT_LINK_LINK_H_
#define BERTH_AGENT_LINK_LINK_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/link/agent_state.h"
#include "agent/link/backoff.h"
#include "agent/link/call.h"
#include "agent/link/control_writer.h"
#include "agent/sessions/session_service.h"
#include "agent/sessions/worker_pool.h"
#include "base/cond_var.h"
#include "base/mutex.h"
#include "proto/berth/link/v1/link.grpc.pb.h"

namespace berth::agent {

// Link keeps the agent linked to its broker: dials, says hello, and sees to
// what comes on Control, for ever again. One thread reads Control; requests
// and calls run on the pool's threads, so that reading never waits.
class Link {
 public:
  // Open calls that one agent has at a time.
  static constexpr size_t kMaxCalls = 512;

  // All outlive this. `state` is in `directory`, where a renewed certificate
  // goes, too.
  Link(std::string directory, AgentState state, ControlWriter& writer,
       SessionService& sessions, WorkerPool& workers);
  ~Link();

  // Called with the channel of each link that comes up. Before Start().
  void OnChannel(
      std::function<void(std::shared_ptr<grpc::Channel>)> on_channel) {
    on_channel_ = std::move(on_channel);
  }

  void Start() ABSL_LOCKS_EXCLUDED(mu_);

  // Lets calls end by themselves for `grace`, then cuts the link.
  void Stop(absl::Duration grace) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run();
  // One link, from dialling to its end. True: the broker had welcomed us.
  bool RunOnce(absl::Duration& pushback) ABSL_LOCKS_EXCLUDED(mu_);
  link::v1::AgentMessage MakeHello() const;
  void OnMessage(const link::v1::BrokerMessage& message);
  void OnOpenCall(const link::v1::OpenCall& open) ABSL_LOCKS_EXCLUDED(mu_);
  void OnCancelCall(uint64_t call_id) ABSL_LOCKS_EXCLUDED(mu_);
  void OnRequest(const link::v1::Request& request);
  void Answer(uint64_t link, const link::v1::Request& request);
  // If the certificate has expired: takes the one of a new `join`, or logs it.
  void TakeNewCertificate() ABSL_LOCKS_EXCLUDED(mu_);
  // Which CAs the broker trusts: whom its next certificate may be of.
  void TakeTrust(const std::string& ca_pem) ABSL_LOCKS_EXCLUDED(mu_);
  // Renews the certificate if it is time, and looks again later.
  void CheckRenewal() ABSL_LOCKS_EXCLUDED(mu_);
  void RenewIfDue() ABSL_LOCKS_EXCLUDED(mu_);
  void RenewNow(std::shared_ptr<grpc::Channel> channel, AgentState state)
      ABSL_LOCKS_EXCLUDED(mu_);
  // False: the link is to stop.
  bool Sleep(absl::Duration time) ABSL_LOCKS_EXCLUDED(mu_);

  const std::string directory_;
  ControlWriter& writer_;
  SessionService& sessions_;
  WorkerPool& workers_;
  std::function<void(std::shared_ptr<grpc::Channel>)> on_channel_;
  absl::BitGen random_;
  Backoff backoff_;
  std::thread thread_;
  uint64_t link_ = 0;  // See ControlWriter; the thread's.

  Mutex mu_;
  CondVar changed_;
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  AgentState state_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<grpc::Channel> channel_ ABSL_GUARDED_BY(mu_);
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mu_) = nullptr;
  absl::flat_hash_map<uint64_t, std::shared_ptr<Call>> calls_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_LINK_H_
