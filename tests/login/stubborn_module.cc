// A module of PAM for tests: "noisy" writes where an answer would be; else it
// never comes back from opening a session, and if "deaf" is not to be signalled
// either.

#include <signal.h>
#include <string.h>
#include <unistd.h>

namespace {

constexpr int kSuccess = 0;  // PAM_SUCCESS
constexpr int kFailure = 3;  // PAM_SERVICE_ERR

bool Has(int argc, const char** argv, const char* word) {
  for (int i = 0; i < argc; ++i) {
    if (strcmp(argv[i], word) == 0) return true;
  }
  return false;
}

}  // namespace

extern "C" {

int pam_sm_open_session(void*, int, int argc, const char** argv) {
  if (Has(argc, argv, "noisy")) {
    const char noise[] = "noise\n";
    return write(1, noise, strlen(noise)) > 0 ? kSuccess : kFailure;
  }
  if (Has(argc, argv, "deaf")) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
  }
  for (;;) pause();
}

int pam_sm_close_session(void*, int, int, const char**) { return kSuccess; }

}  // extern "C"
