#include "cli/copy/download.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/copy/frame.h"
#include "base/copy/names.h"
#include "base/copy/place.h"
#include "base/status_macros.h"

namespace berth::cli {
namespace {

constexpr uint64_t kTellEvery = 10'000;

}  // namespace

absl::StatusOr<copy::Receiver::Options> Download::ReceiverOptions() {
  v1::CopyDestination to;
  if (where_.has_value()) {
    to = *where_;
  } else {
    to.set_path(what_.destination);
    to.set_folder(what_.folder);
  }
  const copy::Place place(invocation().cwd(), "");
  BERTH_ASSIGN_OR_RETURN(copy::Place::Destination destination,
                         place.OpenDestination(to));
  if (!where_.has_value()) {
    to.set_path_is_source(!destination.name.empty());
    where_ = to;
  }
  copy::Receiver::Options options;
  options.folder = std::move(destination.folder);
  options.path = destination.folder_path;
  options.sources = what_.sources.size();
  options.names.emplace();
  for (const std::string& source : what_.sources) {
    options.names->push_back(destination.name.empty() ? copy::LastName(source)
                                                      : destination.name);
  }
  options.preserve = what_.options.preserve;
  options.progress = &progress();
  options.stopped = [this] { return invocation().signals().left(); };
  options.problem = [this](const std::string& text) {
    Problem(absl::StrCat(name(), ":", text));
  };
  return options;
}

v1::CopyFrame Download::FirstFrame() const {
  v1::CopyFrame frame;
  v1::OpenCopy& open = *frame.mutable_open();
  open = MakeOpen(what_.session);
  v1::CopySources& from = *open.mutable_from();
  from.mutable_paths()->Assign(what_.sources.begin(), what_.sources.end());
  from.set_recursive(what_.options.recursive);
  from.set_want_total(wants_total());
  if (position_.has_value()) *open.mutable_after() = *position_;
  return frame;
}

absl::Status Download::Attempt(CopyStream& stream, bool& complete) {
  receiver_.reset();
  told_ = 0;
  absl::Status received;
  if (stream.Write(copy::ToFrame(FirstFrame()), /*more=*/false)) {
    Sent();
    received = Receive(stream);
  }
  if (!received.ok()) {
    NoRetry();
    stream.Cancel();
  }
  const absl::Status status = stream.Finish();
  if (receiver_.has_value()) {
    complete = receiver_->finished() && received.ok();
    if (const auto position = receiver_->position()) position_ = position;
    receiver_.reset();
  }
  return received.ok() ? status : received;
}

absl::Status Download::Receive(CopyStream& stream) {
  grpc::ByteBuffer buffer;
  copy::ReceivedFrame frame;
  while (stream.Read(buffer)) {
    if (!frame.Parse(buffer)) {
      return absl::DataLossError("the session sent a malformed frame");
    }
    BERTH_RETURN_IF_ERROR(Take(stream, frame));
  }
  return absl::OkStatus();
}

absl::Status Download::Take(CopyStream& stream,
                            const copy::ReceivedFrame& frame) {
  if (frame.message().has_opened()) {
    Opened();
    BERTH_ASSIGN_OR_RETURN(copy::Receiver::Options options, ReceiverOptions());
    receiver_.emplace(std::move(options));
  }
  if (!receiver_.has_value()) {
    return absl::FailedPreconditionError("the session did not say `opened`");
  }
  BERTH_RETURN_IF_ERROR(receiver_->Take(frame));
  if (const auto report = receiver_->TakeReport()) {
    MaybeReport(stream, *report);
  }
  if (receiver_->finished()) stream.WritesDone();
  return absl::OkStatus();
}

void Download::MaybeReport(CopyStream& stream, const v1::CopyReport& report) {
  for (const v1::CopyFailure& failure : report.failures()) {
    Problem(failure.message());
  }
  // What is done is of little interest to the sender.
  if (!report.has_ready() && report.failures().empty() &&
      report.done() < told_ + kTellEvery) {
    return;
  }
  told_ = report.done();
  v1::CopyFrame frame;
  *frame.mutable_report() = report;
  // If it can't be written, reading ends as well.
  stream.Write(copy::ToFrame(frame), /*more=*/false);
}

}  // namespace berth::cli
