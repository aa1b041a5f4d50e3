#ifndef BERTH_BROKER_REGISTRY_STORE_H_
#define BERTH_BROKER_REGISTRY_STORE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "broker/registry/records.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::broker {

// Store keeps the registry while the broker is down. Every method may block on
// a disk; StoreThread calls them from its one thread, and so must others.
//
// Errors of all methods: ResourceExhausted (disk full), DataLoss (damaged),
// Unavailable or Internal, with a message that names the store.
class Store {
 public:
  virtual ~Store() = default;

  // Changes between Begin() and Commit() are kept together or not at all.
  // Rollback() undoes them.
  virtual absl::Status Begin() = 0;
  virtual absl::Status Commit() = 0;
  virtual void Rollback() = 0;

  // Adds, or replaces the one of that name.
  virtual absl::Status PutComputer(const ComputerRecord& computer) = 0;
  virtual absl::StatusOr<std::vector<ComputerRecord>> ListComputers() = 0;

  // Adds, or replaces the one of that instance id.
  virtual absl::Status PutSession(const v1::Session& session) = 0;
  // Harmless if there is none.
  virtual absl::Status DeleteSession(absl::string_view instance_id) = 0;
  virtual absl::StatusOr<std::vector<v1::Session>> ListSessions() = 0;

  // The id that an owner's next session gets. Never goes down.
  virtual absl::Status RaiseNextId(absl::string_view owner, uint32_t id) = 0;
  virtual absl::StatusOr<std::map<std::string, uint32_t>> ListNextIds() = 0;

  // Adds a token. AlreadyExists.
  virtual absl::Status AddToken(const TokenRecord& token) = 0;
  // NotFound.
  virtual absl::StatusOr<TokenRecord> GetToken(absl::string_view digest) = 0;
  // Notes who used a token, once more. NotFound.
  virtual absl::Status MarkTokenUsed(absl::string_view digest,
                                     absl::string_view computer,
                                     absl::Time at) = 0;
  // Forgets tokens that expired before `time`.
  virtual absl::Status DeleteTokensExpiredBefore(absl::Time time) = 0;

  // All tokens, also those that were used up or expired.
  virtual absl::StatusOr<std::vector<TokenRecord>> ListTokens() = 0;
  // Harmless if there is none.
  virtual absl::Status DeleteToken(absl::string_view digest) = 0;

  // Whatever is only kept here: its owner knows what `bytes` are. `kind` says
  // whose it is. Adds, or replaces the one of that key.
  virtual absl::Status PutRecord(absl::string_view kind, absl::string_view key,
                                 absl::string_view bytes) = 0;
  // Harmless if there is none.
  virtual absl::Status DeleteRecord(absl::string_view kind,
                                    absl::string_view key) = 0;
  // By key.
  virtual absl::StatusOr<std::map<std::string, std::string>> ListRecords(
      absl::string_view kind) = 0;

  // Adds a notice; the oldest go when there are kMaxNotices.
  static constexpr int kMaxNotices = 20;
  virtual absl::Status AddNotice(const NoticeRecord& notice) = 0;
  // Oldest first.
  virtual absl::StatusOr<std::vector<NoticeRecord>> ListNotices() = 0;

  // Adds a version of the policy; the oldest go when there are kMaxPolicies.
  // AlreadyExists.
  static constexpr int kMaxPolicies = 200;
  virtual absl::Status AddPolicy(const PolicyRecord& policy) = 0;
  // NotFound.
  virtual absl::StatusOr<PolicyRecord> GetPolicy(uint32_t version) = 0;
  // Without their texts, oldest first.
  virtual absl::StatusOr<std::vector<PolicyRecord>> ListPolicies() = 0;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_REGISTRY_STORE_H_
