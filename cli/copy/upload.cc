#include "cli/copy/upload.h"

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/copy/frame.h"

namespace berth::cli {

v1::CopyFrame Upload::FirstFrame() {
  v1::CopyFrame frame;
  v1::OpenCopy& open = *frame.mutable_open();
  open = MakeOpen(what_.session);
  v1::CopyDestination& to = *open.mutable_to();
  to.set_preserve(what_.options.preserve);
  if (position_.has_value()) *open.mutable_after() = *position_;
  MutexLock lock(mu_);
  if (where_.has_value()) {
    to.set_path(where_->path());
    to.set_path_is_source(where_->path_is_source());
    to.set_folder(!where_->path_is_source());
  } else {
    to.set_path(what_.destination);
    to.set_folder(what_.folder);
  }
  return frame;
}

absl::Status Upload::Attempt(CopyStream& stream, bool& complete) {
  copy::Sender::Options options;
  options.walk.sources = what_.sources;
  options.walk.recursive = what_.options.recursive;
  options.walk.after = position_;
  options.write = [&stream](const grpc::ByteBuffer& frame, bool more) {
    return stream.Write(frame, more);
  };
  options.problem = [this](const std::string& text) { Problem(text); };
  options.progress = &progress();
  options.count = wants_total() && !std::exchange(counted_, true);
  copy::Sender sender(std::move(options));
  {
    MutexLock lock(mu_);
    read_all_ = false;
  }
  absl::Status sent;
  if (stream.Write(copy::ToFrame(FirstFrame()), /*more=*/false)) {
    Sent();
    std::thread reader([&] { ReadReports(stream, sender); });
    // A folder may be made under the destination's name, and must not be taken
    // for what it lies in by another attempt.
    if (!what_.options.recursive || WaitOpened()) sent = sender.Run();
    if (sent.ok()) stream.WritesDone();
    reader.join();
  }
  const absl::Status status = stream.Finish();
  complete = sent.ok() && status.ok() && sender.all_done();
  position_ = sender.position();
  return status;
}

bool Upload::WaitOpened() {
  MutexLock lock(mu_);
  while (!where_.has_value() && !read_all_) {
    changed_.WaitFor(mu_, absl::Seconds(10));  // Ends with the stream.
  }
  return where_.has_value();
}

void Upload::ReadReports(CopyStream& stream, copy::Sender& sender) {
  grpc::ByteBuffer buffer;
  copy::ReceivedFrame frame;
  absl::Status status = absl::UnavailableError("the stream has ended");
  while (stream.Read(buffer)) {
    if (!frame.Parse(buffer)) {
      status = absl::DataLossError("the session sent a malformed frame");
      NoRetry();
      stream.Cancel();
      break;
    }
    const v1::CopyFrame& message = frame.message();
    if (message.has_opened()) {
      Opened();
      MutexLock lock(mu_);
      where_ = message.opened();
      changed_.NotifyAll();
    }
    for (const v1::CopyFailure& failure : message.report().failures()) {
      Problem(absl::StrCat(name(), ":", failure.message()));
    }
    if (!message.has_report()) continue;
    if (status = sender.OnReport(message.report()); !status.ok()) {
      NoRetry();
      stream.Cancel();
      break;
    }
    status = absl::UnavailableError("the stream has ended");
  }
  sender.Stop(status);
  while (stream.Read(buffer)) {
  }
  MutexLock lock(mu_);
  read_all_ = true;
  changed_.NotifyAll();
}

}  // namespace berth::cli
