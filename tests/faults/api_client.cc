#include "tests/faults/api_client.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/tls/credentials.h"
#include "base/uuid.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

// A stream that hangs counts as broken.
constexpr auto kAttemptTime = std::chrono::seconds(20);
constexpr int kReconnectMs = 50;

bool MayRetry(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::OK:  // Ended too early.
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return true;
    default:
      return false;
  }
}

}  // namespace

ApiClient::ApiClient(FaultyFleet& fleet, std::string instance_id)
    : fleet_(fleet),
      instance_id_(std::move(instance_id)),
      client_id_(NewUuid()) {
  Reconnect();
}

void ApiClient::Reconnect() {
  const std::string directory = fleet_.directory() + "/broker/";
  grpc::ChannelArguments arguments;
  SetChannelDefaults(&arguments);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kReconnectMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMs);
  // Else a new channel has the connection of the one before.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  stub_ = v1::Sessions::NewStub(grpc::CreateCustomChannel(
      absl::StrCat("localhost:", fleet_.client_link().port()),
      MakeChannelCredentials(ReadTextFile(directory + "ca.pem"),
                             ReadTextFile(directory + "admin.pem"),
                             ReadTextFile(directory + "admin-key.pem")),
      arguments));
}

void ApiClient::Attempt(const std::string& id, const std::string& script,
                        Result& result, const Disturb& disturb) {
  const int attempt = result.attempts++;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kAttemptTime);
  context.set_wait_for_ready(true);
  auto stream = stub_->Run(&context);
  v1::RunRequest first;
  first.mutable_open()->mutable_session()->set_instance_id(instance_id_);
  first.mutable_open()->mutable_client()->set_id(client_id_);
  first.mutable_open()->mutable_client()->set_name("test");
  first.mutable_start()->set_command_id(id);
  first.mutable_start()->set_script(script);
  first.mutable_start()->set_from_offset(result.next);
  first.mutable_start()->mutable_wait()->set_seconds(30);
  result.answered = result.attached = false;
  int step = 0;
  bool goes_on = stream->Write(first);
  if (goes_on && disturb && disturb(attempt, step)) context.TryCancel();
  v1::CommandEvent event;
  uint64_t sequence = 0;
  bool ended = false;
  while (stream->Read(&event)) {
    result.answered = true;
    if (event.has_started()) {
      sequence = event.started().sequence();
      result.attached = event.started().attached();
    } else if (event.has_output()) {
      const std::string& data = event.output().data();
      const uint64_t end = event.output().offset() + data.size();
      if (end > result.next && event.output().offset() <= result.next) {
        result.out += data.substr(result.next - event.output().offset());
        result.next = end;
      }
    } else if (event.has_ended()) {
      result.ended = event.ended();
      ended = true;
      v1::RunRequest last;
      last.mutable_ack()->set_sequence(sequence);
      last.mutable_ack()->set_offset(result.next);
      stream->Write(last);
      stream->WritesDone();
    }
    if (disturb && disturb(attempt, ++step)) context.TryCancel();
  }
  result.status = stream->Finish();
  if (ended) {
    result.status = grpc::Status::OK;
  } else if (result.status.ok()) {
    result.status = grpc::Status(grpc::StatusCode::CANCELLED, "no end came");
  }
}

ApiClient::Result ApiClient::Run(const std::string& id,
                                 const std::string& script,
                                 const Disturb& disturb, absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  Result result;
  for (;;) {
    Attempt(id, script, result, disturb);
    if (result.ended.how() != v1::CommandEnded::HOW_UNSPECIFIED) return result;
    if (!MayRetry(result.status) || absl::Now() > deadline) return result;
    absl::SleepFor(absl::Milliseconds(10));  // As clients do.
  }
}

}  // namespace berth::testing
