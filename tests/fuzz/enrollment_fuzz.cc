// What anybody may send to be enrolled: the only rpc without a certificate.
// Whatever a request asks for, the certificate says what the broker says.

#include <stddef.h>
#include <stdint.h>

#include <string>

#include "absl/time/clock.h"
#include "base/names.h"
#include "base/tls/certificates.h"
#include "broker/ca/join_token.h"
#include "tests/fuzz/packets.h"

using berth::fuzz::Expect;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto* const authority = new berth::CertificateAuthority(
      *berth::CertificateAuthority::Create("fuzz"));
  berth::fuzz::Packets packets(data, size);
  for (int i = 0; i < 8; ++i) {
    const auto packet = packets.Next();
    if (!packet.has_value()) break;
    const std::string text(packet->bytes);
    if (packet->kind % 3 == 0) {
      const berth::Identity identity{berth::Purpose::kAgent, "web01"};
      const auto issued = authority->Issue(text, identity, absl::Hours(1));
      if (!issued.ok()) continue;
      const auto named = berth::CertificateIdentity(*issued);
      Expect(named.ok() && named->purpose == identity.purpose &&
             named->name == identity.name);
    } else if (packet->kind % 3 == 1) {
      berth::CertificateIdentity(text).IgnoreError();
      berth::CertificateExpiry(text).IgnoreError();
    } else {
      const bool name = berth::CheckName("computer", text).ok();
      berth::broker::TokenRecord token;
      token.digest = berth::broker::TokenDigest(text);
      token.expires_at = absl::InfiniteFuture();
      Expect(token.digest.size() == 32 || token.digest.size() == 64);
      // A name fits the pattern that it is itself, and any name that of none.
      if (!name) continue;
      Expect(berth::broker::CheckTokenPattern(text).ok());
      Expect(berth::broker::CheckToken(token, text, absl::Now()).ok());
      token.name_pattern = text;
      Expect(berth::broker::CheckToken(token, text, absl::Now()).ok());
    }
  }
  return 0;
}
