#include "cli/doctor/tls_probe.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "base/monotonic.h"
#include "base/status_macros.h"
#include "base/tls/certificates.h"

namespace berth::cli {
namespace {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* t) const {
    Free(t);
  }
};
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using X509Ptr = std::unique_ptr<X509, Freer<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Context = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using Connection = std::unique_ptr<SSL, Freer<SSL_free>>;

constexpr char kNoBroker[] =
    "what listens there is no broker: is the port right?";

Bio ToBio(const std::string& pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

absl::Status Use(SSL_CTX* context, const TlsIdentity& identity) {
  int authorities = 0;
  const Bio ca = ToBio(identity.ca_pem);
  while (X509Ptr one{PEM_read_bio_X509(ca.get(), nullptr, nullptr, nullptr)}) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), one.get());
    ++authorities;
  }
  if (authorities == 0) {
    return absl::InvalidArgumentError(
        "the file of the CA holds no certificate; ask for the fleet's ca.pem");
  }
  const X509Ptr certificate(PEM_read_bio_X509(ToBio(identity.cert_pem).get(),
                                              nullptr, nullptr, nullptr));
  const Key key(PEM_read_bio_PrivateKey(ToBio(identity.key_pem).get(), nullptr,
                                        nullptr, nullptr));
  if (certificate == nullptr || key == nullptr ||
      SSL_CTX_use_certificate(context, certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return absl::InvalidArgumentError(
        "certificate and private key can't be read, or don't belong together; "
        "an administrator makes both with 'berth admin user add'");
  }
  return absl::OkStatus();
}

absl::Status Untrusted(long verdict) {
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return absl::UnauthenticatedError(
          "the broker's certificate has expired, by this computer's clock; if "
          "the clock is right, its administrator must renew it");
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return absl::UnauthenticatedError(
          "the broker's certificate is not valid yet: this computer's clock is "
          "behind; set it");
    case X509_V_ERR_HOSTNAME_MISMATCH:
      return absl::UnauthenticatedError(absl::StrCat(
          "the certificate shown there is not one of a broker; ", kNoBroker));
    default:
      return absl::UnauthenticatedError(absl::StrCat(
          "the broker's certificate is not of the CA that this client trusts (",
          X509_verify_cert_error_string(verdict),
          "): it is another fleet's broker, or the CA's file is an old one; "
          "ask its administrator for ca.pem"));
  }
}

absl::Status NotAccepted() {
  return absl::UnauthenticatedError(
      "the broker does not accept this client's certificate: it is of another "
      "fleet; ask its administrator for one");
}

// What the last failed operation means.
absl::Status Explain(SSL* ssl) {
  const unsigned long error = ERR_peek_last_error();
  const long verdict = SSL_get_verify_result(ssl);
  if (ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    return Untrusted(verdict);
  }
  switch (ERR_GET_REASON(error)) {
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return absl::UnauthenticatedError(
          "the broker says that this client's certificate has expired; an "
          "administrator makes another with 'berth admin user add'");
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return NotAccepted();
    default:
      return absl::UnavailableError(kNoBroker);
  }
}

// Runs an operation of a connection that does not block, until it is done.
template <typename Operation>
absl::Status Finish(SSL* ssl, int socket, absl::Time deadline,
                    Operation operation) {
  for (;;) {
    ERR_clear_error();
    const int result = operation();
    if (result > 0) return absl::OkStatus();
    const int error = SSL_get_error(ssl, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      return Explain(ssl);
    }
    const absl::Duration left = deadline - MonotonicNow();
    const short events = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    pollfd ready = {socket, events, 0};
    if (left <= absl::ZeroDuration() ||
        poll(&ready, 1, absl::ToInt64Milliseconds(left) + 1) == 0) {
      return absl::DeadlineExceededError(absl::StrCat(
          "it takes the connection and says nothing; ", kNoBroker));
    }
  }
}

}  // namespace

absl::Status ProbeTls(int socket, const TlsIdentity& identity,
                      absl::Duration timeout) {
  const Context context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return absl::InternalError("no TLS context");
  BERTH_RETURN_IF_ERROR(Use(context.get(), identity));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  const Connection ssl(SSL_new(context.get()));
  if (ssl == nullptr || SSL_set_fd(ssl.get(), socket) != 1) {
    return absl::InternalError("no TLS connection");
  }
  SSL_set_tlsext_host_name(ssl.get(), kBrokerServerName);
  SSL_set1_host(ssl.get(), kBrokerServerName);
  constexpr unsigned char kHttp2[] = {2, 'h', '2'};
  SSL_set_alpn_protos(ssl.get(), kHttp2, sizeof(kHttp2));
  const absl::Time deadline = MonotonicNow() + timeout;
  BERTH_RETURN_IF_ERROR(Finish(ssl.get(), socket, deadline,
                               [&] { return SSL_connect(ssl.get()); }));
  // With TLS 1.3 only what the server says next tells whether it took the
  // client's certificate; HTTP/2 begins with a word of the server's.
  char first;
  const absl::Status heard = Finish(ssl.get(), socket, deadline, [&] {
    return SSL_read(ssl.get(), &first, 1);
  });
  // It is a broker. What else could it have against this client?
  return absl::IsUnavailable(heard) ? NotAccepted() : heard;
}

}  // namespace berth::cli
