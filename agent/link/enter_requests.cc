// The client's frames in an Enter, and what they ask of the holder.

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "agent/link/caller.h"
#include "agent/link/enter_call.h"
#include "agent/link/frames.h"
#include "base/monotonic.h"
#include "base/status_macros.h"
#include "base/uuid.h"

namespace berth::agent {
namespace {

// As sessions.proto says.
constexpr size_t kMaxClientName = 200;
constexpr size_t kMaxTerm = 64;
constexpr size_t kMaxInput = 64 << 10;
constexpr uint32_t kMaxSize = 65535;
// Together with what stands around it well below a packet's limit.
constexpr size_t kMaxInputPacket = 32 << 10;

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("malformed frame: ", what));
}

absl::Status CheckSize(const v1::TerminalSize& size) {
  if (size.rows() == 0 || size.rows() > kMaxSize || size.columns() == 0 ||
      size.columns() > kMaxSize) {
    return Malformed(absl::StrCat("a terminal of ", size.rows(), " rows and ",
                                  size.columns(), " columns; 1 to ", kMaxSize,
                                  " can be"));
  }
  return absl::OkStatus();
}

bool IsTerm(absl::string_view term) {
  return term.size() <= kMaxTerm &&
         std::all_of(term.begin(), term.end(), [](char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '+' ||
                  c == '-';
         });
}

absl::Status ReadOnly() {
  return absl::PermissionDeniedError(
      "this session may only be watched: enter it with --peek, or ask for the "
      "right to enter it");
}

}  // namespace

absl::Status EnterCall::CheckRequest() {
  if (!first_.ParseFromString(open_.first_message()) || !first_.has_open()) {
    return Malformed("the first one must carry `open`");
  }
  const v1::OpenTerminal& open = first_.open();
  if (!IsUuid(open.client().id()) ||
      open.client().name().size() > kMaxClientName) {
    return Malformed("`open` needs a client with a UUID");
  }
  if (!IsUuid(open.terminal_id())) {
    return Malformed("`open` needs a `terminal_id` that is a UUID");
  }
  if (!v1::TerminalMode_IsValid(open.mode())) {
    return Malformed("this computer's agent is too old for this mode");
  }
  if (open_.read_only() && open.mode() != v1::TERMINAL_MODE_PEEK) {
    return ReadOnly();
  }
  if (!IsTerm(open.term())) return Malformed("a bad `term`");
  BERTH_RETURN_IF_ERROR(CheckSize(open.size()));
  visitor_.id = open.terminal_id();
  visitor_.client = ClientOf(open_, open.client());
  visitor_.mode = open.mode();
  MutexLock lock(mu_);
  size_ = open.size();
  return absl::OkStatus();
}

absl::Status EnterCall::OnFrame(const grpc::ByteBuffer& frame) {
  v1::TerminalRequest request;
  if (!ParseFrame(frame, request)) return Malformed("not a TerminalRequest");
  return OnRequest(request, /*first=*/false);
}

absl::Status EnterCall::OnRequest(const v1::TerminalRequest& request,
                                  bool first) {
  if (!first && request.has_open()) {
    return absl::FailedPreconditionError(
        "`open` belongs to the first frame alone");
  }
  if (open_.read_only() && request.has_input()) return ReadOnly();
  if (request.has_size()) {
    BERTH_RETURN_IF_ERROR(CheckSize(request.size()));
    uint64_t key = 0;
    {
      MutexLock lock(mu_);
      size_ = request.size();
      key = key_;
    }
    if (key != 0) {
      session_->terminals().Resize(key, request.size());
      ApplySize();
    }
  }
  if (request.shown() > 0 && window_.Shown(request.shown(), MonotonicNow())) {
    stream_.Wake();
  }
  if (request.has_input()) BERTH_RETURN_IF_ERROR(OnInput(request.input()));
  if (first || (!request.detach() && !request.redraw())) {
    return absl::OkStatus();
  }
  {
    MutexLock lock(mu_);
    detach_ = detach_ || request.detach();
    redraw_ = redraw_ || request.redraw();
  }
  stream_.Wake();
  return absl::OkStatus();
}

absl::Status EnterCall::OnInput(const v1::TerminalInput& input) {
  if (input.data().size() > kMaxInput) {
    return Malformed(absl::StrCat("input of ", input.data().size(),
                                  " bytes; at most ", kMaxInput));
  }
  uint64_t key = 0;
  std::shared_ptr<TypedInput> typed;
  {
    MutexLock lock(mu_);
    key = key_;
    typed = input_;
  }
  if (key == 0) {
    return absl::FailedPreconditionError(
        "frame out of order: `input` before the terminal is attached");
  }
  // Who was just taken over does not know it yet.
  if (!session_->terminals().Type(key)) return absl::OkStatus();
  const uint64_t end = input.offset() + input.data().size();
  BERTH_RETURN_IF_ERROR(typed->Take(
      input.offset(), input.data(), [this, end](absl::string_view data) {
        for (size_t at = 0; at < data.size(); at += kMaxInputPacket) {
          holder::v1::Request request;
          const absl::string_view part = data.substr(at, kMaxInputPacket);
          holder::v1::TerminalInput& keys = *request.mutable_terminal_input();
          keys.set_data(part.data(), part.size());
          if (knows_visits_) {
            keys.set_visit(visitor_.id);
            keys.set_offset(end - data.size() + at);
          }
          Ask(request);
        }
        return absl::OkStatus();
      }));
  if (knows_visits_) return absl::OkStatus();
  bool tell = false;
  {
    MutexLock lock(mu_);
    ++frames_untold_;
    bytes_untold_ += input.data().size();
    // The first starts the time after which the client is told.
    tell = frames_untold_ == 1 || HasMuchToTell();
  }
  if (tell) stream_.Wake();
  return absl::OkStatus();
}

}  // namespace berth::agent
