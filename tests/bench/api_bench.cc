// Measures what a program on the gRPC API gets: the time of a command on an
// open Run stream, and how many sessions a second one client can make. Prints
// one JSON object. Started by tests/bench/run.

#include <stdio.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "base/files.h"
#include "base/tls/credentials.h"
#include "base/uuid.h"
#include "proto/berth/v1/sessions.grpc.pb.h"

namespace berth::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string broker, ca, certificate, key, computer, mode;
  int count = 1000;
};

double Since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::unique_ptr<v1::Sessions::Stub> Connect(const Options& options) {
  grpc::ChannelArguments arguments;
  SetChannelDefaults(&arguments);
  return v1::Sessions::NewStub(grpc::CreateCustomChannel(
      options.broker,
      MakeChannelCredentials(ReadFile(options.ca).value(),
                             ReadFile(options.certificate).value(),
                             ReadFile(options.key).value()),
      arguments));
}

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::minutes(2));
}

// The instance id of a new session; exits if there is none.
std::string Create(v1::Sessions::Stub& stub, const Options& options) {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::CreateSessionRequest request;
  request.set_computer(options.computer);
  v1::CreateSessionResponse response;
  grpc::Status status = stub.CreateSession(&context, request, &response);
  if (!status.ok()) {
    fprintf(stderr, "create: %s\n", status.error_message().c_str());
    exit(1);
  }
  return response.session().instance_id();
}

void Remove(v1::Sessions::Stub& stub, const std::string& id) {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::RemoveSessionRequest request;
  request.mutable_session()->set_instance_id(id);
  v1::RemoveSessionResponse response;
  stub.RemoveSession(&context, request, &response);
}

// Runs `true` on the stream, up to its `ended`.
bool RunTrue(grpc::ClientReaderWriter<v1::RunRequest, v1::CommandEvent>& stream,
             v1::RunRequest request) {
  v1::StartCommand* start = request.mutable_start();
  start->set_command_id(NewUuid());
  start->set_script("true");
  if (!stream.Write(request)) return false;
  v1::CommandEvent event;
  while (stream.Read(&event)) {
    if (event.has_ended()) return event.ended().exit_code() == 0;
  }
  return false;
}

int MeasureLatency(v1::Sessions::Stub& stub, const Options& options) {
  const std::string id = Create(stub, options);
  grpc::ClientContext context;
  SetDeadline(context);
  auto stream = stub.Run(&context);
  v1::RunRequest first;
  first.mutable_open()->mutable_session()->set_instance_id(id);
  first.mutable_open()->mutable_client()->set_id(NewUuid());
  first.mutable_open()->mutable_client()->set_name("bench");
  bool ok = RunTrue(*stream, first);
  for (int i = 0; i < 100 && ok; ++i) ok = RunTrue(*stream, {});
  std::vector<double> times;
  for (int i = 0; i < options.count && ok; ++i) {
    const Clock::time_point start = Clock::now();
    ok = RunTrue(*stream, {});
    times.push_back(Since(start) * 1e3);
  }
  stream->WritesDone();
  grpc::Status status = ok ? grpc::Status::OK : stream->Finish();
  context.TryCancel();
  Remove(stub, id);
  if (!ok) {
    fprintf(stderr, "run: %s\n", status.error_message().c_str());
    return 1;
  }
  std::sort(times.begin(), times.end());
  auto at = [&](double share) {
    return times[static_cast<size_t>(share * (times.size() - 1))];
  };
  printf(
      "{\"count\": %zu, \"p50_ms\": %.4f, \"p99_ms\": %.4f, "
      "\"max_ms\": %.4f}\n",
      times.size(), at(0.5), at(0.99), times.back());
  return 0;
}

int MeasureCreation(v1::Sessions::Stub& stub, const Options& options) {
  Remove(stub, Create(stub, options));  // Warms the channel.
  std::vector<std::string> ids;
  const Clock::time_point start = Clock::now();
  for (int i = 0; i < options.count; ++i) ids.push_back(Create(stub, options));
  const double seconds = Since(start);
  for (const std::string& id : ids) Remove(stub, id);
  printf("{\"count\": %d, \"per_second\": %.1f}\n", options.count,
         options.count / seconds);
  return 0;
}

}  // namespace
}  // namespace berth::bench

int main(int argc, char** argv) {
  berth::InitTls();
  berth::bench::Options options;
  CLI::App app("Measures Berth's API");
  app.add_option("--broker", options.broker)->required();
  app.add_option("--ca", options.ca)->required();
  app.add_option("--certificate", options.certificate)->required();
  app.add_option("--key", options.key)->required();
  app.add_option("--computer", options.computer)->required();
  app.add_option("--count", options.count)->check(CLI::Range(1, 1000000));
  app.add_option("mode", options.mode)
      ->required()
      ->check(CLI::IsMember({"latency", "create"}));
  CLI11_PARSE(app, argc, argv);
  auto stub = berth::bench::Connect(options);
  return options.mode == "latency"
             ? berth::bench::MeasureLatency(*stub, options)
             : berth::bench::MeasureCreation(*stub, options);
}
