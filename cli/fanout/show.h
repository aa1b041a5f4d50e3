#ifndef BERTH_CLI_FANOUT_SHOW_H_
#define BERTH_CLI_FANOUT_SHOW_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/fanout/presenter.h"
#include "cli/fanout/writer.h"
#include "cli/invocation/invocation.h"

namespace berth::cli {

// How the user wants to see what many targets print.
struct ShowOptions {
  bool gather = false;
  bool diff = false;
  bool json_lines = false;
  std::string out_dir;  // Absolute; empty: none.
  bool prefix = true;
  bool exact = false;  // Every byte as it is, if nothing else was asked for.
  std::string colour = "auto";
};

// What makes the presenter for that. Errors: the directory can't be made.
absl::StatusOr<std::function<std::unique_ptr<Presenter>(Writer&)>>
PreparePresenter(Invocation& invocation, const ShowOptions& options,
                 std::vector<TargetName> names);

}  // namespace berth::cli

#endif  // BERTH_CLI_FANOUT_SHOW_H_
