#ifndef BERTH_TESTS_BOUNDS_WRAPPER_H_
#define BERTH_TESTS_BOUNDS_WRAPPER_H_

#include <string>

#include "tests/support/temp_dir.h"

namespace berth::testing {

// Programs that the tests start in a special way, and copies of them that every
// user may run. The variables that say where programs are (BERTH_AGENT ...) are
// changed for whoever looks later.
class Wrappers {
 public:
  Wrappers();

  // Starts the program that `variable` names with `before` in front of it, such
  // as "env A=b" or "nice".
  void Wrap(const std::string& variable, const std::string& before);
  // Replaces the program by a copy that other users may run.
  void Publish(const std::string& variable);

  const std::string& directory() const { return dir_.path(); }

 private:
  TempDir dir_;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_BOUNDS_WRAPPER_H_
