#include "broker/users/open_calls.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/cond_var.h"

namespace berth::broker {
namespace {

std::shared_ptr<const CertificateInfo> Of(const std::string& name) {
  CertificateInfo info;
  info.identity = {Purpose::kUser, name};
  return std::make_shared<const CertificateInfo>(std::move(info));
}

class OpenCallsTest : public ::testing::Test {
 protected:
  std::atomic<bool> locked_ = false;
  Timer timer_;
  OpenCalls calls_{timer_, [this](const CertificateInfo& certificate) {
                     return locked_ && certificate.identity.name == "mallory"
                                ? absl::PermissionDeniedError("locked")
                                : absl::OkStatus();
                   }};
};

TEST_F(OpenCallsTest, EndsThoseThatAreRefusedAndNoOthers) {
  std::vector<std::string> ended;
  const auto end = [&](const std::string& which) {
    return [&ended, which](const absl::Status& status) {
      ended.push_back(which + ": " + std::string(status.message()));
    };
  };
  OpenCalls::Ticket mallory(calls_, Of("mallory"), end("mallory"), [] {});
  OpenCalls::Ticket alice(calls_, Of("alice"), end("alice"), [] {});
  {
    OpenCalls::Ticket gone(calls_, Of("mallory"), end("gone"), [] {});
  }
  calls_.EndRefused();
  EXPECT_TRUE(ended.empty());
  locked_ = true;
  calls_.EndRefused();
  EXPECT_EQ(ended, std::vector<std::string>{"mallory: locked"});
}

TEST_F(OpenCallsTest, OneThatOpensTooLateEndsAtOnce) {
  locked_ = true;
  absl::Status ended;
  OpenCalls::Ticket ticket(
      calls_, Of("mallory"),
      [&](const absl::Status& status) { ended = status; }, [] {});
  EXPECT_TRUE(absl::IsPermissionDenied(ended)) << ended;
}

TEST_F(OpenCallsTest, CutsWhatDoesNotEndByItself) {
  Mutex mu;
  CondVar changed;
  bool cut = false;
  OpenCalls::Ticket ticket(
      calls_, Of("mallory"), [](const absl::Status&) {},
      [&] {
        MutexLock lock(mu);
        cut = true;
        changed.NotifyAll();
      });
  locked_ = true;
  calls_.EndRefused();
  MutexLock lock(mu);
  for (int i = 0; i < 100 && !cut; ++i) changed.WaitFor(mu, absl::Seconds(1));
  EXPECT_TRUE(cut);
}

TEST_F(OpenCallsTest, TicketsThatComeAndGoMeanwhileAreNotCalledAfterwards) {
  std::atomic<bool> stop = false;
  std::thread revokes([&] {
    while (!stop) {
      locked_ = !locked_;
      calls_.EndRefused();
    }
  });
  for (int i = 0; i < 2000; ++i) {
    auto alive = std::make_unique<std::atomic<bool>>(true);
    {
      OpenCalls::Ticket ticket(
          calls_, Of("mallory"),
          [&alive](const absl::Status&) { EXPECT_TRUE(*alive); },
          [&alive] { EXPECT_TRUE(*alive); });
    }
    *alive = false;
  }
  stop = true;
  revokes.join();
}

}  // namespace
}  // namespace berth::broker
