// How fast a real berth-broker passes a call on: bulk output, and round trips.
// Prints one line for each measurement.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "base/uuid.h"
#include "tests/broker/fake_agent.h"
#include "tests/broker/fleet_fixture.h"

namespace berth::testing {
namespace {

using RawStream = grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>;

std::unique_ptr<RawStream> OpenRaw(grpc::Channel* channel, const char* path,
                                   grpc::ClientContext* context) {
  static auto* methods = new std::map<std::string, grpc::internal::RpcMethod>();
  auto method =
      methods
          ->try_emplace(path, path, grpc::internal::RpcMethod::BIDI_STREAMING)
          .first;
  return std::unique_ptr<RawStream>(
      grpc::internal::ClientReaderWriterFactory<
          grpc::ByteBuffer, grpc::ByteBuffer>::Create(channel, method->second,
                                                      context));
}

grpc::ByteBuffer Bytes(const std::string& bytes) {
  grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

class RelayBench : public FleetFixture {
 protected:
  void TearDown() override {
    context_.reset();
    agent_.reset();
    FleetFixture::TearDown();
  }

  void Start(FakeAgent::CallHandler handler) {
    v1::Session session;
    session.set_instance_id(NewUuid());
    session.set_id(1);
    session.set_name("web");
    session.set_owner("admin");
    agent_channel_ = Channel(AgentCertificate("web01"));
    agent_ = std::make_unique<FakeAgent>(
        agent_channel_, std::vector<v1::Session>{session}, std::move(handler));
    ASSERT_TRUE(agent_->WaitForWelcome());
    client_channel_ = Channel(AdminCertificate());
    absl::SleepFor(absl::Milliseconds(100));
  }

  std::unique_ptr<RawStream> Run() {
    context_ = std::make_unique<grpc::ClientContext>();
    auto stream = OpenRaw(client_channel_.get(), "/berth.v1.Sessions/Run",
                          context_.get());
    v1::RunRequest first;
    first.mutable_open()->mutable_session()->set_id(1);
    stream->Write(Bytes(first.SerializeAsString()));
    return stream;
  }

  std::shared_ptr<grpc::Channel> agent_channel_, client_channel_;
  std::unique_ptr<FakeAgent> agent_;
  std::unique_ptr<grpc::ClientContext> context_;
};

void Report(const char* what, std::vector<double> values, const char* unit) {
  std::sort(values.begin(), values.end());
  printf("%-24s p50 %8.3f  p99 %8.3f %s\n", what, values[values.size() / 2],
         values[values.size() * 99 / 100], unit);
}

TEST_F(RelayBench, Bulk) {
  static constexpr int kMessages = 2048;  // 512 MiB.
  Start([this](FakeAgent& agent, const link::v1::OpenCall& open) {
    grpc::ClientContext context;
    context.AddMetadata("berth-call-id", std::to_string(open.call_id()));
    auto stream =
        OpenRaw(agent_channel_.get(), "/berth.link.v1.Link/Call", &context);
    const grpc::ByteBuffer message = Bytes(std::string(256 << 10, 'x'));
    for (int i = 0; i < kMessages; ++i) stream->Write(message);
    stream->WritesDone();
    agent.EndCall(open.call_id(), grpc::Status::OK, kMessages);
    stream->Finish();
  });
  std::vector<double> rates;
  for (int round = 0; round < 5; ++round) {
    const absl::Time start = absl::Now();
    auto stream = Run();
    grpc::ByteBuffer message;
    int got = 0;
    while (stream->Read(&message)) ++got;
    EXPECT_EQ(got, kMessages);
    EXPECT_TRUE(stream->Finish().ok());
    rates.push_back(kMessages / 4 / absl::ToDoubleSeconds(absl::Now() - start));
  }
  Report("bulk", rates, "MiB/s");
}

TEST_F(RelayBench, RoundTrips) {
  Start([this](FakeAgent& agent, const link::v1::OpenCall& open) {
    grpc::ClientContext context;
    context.AddMetadata("berth-call-id", std::to_string(open.call_id()));
    auto stream =
        OpenRaw(agent_channel_.get(), "/berth.link.v1.Link/Call", &context);
    grpc::ByteBuffer message = Bytes(open.first_message());
    uint64_t frames = 0;
    do {
      stream->Write(message);
      ++frames;
    } while (stream->Read(&message) && message.Length() > 0);
    stream->WritesDone();
    agent.EndCall(open.call_id(), grpc::Status::OK, frames);
    stream->Finish();
  });
  std::vector<double> opens, trips;
  grpc::ByteBuffer message;
  for (int i = 0; i < 300; ++i) {
    const absl::Time start = absl::Now();
    auto stream = Run();
    ASSERT_TRUE(stream->Read(&message));
    opens.push_back(absl::ToDoubleMilliseconds(absl::Now() - start));
    stream->WritesDone();
    while (stream->Read(&message)) {
    }
    EXPECT_TRUE(stream->Finish().ok());
  }
  Report("new stream", opens, "ms");
  auto stream = Run();
  ASSERT_TRUE(stream->Read(&message));
  const grpc::ByteBuffer ping = Bytes(std::string(100, 'x'));
  for (int i = 0; i < 3000; ++i) {
    const absl::Time start = absl::Now();
    stream->Write(ping);
    ASSERT_TRUE(stream->Read(&message));
    trips.push_back(absl::ToDoubleMilliseconds(absl::Now() - start));
  }
  Report("round trip, open stream", trips, "ms");
  stream->WritesDone();
  while (stream->Read(&message)) {
  }
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(RelayBench, Creates) {
  Start(nullptr);
  auto sessions = v1::Sessions::NewStub(client_channel_);
  std::vector<double> creates;
  for (int i = 0; i < 500; ++i) {
    v1::CreateSessionRequest request;
    request.set_computer("web01");
    v1::CreateSessionResponse response;
    grpc::ClientContext context;
    const absl::Time start = absl::Now();
    ASSERT_TRUE(sessions->CreateSession(&context, request, &response).ok());
    creates.push_back(absl::ToDoubleMilliseconds(absl::Now() - start));
  }
  Report("create, fake agent", creates, "ms");
}

}  // namespace
}  // namespace berth::testing
