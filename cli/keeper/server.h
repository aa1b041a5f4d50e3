#ifndef BERTH_CLI_KEEPER_SERVER_H_
#define BERTH_CLI_KEEPER_SERVER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "base/monotonic.h"
#include "base/mutex.h"
#include "base/unique_fd.h"
#include "cli/keeper/keeper.pb.h"
#include "cli/keeper/peer.h"
#include "cli/keeper/warm_connector.h"

namespace berth::cli {

// The keeper: does the commands of `berth` processes that connect to its
// socket. One loop accepts, reads and passes signals on; each command has a
// thread.
class KeeperServer {
 public:
  // More processes than that at a time do their work themselves.
  static constexpr size_t kMaxPeers = 256;
  // A process sends its command at once.
  static constexpr absl::Duration kHelloTimeout = absl::Seconds(5);
  static constexpr absl::Duration kAcceptPause = absl::Milliseconds(100);

  // `stop_listening` is called once, when nothing new is taken any more: the
  // next `berth` can start another keeper.
  KeeperServer(UniqueFd listener, std::string build_id, absl::Duration idle,
               std::function<void()> stop_listening);

  // Serves until told to stop, or unused for the idle time; and then until no
  // command is at work.
  void Run();

 private:
  void WaitForEvents();
  int TimeoutMs() const;
  bool Accept();
  void Service(int id, Peer& peer);
  void Handle(int id, Peer& peer, const keeper::ClientMessage& message);
  void Invoke(int id, Peer& peer, const keeper::Invoke& invoke);
  void Control(Peer& peer, keeper::ControlKind kind);
  void Refuse(Peer& peer, const std::string& reason);
  void OnExit(int id, int exit_status) ABSL_LOCKS_EXCLUDED(mu_);
  void OnSuspend(int id) ABSL_LOCKS_EXCLUDED(mu_);
  void OnDone(int id) ABSL_LOCKS_EXCLUDED(mu_);
  void Wake();
  void HandleDone() ABSL_LOCKS_EXCLUDED(mu_);
  void RemoveGone();
  void StopListening();
  void RefuseAll();
  size_t CommandCount() const;

  UniqueFd listener_;
  const std::string build_id_;
  const absl::Duration idle_;
  const std::function<void()> stop_listening_;
  const absl::Time started_ = MonotonicNow();
  const UniqueFd wake_;
  WarmConnector connector_;
  absl::Time accept_at_ = absl::InfinitePast();  // Not before that.
  absl::Time last_use_ = MonotonicNow();
  bool stopping_ = false;
  int next_id_ = 1;
  std::map<int, Peer> peers_;

  Mutex mu_;
  std::map<int, int> exits_ ABSL_GUARDED_BY(mu_);  // Id to exit status.
  std::vector<int> suspended_ ABSL_GUARDED_BY(mu_);
  std::vector<int> done_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::cli

#endif  // BERTH_CLI_KEEPER_SERVER_H_
