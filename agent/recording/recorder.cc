#include "agent/recording/recorder.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "agent/sessions/holder_connection.h"
#include "base/escape.h"
#include "base/files.h"
#include "base/monotonic.h"
#include "base/status_macros.h"
#include "base/uuid.h"
#include "spdlog/spdlog.h"

namespace berth::agent {
namespace {

// Output comes in many small records: they are read together.
constexpr absl::Duration kGather = absl::Milliseconds(100);
// After the disk was full, or a file could not be read.
constexpr absl::Duration kRetry = absl::Seconds(2);
// Pieces of one recording before it is the others' turn.
constexpr int kPieces = 8;
constexpr uint32_t kChanges = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR;

// What is recorded may be trimmed, if it was acknowledged as well.
void TellHolder(const SessionRecorder& recorder) {
  auto connection = HolderConnection::Connect(recorder.session_directory());
  if (!connection.ok()) return;  // The session has ended, or is told later.
  holder::v1::Request request;
  *request.mutable_recorded() = recorder.recorded();
  connection->Send(request).IgnoreError();
}

}  // namespace

Recorder::Recorder(Options options)
    : options_(std::move(options)),
      spool_(options_.directory, options_.limit) {}

Recorder::~Recorder() { Stop(); }

absl::Status Recorder::Start() {
  BERTH_RETURN_IF_ERROR(MakePrivateDirectory(options_.directory));
  inotify_.reset(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!inotify_.valid()) return ErrnoToStatus(errno, "inotify");
  wake_.reset(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake_.valid()) return ErrnoToStatus(errno, "eventfd");
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(options_.directory, error)) {
    const std::string name = entry.path().filename();
    if (IsUuid(name)) Adopt(name);
  }
  if (error) return ErrnoToStatus(error.value(), options_.directory);
  next_ = MonotonicNow();
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void Recorder::Stop() {
  if (!thread_.joinable()) return;
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  Post([] {});
  thread_.join();
}

void Recorder::Post(std::function<void()> work) {
  {
    MutexLock lock(mu_);
    posted_.push_back(std::move(work));
  }
  eventfd_write(wake_.get(), 1);
}

absl::Status Recorder::Begin(const v1::RecordingInfo& info,
                             const std::string& session_directory,
                             uint64_t log_limit) {
  BERTH_RETURN_IF_ERROR(
      SessionRecorder::Create(spool_, info, session_directory, log_limit));
  Post([this, id = info.instance_id()] { Adopt(id); });
  return absl::OkStatus();
}

void Recorder::Discard(const std::string& instance_id) {
  Post([this, instance_id] {
    const auto it = recordings_.find(instance_id);
    if (it == recordings_.end()) return;
    spool_.Discard(instance_id);
    Over(it);
  });
}

bool Recorder::Finish(const std::string& instance_id, const std::string& reason,
                      absl::Duration limit) {
  auto done = std::make_shared<absl::Notification>();
  Post([this, instance_id, reason, done] {
    const auto it = recordings_.find(instance_id);
    if (it == recordings_.end()) return done->Notify();
    if (it->second.end.empty()) it->second.end = reason;
    it->second.waiting.push_back([done] { done->Notify(); });
    it->second.not_before = absl::InfinitePast();
    next_ = absl::InfinitePast();
  });
  return done->WaitForNotificationWithTimeout(limit);
}

void Recorder::Adopt(const std::string& instance_id) {
  auto opened = SessionRecorder::Open(spool_, instance_id);
  if (!opened.ok()) {
    SPDLOG_ERROR("the recording of session {} can't go on: {}", instance_id,
                 EscapeForTerminal(opened.status().ToString()));
    return;
  }
  if ((*opened)->over()) return;  // What is left is the uploader's.
  Recording& recording = recordings_[instance_id];
  recording.recorder = *std::move(opened);
  const std::string& directory = recording.recorder->session_directory();
  recording.watch =
      inotify_add_watch(inotify_.get(), directory.c_str(), kChanges);
  if (recording.watch >= 0) {
    watches_[recording.watch] = instance_id;
  } else if (errno == ENOENT) {
    recording.end = "its logs are gone";
  } else {
    // Then it is looked at now and then.
    SPDLOG_WARN("session {}: {}", instance_id,
                ErrnoToStatus(errno, directory).ToString());
  }
  next_ = absl::InfinitePast();
}

void Recorder::TakeEvents() {
  alignas(inotify_event) char buffer[16 << 10];
  ssize_t got = 0;
  while ((got = read(inotify_.get(), buffer, sizeof(buffer))) > 0) {
    for (ssize_t at = 0; at < got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      at += static_cast<ssize_t>(sizeof(inotify_event)) + event->len;
      if (event->mask & IN_Q_OVERFLOW) {
        for (auto& [id, each] : recordings_) each.recorder->TouchAll();
      }
      const auto watch = watches_.find(event->wd);
      if (watch == watches_.end() || event->len == 0) continue;
      const auto it = recordings_.find(watch->second);
      if (it != recordings_.end()) it->second.recorder->Touched(event->name);
    }
  }
}

void Recorder::Run() {
  while (RunPosted()) {
    const absl::Time now = MonotonicNow();
    if (now >= next_) {
      Work(now);
      continue;
    }
    const absl::Duration wait = std::min(next_ - now, absl::Hours(1));
    pollfd fds[] = {{wake_.get(), POLLIN, 0}, {inotify_.get(), POLLIN, 0}};
    poll(fds, 2, static_cast<int>(absl::ToInt64Milliseconds(wait)) + 1);
    if ((fds[1].revents & POLLIN) == 0) continue;
    TakeEvents();
    next_ = std::min(next_, now + kGather);
    // Until then nothing is to be had from events.
    poll(fds, 1, static_cast<int>(absl::ToInt64Milliseconds(kGather)));
  }
}

bool Recorder::RunPosted() {
  eventfd_t ignored;
  eventfd_read(wake_.get(), &ignored);
  std::vector<std::function<void()>> posted;
  {
    MutexLock lock(mu_);
    if (stopping_) return false;
    posted.swap(posted_);
  }
  for (const auto& work : posted) work();
  return true;
}

void Recorder::Work(absl::Time now) {
  TakeEvents();
  next_ = absl::InfiniteFuture();
  for (auto it = recordings_.begin(); it != recordings_.end();) {
    const auto current = it++;
    next_ = std::min(next_, WorkOn(current->second, now));
    if (current->second.recorder->over()) Over(current);
  }
}

absl::Time Recorder::WorkOn(Recording& recording, absl::Time now) {
  if (now < recording.not_before) return recording.not_before;
  const absl::Status status = Advance(recording, now);
  const SessionRecorder& recorder = *recording.recorder;
  if (!status.ok()) {
    SPDLOG_ERROR("the recording of session {} waits: {}",
                 recorder.instance_id(), EscapeForTerminal(status.ToString()));
    recording.not_before = now + kRetry;
    return recording.not_before;
  }
  if (recorder.has_work()) return now;
  if (recorder.has_open()) return recorder.open_since() + options_.seal_after;
  return recording.watch >= 0 ? absl::InfiniteFuture() : now + kRetry;
}

absl::Status Recorder::Advance(Recording& recording, absl::Time now) {
  SessionRecorder& recorder = *recording.recorder;
  if (!recording.end.empty()) return recorder.Finish(recording.end);
  if (recording.watch < 0) recorder.TouchAll();
  for (int i = 0; i < kPieces && recorder.has_work(); ++i) {
    const absl::Status read = recorder.Read();
    if (!read.ok()) {
      SPDLOG_WARN("session {}: {}", recorder.instance_id(),
                  EscapeForTerminal(read.ToString()));
    }
    if (!recorder.full()) continue;
    BERTH_RETURN_IF_ERROR(recorder.Seal());
    TellHolder(recorder);
  }
  if (recorder.has_open() &&
      now >= recorder.open_since() + options_.seal_after) {
    BERTH_RETURN_IF_ERROR(recorder.Seal());
    TellHolder(recorder);
  }
  return absl::OkStatus();
}

void Recorder::Over(Recordings::iterator it) {
  if (it->second.watch >= 0) {
    inotify_rm_watch(inotify_.get(), it->second.watch);
    watches_.erase(it->second.watch);
  }
  for (const auto& tell : it->second.waiting) tell();
  recordings_.erase(it);
}

}  // namespace berth::agent
