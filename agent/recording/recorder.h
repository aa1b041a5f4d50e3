#ifndef BERTH_AGENT_RECORDING_RECORDER_H_
#define BERTH_AGENT_RECORDING_RECORDER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/recording/session_recorder.h"
#include "agent/recording/spool.h"
#include "base/mutex.h"
#include "base/unique_fd.h"
#include "proto/berth/v1/recordings.pb.h"

namespace berth::agent {

// Records the sessions of this computer, on one thread: the kernel tells which
// of their files change. Thread-safe.
class Recorder {
 public:
  struct Options {
    std::string directory;  // Of the spool; made if needed.
    uint64_t limit = 1 << 30;
    // What was read is sealed after this time at the latest.
    absl::Duration seal_after = absl::Minutes(1);
  };

  explicit Recorder(Options options);
  ~Recorder();

  // Goes on with the recordings of the last run. Fails as the file system does.
  absl::Status Start();
  // What is not sealed is read again by the next agent.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  // A session is about to be made in `session_directory`, which exists; its
  // logs get to `log_limit` bytes. Fails as the file system does: then it must
  // not be made.
  absl::Status Begin(const v1::RecordingInfo& info,
                     const std::string& session_directory, uint64_t log_limit)
      ABSL_LOCKS_EXCLUDED(mu_);
  // It never came to be.
  void Discard(const std::string& instance_id) ABSL_LOCKS_EXCLUDED(mu_);

  // A session has ended; `reason` is for people. Its logs may be deleted if
  // this returns true: all is recorded, or it is not recorded at all. Waits no
  // longer than `limit`.
  bool Finish(const std::string& instance_id, const std::string& reason,
              absl::Duration limit) ABSL_LOCKS_EXCLUDED(mu_);

  Spool& spool() { return spool_; }

 private:
  struct Recording {
    std::unique_ptr<SessionRecorder> recorder;
    int watch = -1;
    absl::Time not_before = absl::InfinitePast();  // After a failure.
    std::string end;  // Why it is to be finished; empty: it goes on.
    std::vector<std::function<void()>> waiting;  // For that.
  };
  using Recordings = std::map<std::string, Recording>;

  // Runs `work` on the thread.
  void Post(std::function<void()> work) ABSL_LOCKS_EXCLUDED(mu_);
  void Run() ABSL_LOCKS_EXCLUDED(mu_);
  bool RunPosted() ABSL_LOCKS_EXCLUDED(mu_);
  // The rest is the thread's.
  void Adopt(const std::string& instance_id);
  void TakeEvents();
  void Work(absl::Time now);
  // Reads and seals for one recording. Returns when to come back.
  absl::Time WorkOn(Recording& recording, absl::Time now);
  absl::Status Advance(Recording& recording, absl::Time now);
  void Over(Recordings::iterator recording);

  const Options options_;
  Spool spool_;
  UniqueFd inotify_;
  UniqueFd wake_;
  std::thread thread_;

  Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::function<void()>> posted_ ABSL_GUARDED_BY(mu_);

  // The thread's.
  Recordings recordings_;
  absl::flat_hash_map<int, std::string> watches_;
  absl::Time next_ = absl::InfiniteFuture();
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_RECORDING_RECORDER_H_
