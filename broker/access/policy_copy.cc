#include "broker/access/policy_copy.h"

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "broker/policy/policy.h"

namespace berth::broker {
namespace {

// Then version, nanoseconds since the epoch, who, and what it is.
constexpr char kHead[] = "# berth-policy ";
constexpr char kBuiltIn[] = "built-in";
constexpr char kGiven[] = "given";
constexpr char kComment[] =
    "# The policy that holds. berth-broker reads it if its registry is lost, "
    "and\n# writes it anew: change it with `berth admin policy apply`.\n";

}  // namespace

absl::Status PolicyCopy::Write(const PolicyRecord& record) const {
  if (path_.empty()) return absl::OkStatus();
  return WriteFileAtomically(
      path_,
      absl::StrCat(kHead, record.version, " ", absl::ToUnixNanos(record.at),
                   " ", record.by, " ", record.built_in ? kBuiltIn : kGiven,
                   "\n", kComment, record.built_in ? "" : record.text));
}

absl::StatusOr<std::optional<PolicyRecord>> PolicyCopy::Read() const {
  if (path_.empty()) return std::nullopt;
  const absl::StatusOr<std::string> content = ReadFile(path_);
  if (absl::IsNotFound(content.status())) return std::nullopt;
  const auto damaged = [&](absl::string_view why) {
    return absl::DataLossError(
        absl::StrCat("the policy's copy '", path_, "': ", why));
  };
  if (!content.ok()) return damaged(content.status().message());
  absl::string_view text = *content;
  const size_t end = text.find('\n');
  absl::string_view head = text.substr(0, end);
  if (end == text.npos || !absl::ConsumePrefix(&head, kHead)) {
    return damaged("it does not begin as one");
  }
  const std::vector<absl::string_view> fields = absl::StrSplit(head, ' ');
  PolicyRecord record;
  int64_t nanos = 0;
  if (fields.size() != 4 || !absl::SimpleAtoi(fields[0], &record.version) ||
      record.version == 0 || !absl::SimpleAtoi(fields[1], &nanos) ||
      (fields[3] != kBuiltIn && fields[3] != kGiven)) {
    return damaged("its first line is not whole");
  }
  record.at = absl::FromUnixNanos(nanos);
  record.by = std::string(fields[2]);
  record.built_in = fields[3] == kBuiltIn;
  text.remove_prefix(end + 1);
  absl::ConsumePrefix(&text, kComment);
  if (!record.built_in) record.text = std::string(text);
  return record;
}

}  // namespace berth::broker
