// The broker's own SSL_read(), which gRPC is linked with: what it reads of a
// peer is looked at first, as gRPC itself does whatever it is told.

#include "broker/guarded_read.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/monotonic.h"
#include "base/mutex.h"
#include "base/tls/certificates.h"
#include "base/tls/identity.h"
#include "broker/limits/frame_guard.h"
#include "broker/limits/token_buckets.h"
#include "spdlog/spdlog.h"

// As the linker's --wrap has it.
extern "C" int __real_SSL_read(SSL* ssl, void* buffer, int size);
extern "C" int __wrap_SSL_read(SSL* ssl, void* buffer, int size);

namespace berth::broker {
namespace {

constexpr absl::Duration kTellTime = absl::Seconds(10);
constexpr absl::string_view kOnly = "it";

// Of each connection: gRPC pings at most ten times a second, and changes its
// settings as seldom.
constexpr double kOthers = 1'000;
constexpr double kOthersAtOnce = 2'000;
// Of a connection without a certificate: it is there to enrol, or to ask
// whether the broker is well.
constexpr double kStrangersCalls = 20;
constexpr double kStrangersCallsAtOnce = 100;
// Each call that one may make may begin; half of them may be given up.
constexpr double kFramesOfCall = 2;
constexpr double kAgents = 10;
// However few calls a user may make, they are told so by answers.
constexpr double kLeastFrames = 1'000;

// Frames of all with a certificate, by their names.
struct Frames {
  Frames(const CallLimiter::Limits& calls, double factor)
      : buckets(std::max(calls.calls_per_second * factor, kLeastFrames),
                std::max(calls.calls_burst * factor, kLeastFrames)) {}
  TokenBuckets buckets;
};

// Thread-safe.
class Limits {
 public:
  void Set(const CallLimiter::Limits& calls) ABSL_LOCKS_EXCLUDED(mu_) {
    auto users = std::make_shared<Frames>(calls, kFramesOfCall);
    auto agents = std::make_shared<Frames>(calls, kFramesOfCall * kAgents);
    MutexLock lock(mu_);
    users_ = std::move(users);
    agents_ = std::move(agents);
  }

  std::shared_ptr<Frames> Of(Purpose purpose) const ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    return purpose == Purpose::kAgent ? agents_ : users_;
  }

  // Whether it is time to tell of one more who is sent away.
  bool Tells(absl::Time now) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    if (now < tell_at_) return false;
    tell_at_ = now + kTellTime;
    return true;
  }

 private:
  mutable Mutex mu_;
  std::shared_ptr<Frames> users_ ABSL_GUARDED_BY(mu_) =
      std::make_shared<Frames>(CallLimiter::Limits(), kFramesOfCall);
  std::shared_ptr<Frames> agents_ ABSL_GUARDED_BY(mu_) =
      std::make_shared<Frames>(CallLimiter::Limits(), kFramesOfCall* kAgents);
  absl::Time tell_at_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
};

Limits& TheLimits() {
  static Limits& limits = *new Limits;  // Connections may outlive main().
  return limits;
}

// Not set: it shows none, or none of ours.
absl::StatusOr<Identity> IdentityOf(const SSL* ssl) {
  X509* certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr) return absl::NotFoundError("no certificate");
  std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()),
                                                   BIO_free);
  if (memory == nullptr || PEM_write_bio_X509(memory.get(), certificate) != 1) {
    ERR_clear_error();
    return absl::ResourceExhaustedError("no memory");
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  const auto info =
      ReadCertificate(std::string(text, static_cast<size_t>(size)));
  if (!info.ok()) return info.status();
  return info->identity;
}

// One connection. gRPC reads of each on one thread at a time.
class Peer {
 public:
  explicit Peer(const SSL* ssl) {
    const auto identity = IdentityOf(ssl);
    if (!identity.ok()) return;
    who_ =
        absl::StrCat(PurposeName(identity->purpose), " '", identity->name, "'");
    calls_ = TheLimits().Of(identity->purpose);
  }

  const std::string& who() const { return who_; }

  // What came. An error: it is not to be read, nor what follows.
  absl::Status Look(absl::string_view bytes) {
    if (!status_.ok()) return status_;
    const auto counts = guard_.Read(bytes);
    status_ = counts.ok() ? Count(*counts) : counts.status();
    return status_;
  }

 private:
  absl::Status Count(const FrameGuard::Counts& counts) {
    const absl::Time now = MonotonicNow();
    if (counts.others > 0 &&
        others_.Take(kOnly, now, counts.others) > absl::ZeroDuration()) {
      return absl::ResourceExhaustedError(
          absl::StrCat("more than ", kOthers,
                       " frames a second that move nothing (PING, SETTINGS, "
                       "empty DATA)"));
    }
    if (counts.calls == 0) return absl::OkStatus();
    TokenBuckets& calls = calls_ != nullptr ? calls_->buckets : own_calls_;
    const absl::string_view key = calls_ != nullptr ? who_ : kOnly;
    if (calls.Take(key, now, counts.calls) > absl::ZeroDuration()) {
      return absl::ResourceExhaustedError(
          absl::StrCat("more than ", calls.per_second(),
                       " calls begun and given up a second, after ",
                       calls.burst(), " at once"));
    }
    return absl::OkStatus();
  }

  std::string who_ = "one without a certificate";
  std::shared_ptr<Frames> calls_;  // Not set: of a stranger.
  TokenBuckets own_calls_{kStrangersCalls, kStrangersCallsAtOnce};
  TokenBuckets others_{kOthers, kOthersAtOnce};
  FrameGuard guard_;
  absl::Status status_;
};

void FreePeer(void*, void* peer, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Peer*>(peer);
}

// Null: there is no memory.
Peer* PeerOf(SSL* ssl) {
  static const int index =
      SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, FreePeer);
  auto* peer = static_cast<Peer*>(SSL_get_ex_data(ssl, index));
  if (peer != nullptr) return peer;
  auto made = std::make_unique<Peer>(ssl);
  if (SSL_set_ex_data(ssl, index, made.get()) != 1) return nullptr;
  return made.release();
}

bool IsWelcome(SSL* ssl, absl::string_view bytes) {
  Peer* peer = PeerOf(ssl);
  if (peer == nullptr) return false;
  const absl::Status status = peer->Look(bytes);
  if (!status.ok() && TheLimits().Tells(MonotonicNow())) {
    SPDLOG_WARN("{} sent {}, and is sent away", peer->who(),
                std::string(status.message()));
  }
  return status.ok();
}

}  // namespace

void LimitFrames(const CallLimiter::Limits& calls) { TheLimits().Set(calls); }

}  // namespace berth::broker

int __wrap_SSL_read(SSL* ssl, void* buffer, int size) {
  const int read = __real_SSL_read(ssl, buffer, size);
  if (read <= 0 || SSL_is_server(ssl) == 0) return read;
  const absl::string_view bytes(static_cast<const char*>(buffer),
                                static_cast<size_t>(read));
  if (berth::broker::IsWelcome(ssl, bytes)) return read;
  // So gRPC finds the connection broken, and closes it.
  ERR_clear_error();
  ERR_raise(ERR_LIB_SSL, SSL_R_EXCESSIVE_MESSAGE_SIZE);
  return -1;
}
