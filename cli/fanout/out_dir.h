#ifndef BERTH_CLI_FANOUT_OUT_DIR_H_
#define BERTH_CLI_FANOUT_OUT_DIR_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "cli/fanout/presenter.h"

namespace berth::cli {

// Writes what each target prints into files of its own: web01.out and
// web01.err, and how it ended into web01.status: its state, and its exit status
// if it has one ("failed 1"). Where a computer has several targets the session
// follows its name: web01@3.out.
class OutDirPresenter : public Presenter {
 public:
  // Makes the directory, for the user alone, if it is not there.
  static absl::StatusOr<std::unique_ptr<OutDirPresenter>> Make(
      const std::string& path, const std::vector<TargetName>& names);

  Taken Output(size_t target, v1::OutputStream stream, uint64_t offset,
               absl::string_view data) override;
  absl::Status Ended(size_t target, const Outcome& outcome) override;

 private:
  OutDirPresenter(std::string path, UniqueFd directory)
      : path_(std::move(path)), directory_(std::move(directory)) {}

  struct Files {
    UniqueFd out;
    UniqueFd err;
  };

  absl::StatusOr<UniqueFd> Open(const std::string& name) const;
  absl::Status OpenOutput(size_t target);

  const std::string path_;
  const UniqueFd directory_;
  std::vector<std::string> names_;  // Of the files.
  std::vector<Files> files_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_FANOUT_OUT_DIR_H_
