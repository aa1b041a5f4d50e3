#ifndef BERTH_BROKER_ACCESS_POLICY_BOOK_H_
#define BERTH_BROKER_ACCESS_POLICY_BOOK_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "broker/access/policy_copy.h"
#include "broker/policy/policy.h"
#include "broker/registry/records.h"
#include "broker/registry/store.h"
#include "broker/registry/store_thread.h"

namespace berth::broker {

// PolicyBook keeps the versions of the policy: the current one in memory, all
// of them in the store. Thread-safe; nothing here waits for a disk but
// ReadLatest().
class PolicyBook {
 public:
  // A version that holds, or did. Never changes.
  struct Version {
    PolicyRecord record;
    std::shared_ptr<const Policy> policy;
  };
  using VersionPtr = std::shared_ptr<const Version>;
  // Runs once, on any thread.
  template <typename T>
  using Done = std::function<void(absl::StatusOr<T>)>;

  // What to apply.
  struct Change {
    std::string text;
    std::string by;
    // Only if this version is the current one.
    std::optional<uint32_t> expected = {};
    // The version that `text` was. 0: the built-in one, and `text` is not read.
    std::optional<uint32_t> restores = {};
    // Only say what it would be.
    bool dry_run = false;
  };

  // Begins with the built-in policy. `store` must outlive the book, but for
  // its destructor.
  PolicyBook(StoreThread& store, PolicyCopy copy);
  PolicyBook(const PolicyBook&) = delete;
  PolicyBook& operator=(const PolicyBook&) = delete;

  // What a store has kept.
  struct Latest {
    VersionPtr version;
    // For people: what was not as it should be. A version that can't be read
    // denies everything. Empty: nothing.
    std::string problem;
    // It is not in the store.
    bool from_copy = false;
  };
  // The last version in `store` or, if that is later, of `copy`; if there is
  // none, the built-in one. Errors are the store's.
  static absl::StatusOr<Latest> ReadLatest(Store& store,
                                           const PolicyCopy& copy);
  // Takes it over, before anything else.
  void Begin(const Latest& latest) ABSL_LOCKS_EXCLUDED(mu_);

  // `on_change` runs after each change, on the store's thread, without locks
  // held. Call before anything else.
  void OnChange(std::function<void()> on_change) {
    on_change_ = std::move(on_change);
  }

  VersionPtr Current() const ABSL_LOCKS_EXCLUDED(mu_);

  // Makes `change` the current version, once it is kept. Errors as of
  // ApplyPolicy (proto/berth/v1/policy.proto).
  void Apply(Change change, Done<VersionPtr> done) ABSL_LOCKS_EXCLUDED(mu_);
  // Applies an earlier version again. NotFound. `change.text` is not read.
  void RollBack(uint32_t version, Change change, Done<VersionPtr> done);

  // A version with its text, also of the built-in one. NotFound.
  void Get(uint32_t version, Done<PolicyRecord> done);
  // All that are kept, without texts, oldest first.
  void List(Done<std::vector<PolicyRecord>> done);

 private:
  static VersionPtr BuiltIn(PolicyRecord record);

  // Parses what is to come.
  static absl::StatusOr<std::shared_ptr<Version>> Read(const Change& change);
  // Says which version it is going to be, and keeps others from coming, unless
  // it is a dry run.
  absl::Status Reserve(const Change& change, Version& version)
      ABSL_LOCKS_EXCLUDED(mu_);
  // The store's thread, as may wait for a disk.
  void WriteCopy(const PolicyRecord& record);
  // The store's thread.
  void OnKept(const VersionPtr& version, const absl::Status& status)
      ABSL_LOCKS_EXCLUDED(mu_);

  StoreThread& store_;
  const PolicyCopy copy_;
  std::function<void()> on_change_;
  mutable Mutex mu_;
  VersionPtr current_ ABSL_GUARDED_BY(mu_);
  bool applying_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_ACCESS_POLICY_BOOK_H_
