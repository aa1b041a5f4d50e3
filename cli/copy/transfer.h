#ifndef BERTH_CLI_COPY_TRANSFER_H_
#define BERTH_CLI_COPY_TRANSFER_H_

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/copy/progress.h"
#include "cli/client/backoff.h"
#include "cli/client/connection.h"
#include "cli/copy/copy_stream.h"
#include "cli/copy/progress_bar.h"
#include "cli/invocation/invocation.h"
#include "proto/berth/v1/files.pb.h"

namespace berth::cli {

// What all copies of a command line share.
struct CopyOptions {
  bool recursive = false;
  bool preserve = false;
};

// One copy between here and one session, over as many streams as it takes: when
// a link breaks it comes back and goes on where it stopped, for kPatience.
class Transfer {
 public:
  static constexpr absl::Duration kPatience = absl::Minutes(4);

  // `name`: what the user calls the session. All must outlive the transfer.
  Transfer(Connection& connection, Invocation& invocation, ProgressBar& bar,
           std::string name)
      : connection_(connection),
        invocation_(invocation),
        bar_(bar),
        name_(std::move(name)) {}
  virtual ~Transfer() = default;

  // True: everything was copied. Else the user was told what was not.
  bool Run();

 protected:
  // One stream, from its first frame to its end. `complete`: there is nothing
  // left to do.
  virtual absl::Status Attempt(CopyStream& stream, bool& complete) = 0;

  // One entry that could not be copied: tells the user.
  void Problem(absl::string_view text);
  // The first frame is on its way: the session may get it.
  void Sent() { sent_ = true; }
  // The peer has accepted the copy: from now on a lost link is worth a retry.
  void Opened();
  // What is wrong now is so on every stream.
  void NoRetry() { no_retry_ = true; }
  v1::OpenCopy MakeOpen(const v1::SessionRef& session) const;
  const std::string& name() const { return name_; }
  Invocation& invocation() { return invocation_; }
  copy::Progress& progress() { return bar_.progress(); }
  bool wants_total() const { return bar_.enabled(); }

 private:
  bool MayRetry(const CopyStream& stream, const absl::Status& status) const;
  bool WaitForRetry(const absl::Status& status);

  Connection& connection_;
  Invocation& invocation_;
  ProgressBar& bar_;
  const std::string name_;
  Backoff backoff_;
  std::atomic<bool> opened_ = false;
  std::atomic<bool> answered_ = false;  // On this stream.
  std::atomic<bool> has_problems_ = false;
  bool sent_ = false;
  std::atomic<bool> no_retry_ = false;
  absl::Time lost_at_ = absl::InfiniteFuture();
};

}  // namespace berth::cli

#endif  // BERTH_CLI_COPY_TRANSFER_H_
