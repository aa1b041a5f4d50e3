#include "base/tls/certificates.h"

#include <set>
#include <string>

#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace berth {
namespace {

TEST(CertificatesTest, IssuesForAnIdentityAndALifetime) {
  auto ca = CertificateAuthority::Create("test");
  ASSERT_TRUE(ca.ok()) << ca.status();
  const std::string csr = NewCsrPem(NewPrivateKeyPem().value()).value();
  const Identity alice{Purpose::kUser, "alice"};
  auto cert = ca->Issue(csr, alice, absl::Hours(12));
  ASSERT_TRUE(cert.ok()) << cert.status();
  EXPECT_EQ(CertificateIdentity(*cert).value(), alice);
  const absl::Duration left = CertificateExpiry(*cert).value() - absl::Now();
  EXPECT_GT(left, absl::Hours(12) - absl::Minutes(1));
  EXPECT_LE(left, absl::Hours(12));
}

TEST(CertificatesTest, ReadsBackWhatItIssued) {
  auto ca = CertificateAuthority::Create("test");
  const std::string csr = NewCsrPem(NewPrivateKeyPem().value()).value();
  std::set<std::string> serials;
  for (Purpose purpose :
       {Purpose::kUser, Purpose::kAgent, Purpose::kBroker, Purpose::kGateway}) {
    const Identity who{purpose, "web01"};
    const absl::Time now = absl::Now();
    auto read = ReadCertificate(ca->Issue(csr, who, absl::Hours(1)).value());
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->identity, who);
    EXPECT_EQ(read->issuer.size(), 40u);
    EXPECT_GT(read->serial.size(), 20u);
    EXPECT_LT(absl::AbsDuration(read->issued_at - now), absl::Minutes(1));
    EXPECT_EQ(read->expires_at - read->issued_at, absl::Hours(1));
    serials.insert(read->serial);
  }
  EXPECT_EQ(serials.size(), 4u);
}

TEST(CertificatesTest, RefusesARequestThatCannotBeRead) {
  auto ca = CertificateAuthority::Create("test");
  for (const char* csr : {"", "nonsense",
                          "-----BEGIN CERTIFICATE REQUEST-----\n"
                          "AAAA\n"
                          "-----END CERTIFICATE REQUEST-----\n"}) {
    EXPECT_EQ(
        ca->Issue(csr, {Purpose::kUser, "a"}, absl::Hours(1)).status().code(),
        absl::StatusCode::kInvalidArgument);
  }
}

TEST(CertificatesTest, LoadChecksThatKeyAndCertificateBelongTogether) {
  auto one = CertificateAuthority::Create("one");
  auto two = CertificateAuthority::Create("two");
  EXPECT_TRUE(CertificateAuthority::Load(one->cert_pem(), one->key_pem()).ok());
  EXPECT_EQ(CertificateAuthority::Load(one->cert_pem(), two->key_pem())
                .status()
                .code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(CertificateAuthority::Load("x", "y").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(CertificatesTest, TheCaItselfNamesNobody) {
  auto ca = CertificateAuthority::Create("test");
  EXPECT_EQ(CertificateIdentity(ca->cert_pem()).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace berth
