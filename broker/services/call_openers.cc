#include "broker/services/call_openers.h"

#include <grpcpp/support/byte_buffer.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "broker/services/audit_session.h"
#include "broker/services/session_requests.h"
#include "proto/berth/v1/files.pb.h"

namespace berth::broker {
namespace {

// Which session a stream is for, and which client speaks.
struct Target {
  v1::SessionRef session;
  v1::Client client;
  bool starts_command = false;
  v1::TerminalMode mode = v1::TERMINAL_MODE_UNSPECIFIED;
  // For the audit log.
  std::string command_id;
  std::string text;
  std::string detail;
};

void Describe(const v1::RunRequest& message, Target& target) {
  target.starts_command = message.has_start();
  target.command_id = message.start().command_id();
  target.text = FirstLine(message.start().script());
}
void Describe(const v1::TerminalRequest& message, Target& target) {
  target.mode = message.open().mode();
  target.detail =
      absl::StrCat("mode=", v1::TerminalMode_Name(message.open().mode()));
}
void Describe(const v1::CopyFrame& message, Target& target) {
  const v1::OpenCopy& open = message.open();
  if (open.has_to()) target.detail = absl::StrCat("to=", open.to().path());
  if (!open.has_from()) return;
  target.detail = "from=";
  for (const std::string& path : open.from().paths()) {
    absl::StrAppend(&target.detail, path, " ");
    if (target.detail.size() > AuditEvent::kMaxValueBytes) break;
  }
}
void Describe(const v1::ReceiveRequest&, Target&) {}

absl::StatusOr<std::string> BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) {
    return absl::InvalidArgumentError("the first frame can't be read");
  }
  std::string bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

template <typename Message>
absl::StatusOr<Target> TargetInA(const std::string& bytes) {
  Message message;
  if (!message.ParseFromString(bytes)) {
    return absl::InvalidArgumentError("the first frame can't be parsed");
  }
  if (!message.has_open()) {
    return absl::FailedPreconditionError(
        "frame out of order: the first one must carry `open`");
  }
  Target target{.session = message.open().session(),
                .client = message.open().client()};
  Describe(message, target);
  return target;
}

absl::StatusOr<Target> TargetIn(link::v1::OpenCall::Method method,
                                const std::string& bytes) {
  switch (method) {
    case link::v1::OpenCall::RUN:
      return TargetInA<v1::RunRequest>(bytes);
    case link::v1::OpenCall::ENTER:
      return TargetInA<v1::TerminalRequest>(bytes);
    case link::v1::OpenCall::COPY:
      return TargetInA<v1::CopyFrame>(bytes);
    default:
      return TargetInA<v1::ReceiveRequest>(bytes);
  }
}

// What one must be allowed for a call, if the session is another's.
std::vector<Verb> VerbsOf(link::v1::OpenCall::Method method,
                          const Target& target) {
  switch (method) {
    case link::v1::OpenCall::RUN:
      return {Verb::kRun};
    case link::v1::OpenCall::COPY:
      return {Verb::kCopy};
    case link::v1::OpenCall::ENTER:
      if (target.mode == v1::TERMINAL_MODE_PEEK) return {Verb::kPeek};
      if (target.mode == v1::TERMINAL_MODE_TAKE) {
        return {Verb::kEnter, Verb::kTake};
      }
      return {Verb::kEnter};
    default:
      return {Verb::kReceive};
  }
}

// Ends a call, if it is still there.
std::function<void(const absl::Status&)> EndOf(
    const std::shared_ptr<RelayedCall>& call) {
  return [weak = std::weak_ptr<RelayedCall>(call)](const absl::Status& status) {
    if (auto kept = weak.lock()) kept->splice().Fail(status);
  };
}

// The event of a command that was started on the stream that `first` is of.
AuditEvent LaterCommand(AuditEvent first,
                        const link::v1::CommandStarted& started) {
  first.command = started.command_id();
  first.text = FirstLine(started.text());
  first.detail = "later on the same stream, as its agent says";
  return first;
}

// What the client said of itself, before it is known to be right.
void SetEvent(const Target& target, AuditEvent& event) {
  if (target.mode == v1::TERMINAL_MODE_PEEK) event.verb = "peek";
  event.client = target.client.id();
  event.client_name = target.client.name();
  event.command = target.command_id;
  event.text = target.text;
  event.detail = target.detail;
  if (target.session.has_id()) {
    event.session_id = absl::StrCat(target.session.id());
  }
  event.session = target.session.instance_id();
  event.session_name = target.session.name();
  event.computer = target.session.computer();
}

}  // namespace

CallOpener::~CallOpener() {
  if (work_ != 0) fleet_.moderation().End(work_);
  if (observer_ != 0) fleet_.moderation().Leave(observer_);
  if (grant_ != 0) fleet_.access().grants().Remove(grant_);
  if (counted_) fleet_.streams().Remove(user_);
  if (!client_id_.empty()) fleet_.presence().Leave({user_, client_id_});
}

