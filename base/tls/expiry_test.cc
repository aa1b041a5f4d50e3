#include "base/tls/expiry.h"

#include "base/tls/certificates.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth {
namespace {

using ::testing::HasSubstr;

TEST(ExpiryTest, NamesFileTimeAndWayOut) {
  const auto ca = CertificateAuthority::Create("test");
  ASSERT_TRUE(ca.ok()) << ca.status();
  const std::string pem =
      *ca->Issue(*NewCsrPem(*NewPrivateKeyPem()), {Purpose::kUser, "ann"},
                 absl::Minutes(10));
  const absl::Time expiry = *CertificateExpiry(pem);
  const auto check = [&](absl::Time now) {
    return CheckNotExpired("/x/ann.pem", pem, now, "ask an administrator");
  };
  EXPECT_TRUE(check(expiry - absl::Seconds(1)).ok());
  const absl::Status expired = check(expiry);
  EXPECT_TRUE(absl::IsFailedPrecondition(expired)) << expired;
  EXPECT_THAT(std::string(expired.message()), HasSubstr("/x/ann.pem"));
  EXPECT_THAT(std::string(expired.message()), HasSubstr("expired at 20"));
  EXPECT_THAT(std::string(expired.message()), HasSubstr("administrator"));
}

TEST(ExpiryTest, RefusesWhatIsNoCertificate) {
  const absl::Status status =
      CheckNotExpired("/x/ann.pem", "nonsense", absl::Now(), "");
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("/x/ann.pem"));
}

}  // namespace
}  // namespace berth
