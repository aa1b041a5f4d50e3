#include "broker/grpc_log.h"

#include <grpc/support/log.h>

#include <string>

#include "absl/strings/string_view.h"
#include "base/escape.h"
#include "base/monotonic.h"
#include "base/mutex.h"
#include "spdlog/spdlog.h"

namespace berth::broker {
namespace {

constexpr int kLines = 10;
constexpr absl::Duration kInterval = absl::Seconds(10);
constexpr size_t kLineSize = 300;

// Thread-safe.
class Lines {
 public:
  // Whether one more may be written. `left_out`: of those before.
  bool Take(int* left_out) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    const absl::Time now = MonotonicNow();
    if (now >= until_) {
      until_ = now + kInterval;
      *left_out = left_out_;
      written_ = 0;
      left_out_ = 0;
    }
    if (written_ == kLines) {
      ++left_out_;
      return false;
    }
    ++written_;
    return true;
  }

 private:
  Mutex mu_;
  absl::Time until_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
  int written_ ABSL_GUARDED_BY(mu_) = 0;
  int left_out_ ABSL_GUARDED_BY(mu_) = 0;
};

void Write(gpr_log_func_args* args) {
  static Lines& lines = *new Lines;  // Threads may outlive main().
  int left_out = 0;
  if (args->severity != GPR_LOG_SEVERITY_ERROR || !lines.Take(&left_out)) {
    return;
  }
  if (left_out > 0) SPDLOG_WARN("gRPC: {} lines were left out", left_out);
  SPDLOG_WARN(
      "gRPC: {}",
      EscapeForTerminal(absl::string_view(args->message).substr(0, kLineSize)));
}

}  // namespace

void BoundGrpcLog() { gpr_set_log_function(Write); }

}  // namespace berth::broker
