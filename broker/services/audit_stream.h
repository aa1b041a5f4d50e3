#ifndef BERTH_BROKER_SERVICES_AUDIT_STREAM_H_
#define BERTH_BROKER_SERVICES_AUDIT_STREAM_H_

#include <grpcpp/grpcpp.h>

#include <memory>

#include "absl/status/status.h"
#include "base/cond_var.h"
#include "base/grpc_status.h"
#include "base/mutex.h"

namespace berth::broker {

// Writes pages from a thread that may wait, one after another. That thread
// calls everything but the reactions, and ends with End(), after which the
// stream deletes itself.
template <typename Response>
class AuditStream final : public grpc::ServerWriteReactor<Response> {
 public:
  // How many records a page has at the most.
  static constexpr int kPage = 100;

  // False: the caller has gone, or can't be written to.
  bool Write(const Response& page) {
    {
      MutexLock lock(state_->mu);
      if (state_->over) return false;
      state_->writing = true;
    }
    this->StartWrite(&page);
    MutexLock lock(state_->mu);
    while (state_->writing) state_->changed.Wait(state_->mu);
    return !state_->over;
  }
  bool over() const {
    MutexLock lock(state_->mu);
    return state_->over;
  }
  void End(const absl::Status& status) { this->Finish(ToGrpcStatus(status)); }

  void OnWriteDone(bool ok) override {
    MutexLock lock(state_->mu);
    state_->writing = false;
    if (!ok) state_->over = true;
    state_->changed.NotifyAll();
  }
  void OnCancel() override {
    MutexLock lock(state_->mu);
    state_->over = true;
    state_->changed.NotifyAll();
  }
  void OnDone() override { delete this; }

 private:
  // A write that can't go on ends when the call is cancelled: OnWriteDone()
  // always comes.
  struct State {
    Mutex mu;
    CondVar changed;
    bool writing ABSL_GUARDED_BY(mu) = false;
    bool over ABSL_GUARDED_BY(mu) = false;
  };
  const std::unique_ptr<State> state_ = std::make_unique<State>();
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_AUDIT_STREAM_H_
