#include "agent/link/copy_call.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/link/caller.h"
#include "agent/sessions/scoped_credentials.h"
#include "base/copy/frame.h"
#include "base/status_macros.h"
#include "base/uuid.h"

namespace berth::agent {
namespace {

// When there is nothing to report for so long, that is reported: for a stream
// that is broken shows only when it is used, and the reader may be waiting for
// a file.
constexpr int kBeatMs = 200;
// A client that reads no reports is waited for beyond this many failures.
constexpr int kMaxUntold = 1000;
constexpr int kMaxSources = 10'000;

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("malformed frame: ", what));
}

// Of the shell: as the kernel has it, since what the shell reports comes only
// after a command has ended, and is text.
std::string CurrentDirectory(const v1::Session& session,
                             const std::string& home) {
  std::error_code error;
  const std::filesystem::path now = std::filesystem::read_symlink(
      absl::StrCat("/proc/", session.shell_pid(), "/cwd"), error);
  if (!error) return now.string();
  return session.cwd().empty() ? home : session.cwd();
}

}  // namespace

CopyCall::CopyCall(CallContext context, link::v1::OpenCall open)
    : context_(std::move(context)),
      open_(std::move(open)),
      stream_(context_.channel, open_.call_id()) {}

void CopyCall::Cancel() {
  cancelled_ = true;
  stream_.Cancel();
}

void CopyCall::Run() {
  absl::Status status = Prepare();
  if (status.ok()) status = what_.has_to() ? Store() : Fetch();
  stream_.WritesDone();
  context_.ended(open_.call_id(), stream_.frames_written(), status);
  // Lets a reader go that waits for reports to be taken, or for a file.
  {
    MutexLock lock(mu_);
    cancelled_ = true;
    changed_.NotifyAll();
  }
  stream_.Finish();
  // Before the session is let go: files are still open in its area.
  if (const auto rights = ScopedCredentials::Take(account_); rights.ok()) {
    receiver_.reset();
  }
  if (!tenure_.has_value()) return;
  session_->Leave(*tenure_);
  context_.sessions.Touch(session_);
}

absl::Status CopyCall::Prepare() {
  v1::CopyFrame first;
  if (!first.ParseFromString(open_.first_message()) || !first.has_open()) {
    return Malformed("the first one must carry `open`");
  }
  what_ = first.open();
  if (!what_.has_to() && !what_.has_from()) return Malformed("nothing to copy");
  if (!IsUuid(what_.client().id())) {
    return Malformed("`open` needs a client with a UUID");
  }
  BERTH_ASSIGN_OR_RETURN(session_, context_.sessions.table().FindOwned(
                                       OwnerOf(open_), open_.instance_id()));
  BERTH_ASSIGN_OR_RETURN(tenure_,
                         session_->Enter(ClientOf(open_, what_.client())));
  BERTH_RETURN_IF_ERROR(FindAccountOf(session_->Snapshot()));
  return FindPlace(session_->Snapshot());
}

absl::Status CopyCall::FindAccountOf(const v1::Session& session) {
  const Account own = OwnAccount();
  if (session.run_as().empty() || session.run_as() == own.name) {
    account_ = own;
    const char* const home = getenv("HOME");
    if (home != nullptr && home[0] == '/') account_.home = home;
    return absl::OkStatus();
  }
  BERTH_ASSIGN_OR_RETURN(account_, FindAccount(session.run_as()));
  return absl::OkStatus();
}

absl::Status CopyCall::FindPlace(const v1::Session& session) {
  if (session.shell() == v1::SHELL_KIND_RESTRICTED) {
    BERTH_ASSIGN_OR_RETURN(
        place_, copy::Place::Restricted(session_->directory() + "/files"));
    return absl::OkStatus();
  }
  place_.emplace(CurrentDirectory(session, account_.home), account_.home);
  return absl::OkStatus();
}

absl::Status CopyCall::Open(v1::CopyOpened opened,
                            CallStream::FrameHandler handler) {
  BERTH_RETURN_IF_ERROR(stream_.Open(
      context_.workers, [] { return absl::OkStatus(); }, std::move(handler)));
  *opened.mutable_session() = session_->Snapshot();
  v1::CopyFrame frame;
  *frame.mutable_opened() = std::move(opened);
  // If it can't be written, the reader says why.
  stream_.Write(copy::ToFrame(frame), /*more=*/false);
  return absl::OkStatus();
}

uint64_t CopyCall::CopyLimit() const {
  const auto snapshot = context_.sessions.configurations().Get();
  const auto it = snapshot->entries.find(session_->Snapshot().configuration());
  return (it == snapshot->entries.end() ? Configuration()
                                        : it->second.configuration)
      .copy_limit;
}

