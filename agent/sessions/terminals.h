#ifndef BERTH_AGENT_SESSIONS_TERMINALS_H_
#define BERTH_AGENT_SESSIONS_TERMINALS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::agent {

// How much of what was typed in one visit has been passed on. Several streams
// may carry one visit, one after another, and the last bytes of a broken one
// may yet be on their way: so what is passed on is decided and done under one
// lock. Thread-safe.
class TypedInput {
 public:
  using Pass = std::function<absl::Status(absl::string_view data)>;

  // Calls `pass` with what of `data`, which begins at `offset`, is new. The
  // first offset of all may be any: this computer may have forgotten the visit.
  // INVALID_ARGUMENT: there is a gap. Else what `pass` says; then nothing
  // counts as passed on.
  absl::Status Take(uint64_t offset, absl::string_view data, const Pass& pass)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Everything before this was passed on.
  uint64_t offset() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  mutable Mutex mu_;
  bool begun_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t offset_ ABSL_GUARDED_BY(mu_) = 0;
};

// The terminals attached to one session: who may type, what size it is, who is
// told what. Knows nothing of streams and holders. Thread-safe.
class Terminals {
 public:
  // Attached at a time.
  static constexpr size_t kMax = 32;
  // Notices that wait for one terminal; the oldest go first.
  static constexpr size_t kMaxNotices = 16;
  // A visit whose stream broke is known for so long, and so many are.
  static constexpr absl::Duration kRemember = absl::Minutes(10);
  static constexpr size_t kMaxVisits = 64;

  // Who wants to attach.
  struct Visitor {
    std::string id;  // The visit's UUID.
    v1::Client client;
    v1::TerminalMode mode = v1::TERMINAL_MODE_UNSPECIFIED;
    v1::TerminalSize size;
  };

  // What others have done to a terminal.
  struct Mail {
    std::vector<std::string> notices;
    // The visit is over.
    std::optional<v1::TerminalEnded> ended;
    // Another stream carries the visit on.
    bool replaced = false;
  };

  // For messages: whose session it is, and its id, such as "3".
  Terminals(std::string owner, std::string session)
      : owner_(std::move(owner)), session_(std::move(session)) {}

  // Whether `visitor` could attach now. FAILED_PRECONDITION: another terminal
  // is attached that may type; says whose and since when. RESOURCE_EXHAUSTED:
  // too many are.
  absl::Status Check(const Visitor& visitor) const ABSL_LOCKS_EXCLUDED(mu_);

  // Attaches, and returns the key for everything else. `wake` is called, with a
  // lock held, when there is mail: it may only do what never blocks and does
  // not call back. Errors as Check(). A visit that is attached already, or was
  // a short while ago, goes on.
  absl::StatusOr<uint64_t> Attach(const Visitor& visitor, absl::Time now,
                                  std::function<void()> wake)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Whether a visit is attached, or was a short while ago.
  bool Knows(absl::string_view id, absl::Time now) const
      ABSL_LOCKS_EXCLUDED(mu_);

  // Ends an attachment. If it was `replaced` nobody is told. Unless
  // `may_return` the visit is forgotten.
  void Detach(uint64_t key, bool may_return, absl::Time now)
      ABSL_LOCKS_EXCLUDED(mu_);

  // What was typed in the visit.
  std::shared_ptr<TypedInput> Input(uint64_t key) const
      ABSL_LOCKS_EXCLUDED(mu_);
  // It types. False: it may not, or not any more.
  bool Type(uint64_t key) ABSL_LOCKS_EXCLUDED(mu_);
  // Whether it was the last to type: an `exit` at the prompt is its.
  bool TypedLast(uint64_t key) const ABSL_LOCKS_EXCLUDED(mu_);

  void Resize(uint64_t key, const v1::TerminalSize& size)
      ABSL_LOCKS_EXCLUDED(mu_);
  // What the session's terminal must be for all that may type to see all of
  // it. Nothing if there is none.
  std::optional<v1::TerminalSize> Size() const ABSL_LOCKS_EXCLUDED(mu_);

  Mail TakeMail(uint64_t key) ABSL_LOCKS_EXCLUDED(mu_);

  // All that are attached; without the one of `except`.
  std::vector<v1::AttachedTerminal> List(uint64_t except = 0) const
      ABSL_LOCKS_EXCLUDED(mu_);
  // How many of them may type.
  size_t typing() const ABSL_LOCKS_EXCLUDED(mu_);

  // Tells those of them that were not told of the end that `idle_since`, when
  // the idle clock started, leads to.
  void WarnOfEnd(absl::Duration idle_since, const std::string& text)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Tells all of them something.
  void NotifyAll(const std::string& text) ABSL_LOCKS_EXCLUDED(mu_);
  // `client` took the session: terminals of others that may type end.
  void SessionTaken(const v1::Client& client, absl::Time now)
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Terminal {
    Visitor visitor;
    absl::Time since;
    std::shared_ptr<TypedInput> input;
    std::function<void()> wake;
    uint64_t typed_at = 0;                    // By `typed_count_`.
    std::optional<absl::Duration> warned_of;  // See WarnOfEnd().
    Mail mail;
  };
  struct Visit {
    std::string id;
    std::string client_id;
    std::shared_ptr<TypedInput> input;
    absl::Time until;
  };

  absl::Status CheckLocked(const Visitor& visitor) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The input of a visit that goes on; a new one else.
  std::shared_ptr<TypedInput> ResumeLocked(const Visitor& visitor,
                                           absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RememberLocked(const Terminal& terminal, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TakeLocked(const v1::Client& by, const std::string& id, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void NotifyLocked(const std::string& text) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  static void Notify(Terminal& terminal, const std::string& text);

  const std::string owner_;
  const std::string session_;
  mutable Mutex mu_;
  uint64_t last_key_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t typed_count_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<uint64_t, Terminal> attached_ ABSL_GUARDED_BY(mu_);
  std::list<Visit> visits_ ABSL_GUARDED_BY(mu_);  // Oldest first.
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_TERMINALS_H_