absl::StatusOr<ClientLeg::Opener::Opened> CallOpener::Open(
    const grpc::ByteBuffer& first_message, std::shared_ptr<RelayedCall> call) {
  auto opened = OpenOrFail(first_message, std::move(call));
  if (!opened.ok()) {
    SetOutcome(opened.status(), event_);
    fleet_.audit().Record(std::move(event_));
  }
  return opened;
}

absl::StatusOr<ClientLeg::Opener::Opened> CallOpener::OpenOrFail(
    const grpc::ByteBuffer& first_message, std::shared_ptr<RelayedCall> call) {
  BERTH_RETURN_IF_ERROR(fleet_.streams().Add(user_));
  counted_ = true;
  BERTH_ASSIGN_OR_RETURN(std::string bytes, BytesOf(first_message));
  BERTH_ASSIGN_OR_RETURN(const Target target, TargetIn(method_, bytes));
  SetEvent(target, event_);
  BERTH_RETURN_IF_ERROR(CheckClient(target.client, /*required=*/false));
  const std::vector<Verb> verbs = VerbsOf(method_, target);
  BERTH_ASSIGN_OR_RETURN(
      const SessionRecord session,
      fleet_.access().ViewerFor(user_).FindSession(target.session, verbs));
  SetSession(*session, event_);
  const bool is_guest = session->owner() != user_;
  if (is_guest) {
    grant_ = fleet_.access().grants().Add({user_, session, verbs, EndOf(call)});
    fleet_.NoteHolder(*session, user_);
    // A policy that came before this was noted.
    BERTH_RETURN_IF_ERROR(fleet_.access()
                              .ViewerFor(user_)
                              .FindSession(target.session, verbs)
                              .status());
  }
  BERTH_RETURN_IF_ERROR(Moderate(session, verbs.front(), call));
  auto link = fleet_.LinkTo(session->computer());
  // What a session printed can still be received after its end. A start may be
  // sent again because its stream broke while the session ended: the agent
  // knows whether it is, and how that command ended.
  const bool may_have_ended =
      method_ == link::v1::OpenCall::RECEIVE || target.starts_command;
  if (!may_have_ended || !link.ok()) {
    BERTH_RETURN_IF_ERROR(CheckLives(*session));
  }
  BERTH_ASSIGN_OR_RETURN(auto connection, std::move(link));
  if (!target.client.id().empty()) {
    client_id_ = target.client.id();
    fleet_.presence().Join({user_, client_id_});
  }
  link::v1::OpenCall open;
  open.set_method(method_);
  open.set_user(user_);
  if (is_guest) {
    open.set_owner(session->owner());
    open.set_read_only(verbs.front() == Verb::kPeek ||
                       verbs.front() == Verb::kReceive);
  }
  open.set_instance_id(session->instance_id());
  open.set_first_message(std::move(bytes));
  return Tell(std::move(connection), std::move(open), std::move(call));
}

absl::Status CallOpener::Moderate(const SessionRecord& session, Verb verb,
                                  const std::shared_ptr<RelayedCall>& call) {
  if (verb == Verb::kReceive) return absl::OkStatus();
  if (verb == Verb::kPeek) {
    if (session->owner() == user_) return absl::OkStatus();
    observer_ = fleet_.moderation().Expect(user_, session);
    call->OnJoined(
        [&fleet = fleet_, id = observer_] { fleet.moderation().Arrive(id); });
    return absl::OkStatus();
  }
  BERTH_ASSIGN_OR_RETURN(
      work_, fleet_.moderation().Begin({user_, session, verb, EndOf(call)}));
  return absl::OkStatus();
}

absl::StatusOr<ClientLeg::Opener::Opened> CallOpener::Tell(
    std::shared_ptr<AgentConnection> connection, link::v1::OpenCall open,
    std::shared_ptr<RelayedCall> call) {
  BERTH_RETURN_IF_ERROR(fleet_.audit().Check());
  BERTH_ASSIGN_OR_RETURN(const uint64_t id, connection->ReserveCall(call));
  AuditEvent event = std::move(event_);
  event_ = AuditEvent();
  event.outcome = "allowed";
  if (method_ == link::v1::OpenCall::RUN) {
    call->OnLaterCommand([&fleet = fleet_, event](const auto& started) {
      fleet.audit().Record(LaterCommand(event, started));
    });
  }
  // Whatever goes wrong from here on ends the call, and needs no event more.
  fleet_.audit().Require(
      std::move(event), [connection, id, open = std::move(open),
                         call = std::move(call)](const absl::Status& kept) {
        const absl::Status status =
            kept.ok() ? connection->TellOfCall(id, open) : kept;
        if (!status.ok()) call->OnLinkLost(status);
      });
  return Opened{std::move(connection), id};
}

}  // namespace berth::broker
