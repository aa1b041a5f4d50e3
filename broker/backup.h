#ifndef BERTH_BROKER_BACKUP_H_
#define BERTH_BROKER_BACKUP_H_

#include <string>

#include "absl/status/status.h"

namespace berth::broker {

// Copies a broker's directory to `target`, which must not exist: CA,
// certificates, configuration, and the registry as it is at one moment. The
// broker may serve meanwhile. A broker can be served from the copy as it is.
// The copy is secret: it has the CA's key. It appears whole, or not at all.
//
// AlreadyExists: there is something at `target`. NotFound: no broker in
// `directory`. What else is wrong with a file names the file.
absl::Status BackUpBroker(const std::string& directory,
                          const std::string& target);

}  // namespace berth::broker

#endif  // BERTH_BROKER_BACKUP_H_
