#ifndef BERTH_BROKER_REGISTRY_OPEN_REGISTRY_H_
#define BERTH_BROKER_REGISTRY_OPEN_REGISTRY_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "broker/registry/store.h"

namespace berth::broker {

// A registry's file, opened.
struct OpenedRegistry {
  std::unique_ptr<Store> store;
  // For people: what this broker can't know, or do, because of what became of
  // the file. Empty: nothing did.
  std::string notice;
  // It was begun now.
  bool is_new = false;
};

// Opens the registry at `path`. One that is damaged is moved away, beside
// itself, and a new one is begun: agents tell what lives. Errors are those of
// Store, but DataLoss.
absl::StatusOr<OpenedRegistry> OpenRegistry(const std::string& path,
                                            absl::Time now);

// Does so with one whose damage, `why`, showed later.
absl::StatusOr<OpenedRegistry> ReplaceRegistry(const std::string& path,
                                               const absl::Status& why,
                                               absl::Time now);

}  // namespace berth::broker

#endif  // BERTH_BROKER_REGISTRY_OPEN_REGISTRY_H_
