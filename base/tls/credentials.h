#ifndef BERTH_BASE_TLS_CREDENTIALS_H_
#define BERTH_BASE_TLS_CREDENTIALS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/tls/certificates.h"
#include "base/tls/identity.h"
#include "grpcpp/grpcpp.h"

namespace berth {

// The largest message that any of our servers and clients takes, in bytes.
inline constexpr int kMaxMessageBytes = 4 << 20;

// Sets up OpenSSL for the process: TLS 1.3 only, AES-128-GCM preferred (the
// fastest with hardware AES). Call first in main(), before any thread.
void InitTls();

// Sets up the process for moving bulk through gRPC. Keeps blocks of up to
// 1 MiB, which messages are made of, on the heap instead of mapping each anew.
// The heap gives back what is more than `keep_bytes` at its end. Call as
// InitTls().
void InitForBulk(int keep_bytes);

// For a broker. Client certificates are verified where they are sent, but not
// demanded: a computer that enrols has none yet.
std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(
    const std::string& ca_pem, const std::string& cert_pem,
    const std::string& key_pem);

// For a client or agent. `cert_pem` and `key_pem` are empty while enrolling.
std::shared_ptr<grpc::ChannelCredentials> MakeChannelCredentials(
    const std::string& ca_pem, const std::string& cert_pem,
    const std::string& key_pem);

// What every channel to a broker needs: the name in its certificate, message
// limits, and pings every 20 s so that a dead link is noticed.
void SetChannelDefaults(grpc::ChannelArguments* arguments);

// The certificate that the other end has shown. Unauthenticated if there was
// none, or one that ReadCertificate() refuses. Cheap: what was read is kept.
absl::StatusOr<std::shared_ptr<const CertificateInfo>> PeerCertificate(
    const grpc::AuthContext& context);

// Who is at the other end. Errors as PeerCertificate().
absl::StatusOr<Identity> PeerIdentity(const grpc::AuthContext& context);

}  // namespace berth

#endif  // BERTH_BASE_TLS_CREDENTIALS_H_
