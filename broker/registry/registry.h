#ifndef BERTH_BROKER_REGISTRY_REGISTRY_H_
#define BERTH_BROKER_REGISTRY_REGISTRY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "base/node_set.h"
#include "broker/registry/records.h"
#include "broker/registry/session_view.h"
#include "proto/berth/link/v1/link.pb.h"
#include "proto/berth/v1/computers.pb.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::broker {

// A session as its computer reported it last. Never changes: a newer report
// makes a new one.
using SessionRecord = std::shared_ptr<const v1::Session>;

// Registry knows every computer and session, in memory: what agents say goes
// in, and every question of a client is answered from it. The agents are the
// truth; this is an index over what they said. Thread-safe; knows nothing of
// gRPC and does no I/O.
class Registry {
 public:
  // What to write to the store after a change, if anything.
  struct Changes {
    std::vector<SessionRecord> put;
    std::vector<std::string> deleted;  // Instance ids.
    // At link-up: those of `put` that were not known at all.
    std::vector<SessionRecord> learned;
    // All that changed, or went, also what the store need not hear of.
    std::vector<SessionRecord> touched;
  };

  Registry() = default;
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // Fills an empty registry from a store, with every computer offline.
  void Load(const std::vector<ComputerRecord>& computers,
            const std::vector<v1::Session>& sessions,
            const std::map<std::string, uint32_t>& next_ids)
      ABSL_LOCKS_EXCLUDED(mu_);

  // A computer was enrolled (again). It is offline until its agent connects.
  void AddComputer(ComputerRecord record) ABSL_LOCKS_EXCLUDED(mu_);

  // The link of a computer came up: `hello` is complete, so what it does not
  // list is gone. `*record` becomes what the store should keep of it.
  Changes LinkUp(absl::string_view computer, const link::v1::Hello& hello,
                 absl::Time now, ComputerRecord* record)
      ABSL_LOCKS_EXCLUDED(mu_);
  // The link went down.
  ComputerRecord LinkDown(absl::string_view computer, absl::Time now)
      ABSL_LOCKS_EXCLUDED(mu_);

  // All configurations of a computer, anew. `*record` as for LinkUp.
  void SetConfigurations(absl::string_view computer,
                         const link::v1::ConfigurationsChanged& changed,
                         ComputerRecord* record) ABSL_LOCKS_EXCLUDED(mu_);

  // A session of `computer` was made, changed or ended. AlreadyExists: its
  // instance id belongs to a session of another computer. InvalidArgument: the
  // report is incomplete.
  absl::StatusOr<Changes> Put(absl::string_view computer, v1::Session session)
      ABSL_LOCKS_EXCLUDED(mu_);
  // A session is gone. Harmless if it is not known, or of another computer.
  Changes Remove(absl::string_view computer, absl::string_view instance_id)
      ABSL_LOCKS_EXCLUDED(mu_);

  // The id for a new session of `owner`, which is not given out again.
  uint32_t TakeNextId(absl::string_view owner) ABSL_LOCKS_EXCLUDED(mu_);

  // The one session of `owner` that `ref` names. InvalidArgument: it names
  // none. NotFound; FailedPrecondition: it fits several.
  absl::StatusOr<SessionRecord> Resolve(absl::string_view owner,
                                        const v1::SessionRef& ref) const
      ABSL_LOCKS_EXCLUDED(mu_) {
    return Resolve(owner, ref, [](const v1::Session&) { return true; });
  }
  // As if there were only those that are `visible`.
  absl::StatusOr<SessionRecord> Resolve(
      absl::string_view owner, const v1::SessionRef& ref,
      absl::FunctionRef<bool(const v1::Session&)> visible) const
      ABSL_LOCKS_EXCLUDED(mu_);

  // By instance id, of any owner. Null if there is none.
  SessionRecord Find(absl::string_view instance_id) const
      ABSL_LOCKS_EXCLUDED(mu_);

  // Where a session stands among those of its owner: id and instance id. A
  // lost registry may have given an id out twice, so the id alone is no key.
  using IdKey = std::pair<uint32_t, std::string>;

