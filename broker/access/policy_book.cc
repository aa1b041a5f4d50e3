#include "broker/access/policy_book.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/escape.h"
#include "base/status_macros.h"

namespace berth::broker {
namespace {

constexpr char kNothingGranted[] =
    "the policy can't be read, so nothing is granted to anybody, and only "
    "`admins` of broker.toml can apply another: ";

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

PolicyBook::PolicyBook(StoreThread& store, PolicyCopy copy)
    : store_(store), copy_(std::move(copy)), current_(BuiltIn({})) {}

absl::StatusOr<PolicyBook::Latest> PolicyBook::ReadLatest(
    Store& store, const PolicyCopy& copy) {
  BERTH_ASSIGN_OR_RETURN(const std::vector<PolicyRecord> versions,
                         store.ListPolicies());
  PolicyRecord record;
  if (!versions.empty()) {
    BERTH_ASSIGN_OR_RETURN(record, store.GetPolicy(versions.back().version));
  }
  Latest latest;
  const absl::StatusOr<std::optional<PolicyRecord>> kept = copy.Read();
  if (kept.ok() && kept->has_value() && (*kept)->version > record.version) {
    latest.problem = absl::StrCat(
        "the registry has version ", record.version, " of the policy, and '",
        copy.path(), "' version ", (*kept)->version, ": that holds");
    latest.from_copy = true;
    record = **kept;
  } else if (!kept.ok() && record.version == 0) {
    // There was one, and what it granted is not known.
    latest.problem = absl::StrCat(kNothingGranted, kept.status().message());
    auto nothing = std::make_shared<Version>();
    nothing->policy = std::make_shared<const Policy>();
    latest.version = std::move(nothing);
    return latest;
  }
  if (record.version == 0 || record.built_in) {
    latest.version = BuiltIn(std::move(record));
    return latest;
  }
  auto policy = Policy::Parse(record.text,
                              absl::StrCat("policy version ", record.version));
  auto version = std::make_shared<Version>();
  version->record = std::move(record);
  if (policy.ok()) {
    version->policy = *std::move(policy);
  } else {
    version->policy = std::make_shared<const Policy>();
    latest.problem = absl::StrCat(kNothingGranted, policy.status().message());
  }
  latest.version = std::move(version);
  return latest;
}

void PolicyBook::Begin(const Latest& latest) {
  if (latest.from_copy) {
    PolicyRecord record = latest.version->record;
    if (record.built_in) record.text.clear();
    store_.Do([record = std::move(record)](Store& store) {
      return store.AddPolicy(record);
    });
  } else if (latest.version->record.version != 0) {
    // For one that was made before there were copies, or without its own.
    store_.Do([this, version = latest.version](Store&) {
      WriteCopy(version->record);
      return absl::OkStatus();
    });
  }
  MutexLock lock(mu_);
  current_ = latest.version;
}

void PolicyBook::WriteCopy(const PolicyRecord& record) {
  const absl::Status status = copy_.Write(record);
  if (status.ok()) return;
  SPDLOG_ERROR(
      "version {} of the policy holds, but if the registry is lost, it is too: "
      "{}",
      record.version, EscapeForTerminal(status.ToString()));
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
  if (status.ok()) WriteCopy(version->record);
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
