// A program on the API that runs several commands on one stream, of which the
// broker reads the first frame alone.

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/tls/credentials.h"
#include "base/uuid.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/berth/v1/sessions.grpc.pb.h"
#include "tests/e2e/fleet.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;

TEST(LaterCommandsTest, AreInTheAuditLog) {
  InitTls();
  Fleet fleet({"web01"});
  fleet.Run({"new", "-c", "web01", "--name", "work"});
  fleet.Run({"disconnect", "work"});
  const std::string directory = fleet.directory() + "/broker/";
  grpc::ChannelArguments arguments;
  SetChannelDefaults(&arguments);
  auto stub = v1::Sessions::NewStub(grpc::CreateCustomChannel(
      absl::StrCat("localhost:", fleet.port()),
      MakeChannelCredentials(ReadTextFile(directory + "ca.pem"),
                             ReadTextFile(directory + "admin.pem"),
                             ReadTextFile(directory + "admin-key.pem")),
      arguments));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::seconds(60));
  auto stream = stub->Run(&context);
  v1::RunRequest request;
  request.mutable_open()->mutable_session()->set_instance_id(
      fleet.Session("work").instance_id());
  request.mutable_open()->mutable_client()->set_id(NewUuid());
  std::string out, later;
  for (const char* script : {"echo first", "echo second\ntrue", "echo third"}) {
    later = NewUuid();
    request.mutable_start()->set_command_id(later);
    request.mutable_start()->set_script(script);
    ASSERT_TRUE(stream->Write(request));
    request.Clear();
    v1::CommandEvent event;
    while (!event.has_ended()) {
      ASSERT_TRUE(stream->Read(&event)) << stream->Finish().error_message();
      if (event.has_output()) out += event.output().data();
    }
    EXPECT_EQ(event.ended().exit_code(), 0);
  }
  EXPECT_EQ(out, "first\nsecond\nthird\n");
  stream->WritesDone();
  const std::string log = fleet.WaitFor(
      {"admin", "audit", "search", "--verb", "run", "-o", "json"}, later);
  EXPECT_THAT(log, HasSubstr("\"text\":\"echo first\""));
  EXPECT_THAT(log, HasSubstr("\"text\":\"echo second ...\""));
  EXPECT_THAT(log, HasSubstr("\"text\":\"echo third\""));
  EXPECT_THAT(log, HasSubstr("as its agent says"));
  context.TryCancel();
}

}  // namespace
}  // namespace berth::testing