absl::Status CopyCall::MakeReceiver(v1::CopyOpened& opened) {
  BERTH_ASSIGN_OR_RETURN(const auto rights, ScopedCredentials::Take(account_));
  if (place_->restricted()) {
    BERTH_ASSIGN_OR_RETURN(const uint64_t used, place_->LockAndMeasure());
    quota_.emplace(CopyLimit(), used);
  }
  BERTH_ASSIGN_OR_RETURN(copy::Place::Destination destination,
                         place_->OpenDestination(what_.to()));
  opened.set_path(destination.path);
  opened.set_path_is_source(!destination.name.empty());
  copy::Receiver::Options options;
  options.folder = std::move(destination.folder);
  options.path = destination.folder_path;
  options.sources = kMaxSources;
  if (!destination.name.empty()) {
    options.sources = 1;
    options.names = {destination.name};
  }
  options.preserve = what_.to().preserve();
  if (quota_.has_value()) options.quota = &*quota_;
  options.stopped = [this] { return cancelled_.load(); };
  receiver_.emplace(std::move(options));
  return absl::OkStatus();
}

absl::Status CopyCall::Store() {
  v1::CopyOpened opened;
  BERTH_RETURN_IF_ERROR(MakeReceiver(opened));
  BERTH_RETURN_IF_ERROR(
      Open(std::move(opened), [this](const grpc::ByteBuffer& buffer) {
        return OnStoredFrame(buffer);
      }));
  return SendReports();
}

absl::Status CopyCall::OnStoredFrame(const grpc::ByteBuffer& buffer) {
  copy::ReceivedFrame frame;
  if (!frame.Parse(buffer)) return Malformed("not a CopyFrame");
  {
    BERTH_ASSIGN_OR_RETURN(const auto rights,
                           ScopedCredentials::Take(account_));
    BERTH_RETURN_IF_ERROR(receiver_->Take(frame));
  }
  std::optional<v1::CopyReport> report = receiver_->TakeReport();
  if (!report.has_value()) return absl::OkStatus();
  MutexLock lock(mu_);
  while (report_.failures_size() > kMaxUntold && !cancelled_) {
    changed_.WaitFor(mu_, absl::Minutes(1));
  }
  report_.MergeFrom(*report);
  finished_ = receiver_->finished();
  stream_.Wake();
  return absl::OkStatus();
}

absl::Status CopyCall::SendReports() {
  for (;;) {
    stream_.ClearWake();
    // Before `finished_`, which is set first if both are.
    const CallStream::State state = stream_.state();
    v1::CopyFrame frame;
    bool finished = false;
    {
      MutexLock lock(mu_);
      frame.mutable_report()->Swap(&report_);
      report_.set_done(frame.report().done());
      finished = finished_;
      changed_.NotifyAll();
    }
    if (!stream_.Write(copy::ToFrame(frame), /*more=*/false)) {
      cancelled_ = true;
    }
    if (finished) return absl::OkStatus();
    BERTH_RETURN_IF_ERROR(state.error);
    if (state.half_closed) {
      return absl::FailedPreconditionError(
          "frame out of order: the stream ended before `finished`");
    }
    pollfd wake{stream_.wake_fd(), POLLIN, 0};
    poll(&wake, 1, kBeatMs);
  }
}

absl::Status CopyCall::Fetch() {
  if (what_.from().paths_size() > kMaxSources) {
    return Malformed(absl::StrCat("over ", kMaxSources, " sources"));
  }
  copy::Sender::Options options;
  for (const std::string& path : what_.from().paths()) {
    BERTH_ASSIGN_OR_RETURN(std::string resolved, place_->Resolve(path));
    options.walk.sources.push_back(std::move(resolved));
  }
  options.walk.recursive = what_.from().recursive();
  options.walk.open = [this](const std::string& path) {
    return place_->Open(path);
  };
  if (what_.has_after()) options.walk.after = what_.after();
  options.count = what_.from().want_total();
  // gRPC is used as ourselves: it may start threads.
  ScopedCredentials* taken = nullptr;
  options.write = [this, &taken](const grpc::ByteBuffer& frame, bool more) {
    const ScopedCredentials::Suspended suspended(taken);
    return stream_.Write(frame, more);
  };
  options.check = [this, &taken] {
    const ScopedCredentials::Suspended suspended(taken);
    return stream_.state().error;
  };
  sender_.emplace(std::move(options));
  BERTH_RETURN_IF_ERROR(Open({}, [this](const grpc::ByteBuffer& buffer) {
    return OnReportFrame(buffer);
  }));
  absl::Status sent;
  {
    BERTH_ASSIGN_OR_RETURN(const auto rights,
                           ScopedCredentials::Take(account_));
    taken = rights.get();
    sent = sender_->Run();
    taken = nullptr;
  }
  const absl::Status error = stream_.state().error;
  return error.ok() ? sent : error;
}

absl::Status CopyCall::OnReportFrame(const grpc::ByteBuffer& buffer) {
  copy::ReceivedFrame frame;
  if (!frame.Parse(buffer) || !frame.message().has_report()) {
    return Malformed("not a report");
  }
  return sender_->OnReport(frame.message().report());
}

}  // namespace berth::agent
