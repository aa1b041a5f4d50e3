#include "broker/relay/splice.h"

#include <utility>

namespace berth::broker {

void Splice::Start() {
  MutexLock lock(mu_);
  started_ = true;
  PumpLocked();
}

bool Splice::Join(Leg* agent) {
  MutexLock lock(mu_);
  if (joined_ || failure_.has_value() || gone_[kClient] ||
      legs_[kClient] == nullptr) {
    return false;
  }
  joined_ = true;
  legs_[kAgent] = agent;
  PumpLocked();
  return true;
}

void Splice::ReadDone(Side side, bool ok, size_t bytes) {
  MutexLock lock(mu_);
  Flow& flow = flows_[side];
  flow.reading = false;
  if (!ok) {
    flow.ended = true;
  } else if (bytes > 0 || side == kAgent) {
    // Empty requests mean nothing; passed on, they would mean half-close.
    flow.sizes[(flow.first + flow.count) % kSlots] = bytes;
    flow.count++;
    flow.total++;
    flow.bytes += bytes;
  }
  PumpLocked();
}

void Splice::WriteDone(Side side, bool ok) {
  MutexLock lock(mu_);
  Flow& flow = flows_[1 - side];
  flow.writing = false;
  if (flow.count > 0) {  // Else it was the half-close.
    flow.bytes -= flow.sizes[flow.first];
    flow.first = (flow.first + 1) % kSlots;
    flow.count--;
  }
  if (!ok) gone_[side] = true;
  PumpLocked();
}

void Splice::Cancelled(Side side) {
  MutexLock lock(mu_);
  gone_[side] = true;
  PumpLocked();
}

void Splice::SetVerdict(const absl::Status& status,
                        std::optional<uint64_t> responses) {
  MutexLock lock(mu_);
  // One that comes after a failure is of an agent that was cut off: it can't
  // make a success of it.
  if (!verdict_.has_value() && !failure_.has_value()) {
    verdict_ = status;
    responses_ = responses;
  }
  PumpLocked();
}

void Splice::Fail(const absl::Status& status) {
  MutexLock lock(mu_);
  if (!failure_.has_value()) failure_ = status;
  PumpLocked();
}

bool Splice::joined() const {
  MutexLock lock(mu_);
  return joined_;
}

void Splice::PumpLocked() {
  for (Side from : {kClient, kAgent}) {
    WriteLocked(from);
    ReadLocked(from);
  }
  EndClientLocked();
  EndAgentLocked();
}

void Splice::ReadLocked(Side from) {
  Flow& flow = flows_[from];
  if (!started_ || legs_[from] == nullptr || flow.reading || flow.ended ||
      flow.count == kSlots || flow.bytes >= kMaxBytes) {
    return;
  }
  flow.reading = true;
  legs_[from]->BeginRead((flow.first + flow.count) % kSlots);
}

void Splice::WriteLocked(Side from) {
  Flow& flow = flows_[from];
  Leg* to = legs_[1 - from];
  if (to == nullptr || flow.writing || gone_[1 - from]) return;
  if (flow.count > 0) {
    flow.writing = true;
    to->BeginWrite(flow.first);
  } else if (from == kClient && flow.ended && !gone_[kClient] &&
             !half_close_sent_) {
    half_close_sent_ = true;
    flow.writing = true;
    to->BeginWrite(kHalfCloseSlot);
  }
}

Splice::Responses Splice::ResponsesLocked() const {
  const Flow& flow = flows_[kAgent];
  if (responses_.has_value()) {
    if (flow.total >= *responses_) return Responses::kComplete;
    if (flow.ended || gone_[kAgent]) return Responses::kCutShort;
    return Responses::kMore;
  }
  if (flow.ended) return Responses::kComplete;
  return gone_[kAgent] ? Responses::kCutShort : Responses::kMore;
}

std::optional<absl::Status> Splice::OutcomeLocked() const {
  if (gone_[kClient]) return absl::CancelledError("the client went away");
  if (verdict_.has_value()) {
    const Responses responses = ResponsesLocked();
    if (responses == Responses::kComplete) return verdict_;
    if (responses == Responses::kCutShort) {
      if (!verdict_->ok()) return verdict_;
      return absl::UnavailableError(
          "the agent's stream broke before its last response; the session "
          "lives on, try again");
    }
  }
  return failure_;
}

void Splice::EndClientLocked() {
  if (legs_[kClient] == nullptr) return;
  const std::optional<absl::Status> outcome = OutcomeLocked();
  const Flow& responses = flows_[kAgent];
  if (!outcome.has_value() || responses.writing) return;
  if (responses.count > 0 && !gone_[kClient]) return;
  std::exchange(legs_[kClient], nullptr)->End(*outcome);
}

void Splice::EndAgentLocked() {
  if (legs_[kAgent] == nullptr) return;
  const bool client_over = legs_[kClient] == nullptr;
  if (!client_over && !gone_[kAgent] && !failure_.has_value()) return;
  if (flows_[kClient].writing) {
    // Its peer may not be reading, so this write may never end by itself.
    if (!std::exchange(agent_cancel_sent_, true)) legs_[kAgent]->Cancel();
    return;
  }
  absl::Status status;
  if (gone_[kClient]) {
    status = absl::CancelledError("the client went away");
  } else if (failure_.has_value()) {
    status = *failure_;
  }
  std::exchange(legs_[kAgent], nullptr)->End(status);
}

}  // namespace berth::broker
