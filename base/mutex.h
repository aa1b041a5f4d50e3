#ifndef BERTH_BASE_MUTEX_H_
#define BERTH_BASE_MUTEX_H_

#include <mutex>

#include "absl/base/thread_annotations.h"

namespace berth {

// A mutex that both checkers can see: clang's -Wthread-safety through the
// annotations, and ThreadSanitizer because std::mutex is a pthread mutex. (A
// prebuilt absl::Mutex is invisible to ThreadSanitizer: it reports every
// access under such a lock as a race.)
class ABSL_LOCKABLE Mutex {
 public:
  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mu_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mu_.unlock(); }

 private:
  friend class CondVar;

  std::mutex mu_;
};

// Holds a Mutex for a scope.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mu) ABSL_EXCLUSIVE_LOCK_FUNCTION(mu) : mu_(mu) {
    mu_.Lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mu_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mu_;
};

}  // namespace berth

#endif  // BERTH_BASE_MUTEX_H_
