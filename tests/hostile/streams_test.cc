// Peers with a certificate, whose streams are not what they should be: frames
// after the end, in any order, and messages and metadata of any size.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/tls/credentials.h"
#include "base/uuid.h"
#include "proto/berth/v1/admin.grpc.pb.h"
#include "proto/berth/v1/sessions.grpc.pb.h"
#include "tests/hostile/siege.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

constexpr char kRun[] = "/berth.v1.Sessions/Run";

class StreamsTest : public SiegeTest {
 protected:
  std::shared_ptr<grpc::Channel> AdminChannel() {
    InitTls();
    const std::string dir = fleet_.directory() + "/broker/";
    grpc::ChannelArguments arguments;
    SetChannelDefaults(&arguments);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    // This side does not mind what it is made to send.
    arguments.SetMaxSendMessageSize(-1);
    return grpc::CreateCustomChannel(
        absl::StrCat("127.0.0.1:", fleet_.port()),
        MakeChannelCredentials(ReadTextFile(dir + "ca.pem"),
                               ReadTextFile(dir + "admin.pem"),
                               ReadTextFile(dir + "admin-key.pem")),
        arguments);
  }

  static void SetDeadline(grpc::ClientContext* context) {
    context->set_deadline(std::chrono::system_clock::now() +
                          std::chrono::seconds(60));
  }

  std::mt19937 random_{42};
};

TEST_F(StreamsTest, HugeMetadataIsRefused) {
  auto stub = v1::Admin::NewStub(AdminChannel());
  for (const size_t size : {20 << 10, 64 << 10, 1 << 20, 8 << 20}) {
    grpc::ClientContext context;
    SetDeadline(&context);
    context.AddMetadata("x-huge", std::string(size, 'x'));
    v1::GetBrokerStatusResponse response;
    const grpc::Status status = stub->GetBrokerStatus(&context, {}, &response);
    EXPECT_FALSE(status.ok()) << size;
    EXPECT_NE(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED) << size;
  }
  ExpectServes();
}

TEST_F(StreamsTest, AMessageThatIsTooLargeIsRefused) {
  auto stub = v1::Sessions::NewStub(AdminChannel());
  grpc::ClientContext context;
  SetDeadline(&context);
  v1::CreateSessionRequest request;
  request.set_name(std::string(8 << 20, 'x'));
  v1::CreateSessionResponse response;
  EXPECT_EQ(stub->CreateSession(&context, request, &response).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  ExpectServes();
}

// A message that is said to be of gigabytes is refused by what is said. What
// is left are the streams, of which a user may begin 40,000 at once.
TEST_F(StreamsTest, AMessageThatIsSaidToBeHugeTakesNoMemory) {
  Withstand(
      "huge messages, announced", 768,
      Flood(
          [](uint32_t& stream) {
            const std::string begin = absl::StrCat(
                std::string(1, 0), Word(0x7fffffff), std::string(1'000, 'x'));
            std::string frames = absl::StrCat(
                Call(stream, kRun), Frame(FrameType::kData, 0, stream, begin));
            stream += 2;
            return frames;
          },
          User("mallory")));
}

// The frames of a conversation in any order, doubled, left out, after the end,
// and with nonsense in them. Each stream ends by itself, with a status.
TEST_F(StreamsTest, ShuffledFramesEndTheirStreamAlone) {
  auto stub = v1::Sessions::NewStub(AdminChannel());
  std::vector<v1::RunRequest> frames(6);
  frames[0].mutable_open()->mutable_session()->set_id(1);
  frames[1].mutable_start()->set_command_id(NewUuid());
  frames[1].mutable_start()->set_script("true");
  frames[2].mutable_stdin()->set_data("input");
  frames[3].mutable_interrupt();
  frames[4].mutable_ack()->set_offset(1ull << 62);
  frames[5].set_leave(true);
  const auto talk = [&](int round) {
    grpc::ClientContext context;
    SetDeadline(&context);
    auto stream = stub->Run(&context);
    std::shuffle(frames.begin(), frames.end(), random_);
    if (round % 2 == 0) {  // A good beginning, and then anything.
      v1::RunRequest open;
      open.mutable_open()->mutable_session()->set_id(1);
      stream->Write(open);
    }
    const size_t count = random_() % 12;
    for (size_t i = 0; i < count; ++i) {
      v1::RunRequest& frame = frames[random_() % frames.size()];
      if (frame.has_start()) frame.mutable_start()->set_command_id(NewUuid());
      if (!stream->Write(frame)) break;
    }
    stream->WritesDone();
    v1::CommandEvent response;
    while (stream->Read(&response)) {
    }
    EXPECT_NE(stream->Finish().error_code(),
              grpc::StatusCode::DEADLINE_EXCEEDED)
        << "round " << round;
  };
  for (int round = 0; round < (IsLong() ? 2'000 : 60); ++round) talk(round);
  ExpectServes();
}

// Frames of HTTP/2 itself after the end of their stream, or in no order.
TEST_F(StreamsTest, FramesAfterTheEnd) {
  for (int round = 0; round < (IsLong() ? 500 : 60); ++round) {
    Http2Peer peer(fleet_.port(), Admin());
    ASSERT_TRUE(peer.accepted());
    std::vector<std::string> frames = {
        Call(1, kRun),
        Call(1, kRun),
        Call(3, kRun),
        Frame(FrameType::kHeaders, kEndHeaders | kEndStream, 1,
              Field("x-more", "more")),
        Frame(FrameType::kData, kEndStream, 1, std::string(5, 0)),
        Frame(FrameType::kData, 0, 1, std::string(5, 0)),
        Frame(FrameType::kData, 0, 7, std::string(5, 0)),
        Frame(FrameType::kRstStream, 0, 1, Word(8)),
        Frame(FrameType::kWindowUpdate, 0, 1, Word(0x7fffffff)),
        Frame(FrameType::kContinuation, kEndHeaders, 1),
        Frame(FrameType::kPriority, 0, 3, "short"),
        Frame(FrameType::kSettings, 0, 0, "no setting"),
        Frame(FrameType::kGoAway, 0, 0, Word(0) + Word(0)),
    };
    if (round % 3 != 0) std::shuffle(frames.begin() + 1, frames.end(), random_);
    for (const std::string& frame : frames) {
      if (!peer.Send(frame) || !peer.Drain()) break;
    }
    if (round % 10 == 0) ExpectServes();
  }
  ExpectServes();
}

}  // namespace
}  // namespace berth::testing
