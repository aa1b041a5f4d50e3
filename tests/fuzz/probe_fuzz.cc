// What a host says is on it, before an agent is installed there: it may say
// anything.

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <string>

#include "cli/install/probe.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto host = berth::cli::ParseProbe(
      std::string(reinterpret_cast<const char*>(data), size));
  if (!host.ok()) return 0;
  // It is in a fleet by a certificate alone.
  const auto membership = berth::cli::MembershipOf(*host, host->ca_pem);
  if (!membership.ok()) return 0;
  if (membership->joined &&
      (host->certificate_pem.empty() || membership->name.empty())) {
    abort();
  }
  return 0;
}
