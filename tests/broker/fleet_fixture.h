#ifndef BERTH_TESTS_BROKER_FLEET_FIXTURE_H_
#define BERTH_TESTS_BROKER_FLEET_FIXTURE_H_

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "proto/berth/v1/admin.grpc.pb.h"
#include "proto/berth/v1/computers.grpc.pb.h"
#include "proto/berth/v1/sessions.grpc.pb.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {

// A certificate and its key.
struct Certificate {
  std::string cert_pem;
  std::string key_pem;
};

// FleetFixture runs a real berth-broker for each test, and makes channels and
// certificates for those who talk to it.
class FleetFixture : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  void StartBroker();
  // Stops it with SIGTERM, and expects success.
  void StopBroker();

  std::string target() const { return target_; }
  std::string ca_pem() const;
  Certificate AdminCertificate() const;
  Certificate UserCertificate(const std::string& user);
  std::string NewToken(const std::string& pattern = "");
  // Trades a token for an agent's certificate.
  grpc::Status Enroll(const std::string& token, const std::string& name,
                      Certificate* certificate);
  Certificate AgentCertificate(const std::string& name);

  // `certificate` not set: none is shown.
  std::shared_ptr<grpc::Channel> Channel(
      const std::optional<Certificate>& certificate);

  TempDir dir_;
  std::string broker_dir_ = dir_.path() + "/broker";
  std::optional<Process> broker_;
  std::string target_;
};

// For a call of the client `context`: it ends after 20 s at the latest.
void SetDeadline(grpc::ClientContext* context);

}  // namespace berth::testing

#endif  // BERTH_TESTS_BROKER_FLEET_FIXTURE_H_
