#ifndef BERTH_CLI_COPY_UPLOAD_H_
#define BERTH_CLI_COPY_UPLOAD_H_

#include <optional>
#include <string>
#include <vector>

#include "base/cond_var.h"
#include "base/copy/sender.h"
#include "base/mutex.h"
#include "cli/copy/transfer.h"

namespace berth::cli {

// Copies from here to a session.
class Upload final : public Transfer {
 public:
  struct What {
    v1::SessionRef session;
    std::vector<std::string> sources;  // Absolute paths.
    std::string destination;
    bool folder = false;  // The destination has to be one.
    CopyOptions options;
  };

  Upload(Connection& connection, Invocation& invocation, ProgressBar& bar,
         std::string name, What what)
      : Transfer(connection, invocation, bar, std::move(name)),
        what_(std::move(what)) {}

 private:
  absl::Status Attempt(CopyStream& stream, bool& complete) override
      ABSL_LOCKS_EXCLUDED(mu_);
  v1::CopyFrame FirstFrame() ABSL_LOCKS_EXCLUDED(mu_);
  void ReadReports(CopyStream& stream, copy::Sender& sender)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Waits for the peer to say where things go, which must be known for another
  // attempt. False: the stream has ended.
  bool WaitOpened() ABSL_LOCKS_EXCLUDED(mu_);

  const What what_;
  std::optional<v1::CopyPosition> position_;
  bool counted_ = false;  // Totals are known to the user.

  Mutex mu_;
  CondVar changed_;
  std::optional<v1::CopyOpened> where_ ABSL_GUARDED_BY(mu_);
  bool read_all_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_COPY_UPLOAD_H_
