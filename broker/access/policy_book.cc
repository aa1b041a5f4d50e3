#include "broker/access/policy_book.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"

namespace berth::broker {
namespace {

absl::Status NoVersion(uint32_t version) {
  return absl::NotFoundError(absl::StrCat(
      "no version ", version, " of the policy; the last ", Store::kMaxPolicies,
      " are kept: see `berth admin policy history`"));
}

}  // namespace

PolicyBook::VersionPtr PolicyBook::BuiltIn(PolicyRecord record) {
  auto version = std::make_shared<Version>();
  record.built_in = true;
  record.text = std::string(Policy::BuiltInText());
  version->record = std::move(record);
  version->policy = *Policy::Parse(Policy::BuiltInText(), "built-in policy");
  return version;
}

PolicyBook::PolicyBook(StoreThread& store)
    : store_(store), current_(BuiltIn({})) {}

absl::StatusOr<PolicyBook::Latest> PolicyBook::ReadLatest(Store& store) {
  BERTH_ASSIGN_OR_RETURN(const std::vector<PolicyRecord> versions,
                         store.ListPolicies());
  if (versions.empty()) return Latest{BuiltIn({}), ""};
  BERTH_ASSIGN_OR_RETURN(PolicyRecord record,
                         store.GetPolicy(versions.back().version));
  if (record.built_in) return Latest{BuiltIn(std::move(record)), ""};
  auto policy = Policy::Parse(record.text,
                              absl::StrCat("policy version ", record.version));
  Latest latest;
  auto version = std::make_shared<Version>();
  version->record = std::move(record);
  if (policy.ok()) {
    version->policy = *std::move(policy);
  } else {
    // What it granted is not known, so nothing is.
    version->policy = std::make_shared<const Policy>();
    latest.problem = absl::StrCat(
        "the policy can't be read, so nothing is granted to anybody, and only "
        "`admins` of broker.toml can apply another: ",
        policy.status().message());
  }
  latest.version = std::move(version);
  return latest;
}

void PolicyBook::Begin(VersionPtr version) {
  MutexLock lock(mu_);
  current_ = std::move(version);
}

PolicyBook::VersionPtr PolicyBook::Current() const {
  MutexLock lock(mu_);
  return current_;
}

absl::StatusOr<std::shared_ptr<PolicyBook::Version>> PolicyBook::Read(
    const Change& change) {
  PolicyRecord record{.at = absl::Now(),
                      .by = change.by,
                      .text = change.text,
                      .restores = change.restores};
  if (change.restores == 0u) {
    return std::make_shared<Version>(*BuiltIn(std::move(record)));
  }
  auto version = std::make_shared<Version>();
  BERTH_ASSIGN_OR_RETURN(version->policy, Policy::Parse(change.text, "policy"));
  version->record = std::move(record);
  return version;
}

absl::Status PolicyBook::Reserve(const Change& change, Version& version) {
  MutexLock lock(mu_);
  if (applying_) {
    return absl::AbortedError(
        "another policy is being applied at this moment; look at it (`berth "
        "admin policy show`) and try again");
  }
  const uint32_t current = current_->record.version;
  if (change.expected.has_value() && *change.expected != current) {
    return absl::FailedPreconditionError(
        absl::StrCat("version ", current, " of the policy holds, by user '",
                     current_->record.by, "', not version ", *change.expected,
                     " as expected; see `berth admin policy diff ",
                     *change.expected, " ", current, "`"));
  }
  version.record.version = current + 1;
  applying_ = !change.dry_run;
  return absl::OkStatus();
}

void PolicyBook::Apply(Change change, Done<VersionPtr> done) {
  auto version = Read(change);
  if (!version.ok()) return done(version.status());
  const absl::Status status = Reserve(change, **version);
  if (!status.ok()) return done(status);
  if (change.dry_run) return done(VersionPtr(*std::move(version)));
  PolicyRecord kept = (*version)->record;
  if (kept.built_in) kept.text.clear();
  store_.Do(
      [kept = std::move(kept)](Store& store) { return store.AddPolicy(kept); },
      [this, version = VersionPtr(*std::move(version)),
       done = std::move(done)](absl::Status result) {
        OnKept(version, result);
        if (result.ok()) {
          done(version);
        } else {
          done(result);
        }
      });
}

void PolicyBook::OnKept(const VersionPtr& version, const absl::Status& status) {
  {
    MutexLock lock(mu_);
    applying_ = false;
    if (!status.ok()) return;
    current_ = version;
  }
  if (on_change_) on_change_();
}

void PolicyBook::RollBack(uint32_t version, Change change,
                          Done<VersionPtr> done) {
  Get(version,
      [this, version, change = std::move(change),
       done = std::move(done)](absl::StatusOr<PolicyRecord> record) mutable {
        if (!record.ok()) return done(record.status());
        change.restores = record->built_in ? 0 : version;
        change.text = std::move(record->text);
        Apply(std::move(change), std::move(done));
      });
}

void PolicyBook::Get(uint32_t version, Done<PolicyRecord> done) {
  if (version == 0) return done(BuiltIn({})->record);
  auto found = std::make_shared<absl::StatusOr<PolicyRecord>>();
  store_.Do(
      [version, found](Store& store) -> absl::Status {
        *found = store.GetPolicy(version);
        return absl::IsNotFound(found->status()) ? absl::OkStatus()
                                                 : found->status();
      },
      [version, found, done = std::move(done)](absl::Status status) {
        if (!status.ok()) return done(status);
        if (absl::IsNotFound(found->status())) return done(NoVersion(version));
        if ((*found)->built_in)
          (*found)->text = std::string(Policy::BuiltInText());
        done(*std::move(*found));
      });
}

void PolicyBook::List(Done<std::vector<PolicyRecord>> done) {
  auto found = std::make_shared<absl::StatusOr<std::vector<PolicyRecord>>>();
  store_.Do(
      [found](Store& store) -> absl::Status {
        *found = store.ListPolicies();
        return found->status();
      },
      [found, done = std::move(done)](absl::Status status) {
        if (!status.ok()) return done(status);
        done(*std::move(*found));
      });
}

}  // namespace berth::broker
