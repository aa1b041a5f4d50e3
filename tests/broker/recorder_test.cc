// Whose recording it is does not go by an agent's word.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/recording/segment.h"
#include "proto/berth/link/v1/recorder.grpc.pb.h"
#include "proto/berth/v1/recordings.pb.h"
#include "tests/broker/fake_agent.h"
#include "tests/broker/fleet_fixture.h"

namespace berth::testing {
namespace {

using ::grpc::StatusCode;
using ::testing::HasSubstr;

constexpr char kSession[] = "00000000-0000-4000-8000-000000000001";
constexpr char kUnknown[] = "00000000-0000-4000-8000-000000000002";

class RecorderTest : public FleetFixture {
 protected:
  // The first segment of a recording.
  static grpc::Status Store(const std::shared_ptr<grpc::Channel>& channel,
                            const std::string& session,
                            const std::string& owner) {
    v1::RecordingSegment segment;
    segment.set_instance_id(session);
    segment.set_previous_sha256(NoRecordingHash());
    segment.mutable_info()->set_instance_id(session);
    segment.mutable_info()->set_owner(owner);
    v1::RecordingEntry& entry = *segment.add_entries();
    entry.set_time_ns(1);
    entry.set_terminal("text");
    link::v1::StoreSegmentRequest request;
    request.set_segment(segment.SerializeAsString());
    link::v1::StoreSegmentResponse response;
    grpc::ClientContext context;
    SetDeadline(&context);
    return link::v1::Recorder::NewStub(channel)->StoreSegment(&context, request,
                                                              &response);
  }
};

TEST_F(RecorderTest, AnAgentRecordsOnlyItsOwnSessionsAndInTheirOwnersName) {
  const auto web01 = Channel(AgentCertificate("web01"));
  const auto web02 = Channel(AgentCertificate("web02"));
  v1::Session session;
  session.set_instance_id(kSession);
  session.set_id(1);
  session.set_name("s");
  session.set_owner("alice");
  session.set_computer("web01");
  FakeAgent agent(web01, {session});
  ASSERT_TRUE(agent.WaitForWelcome());
  const grpc::Status other = Store(web02, kSession, "alice");
  EXPECT_EQ(other.error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(other.error_message(), HasSubstr("computer 'web02' has no"));
  EXPECT_EQ(Store(web01, kSession, "eve").error_code(),
            StatusCode::PERMISSION_DENIED);
  const grpc::Status own = Store(web01, kSession, "alice");
  EXPECT_TRUE(own.ok()) << own.error_message();
  // One that was removed before its last segment came.
  EXPECT_TRUE(Store(web02, kUnknown, "bob").ok());
}

}  // namespace
}  // namespace berth::testing
