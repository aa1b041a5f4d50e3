#ifndef BERTH_CLI_COPY_LOCATION_H_
#define BERTH_CLI_COPY_LOCATION_H_

#include <string>

#include "absl/strings/string_view.h"

namespace berth::cli {

// What the user wrote for one side of a copy: "SESSION:PATH", or a path here.
struct Location {
  // Empty: here.
  std::string session;
  std::string path;

  bool is_remote() const { return !session.empty(); }
};

// It is remote if there is a ":" before the first "/", with something before
// it; so a file here that has one in its name is "./a:b".
Location ParseLocation(absl::string_view text);

}  // namespace berth::cli

#endif  // BERTH_CLI_COPY_LOCATION_H_