  // The first `limit` sessions of `owner` behind `after`, by id. Who goes on
  // behind the last one sees each session that stays once, whatever comes and
  // goes meanwhile.
  std::vector<SessionRecord> SessionsOf(absl::string_view owner,
                                        const IdKey& after, size_t limit) const
      ABSL_LOCKS_EXCLUDED(mu_);
  // All sessions of `owner`, by id.
  std::vector<SessionRecord> SessionsOf(absl::string_view owner) const
      ABSL_LOCKS_EXCLUDED(mu_);
  // All who have sessions, by name.
  std::vector<std::string> Owners() const ABSL_LOCKS_EXCLUDED(mu_);
  // All sessions on `computer`, in no order.
  std::vector<SessionRecord> SessionsOn(absl::string_view computer) const
      ABSL_LOCKS_EXCLUDED(mu_);
  // All sessions that somebody holds.
  std::vector<SessionRecord> HeldSessions() const ABSL_LOCKS_EXCLUDED(mu_);

  // Whether a computer can be reached. NotFound if it never enrolled.
  absl::StatusOr<Reachability> GetReachability(absl::string_view computer) const
      ABSL_LOCKS_EXCLUDED(mu_);
  // NotFound: no computer is named so, for all that the asker may know.
  static absl::Status NoComputer(absl::string_view name);
  // The name of a computer as it enrolled, for one given without regard to
  // case. NotFound.
  absl::StatusOr<std::string> ComputerNamed(absl::string_view name) const
      ABSL_LOCKS_EXCLUDED(mu_);
  // How one caller sees a session.
  v1::Session View(absl::string_view client_id,
                   const v1::Session& session) const ABSL_LOCKS_EXCLUDED(mu_);

  // Whether `request`'s session could be made on `computer`: its configuration
  // (empty: the default) is there, and allows its idle timeout. NotFound,
  // FailedPrecondition, InvalidArgument, PermissionDenied.
  absl::Status CheckConfiguration(absl::string_view computer,
                                  const v1::CreateSessionRequest& request) const
      ABSL_LOCKS_EXCLUDED(mu_);

  // The name and the labels of a computer, found as by ComputerNamed().
  // NotFound.
  absl::StatusOr<NodeSet::Node> NodeNamed(absl::string_view name) const
      ABSL_LOCKS_EXCLUDED(mu_);
  // The configuration that `computer` makes sessions from if none is named.
  // Empty: it never told of one.
  std::string DefaultConfiguration(absl::string_view computer) const
      ABSL_LOCKS_EXCLUDED(mu_);

  // All configurations of all computers, by computer and name.
  std::vector<v1::Configuration> Configurations() const
      ABSL_LOCKS_EXCLUDED(mu_);

  // Computers that were not linked since this was loaded, by name: what is
  // known of them is as it was then.
  std::vector<std::string> Unheard() const ABSL_LOCKS_EXCLUDED(mu_);

  // All computers, by name.
  std::vector<v1::Computer> Computers() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct ComputerEntry {
    ComputerRecord record;
    Reachability reach;
    bool heard = false;
    std::string frozen;  // As the agent tells; not kept.
    std::map<std::string, v1::Configuration> configurations;  // By name.
    absl::flat_hash_set<std::string> sessions;                // Instance ids.
  };
  struct Owner {
    uint32_t next_id = 1;
    absl::btree_map<IdKey, SessionRecord> sessions;
  };

  absl::Status PutLocked(absl::string_view computer, v1::Session session,
                         Changes* changes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RemoveLocked(const std::string& instance_id, Changes* changes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  static void SetConfigurations(
      const google::protobuf::RepeatedPtrField<v1::Configuration>& all,
      ComputerEntry& entry);
  ComputerEntry& ComputerLocked(absl::string_view name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::vector<SessionRecord> MatchesLocked(absl::string_view owner,
                                           const v1::SessionRef& ref) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Mutex mu_;
  absl::btree_map<std::string, ComputerEntry> computers_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<std::string, SessionRecord> sessions_
      ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<std::string, Owner> owners_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_REGISTRY_REGISTRY_H_
