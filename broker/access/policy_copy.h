#ifndef BERTH_BROKER_ACCESS_POLICY_COPY_H_
#define BERTH_BROKER_ACCESS_POLICY_COPY_H_

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker/registry/records.h"

namespace berth::broker {

// PolicyCopy keeps the version of the policy that holds in a file beside the
// registry, on the disk before anybody hears that it holds: a registry that is
// lost, or whose last moments are, must not bring back what was taken away.
// Thread-compatible.
class PolicyCopy {
 public:
  // Empty: nothing is kept.
  explicit PolicyCopy(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }

  // Errors as of WriteFileAtomically().
  absl::Status Write(const PolicyRecord& record) const;
  // Not set: no policy was ever applied here. DataLoss: it can't be read.
  absl::StatusOr<std::optional<PolicyRecord>> Read() const;

 private:
  const std::string path_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_ACCESS_POLICY_COPY_H_
