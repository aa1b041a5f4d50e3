#ifndef BERTH_BROKER_CA_ROTATION_H_
#define BERTH_BROKER_CA_ROTATION_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace berth::broker {

// How a fleet gets another CA, without a moment in which somebody is shut out.
// From RotateCa() to FinishCa() both are trusted, and the new one issues; the
// broker shows a certificate of the old one, which everybody knows. Agents and
// clients learn of the new one from the broker, and get certificates of it.
// Each works on a broker's directory, and is harmless again if it was cut
// short; the broker takes it over when it is started again.

// Makes another CA. Returns what to tell the operator. FailedPrecondition: the
// last one is not finished.
absl::StatusOr<std::string> RotateCa(const std::string& directory);

// Who would be shut out by FinishCa(), for the operator.
absl::StatusOr<std::string> DescribeCa(const std::string& directory);

// Drops the old CA. FailedPrecondition, unless `force`: there are users or
// computers that have only certificates of it; the message names them.
absl::StatusOr<std::string> FinishCa(const std::string& directory, bool force);

}  // namespace berth::broker

#endif  // BERTH_BROKER_CA_ROTATION_H_
