// What the sanitizers say of Debian's libraries and not of us.

extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions();

// Abseil is not built for the thread sanitizer, which therefore does not see
// the atomic count of references in a Status, and takes the last release for a
// race.
const char* __tsan_default_suppressions() {
  return "race:absl::*::Status::Unref\n";
}

// gRPC leaves a TLS handshake that is under way when a process ends, and what
// it had looked up of a name.
const char* __lsan_default_suppressions() {
  return "leak:CRYPTO_zalloc\nleak:ares_\n";
}
