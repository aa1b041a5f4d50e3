#ifndef BERTH_CLI_FANOUT_GATHER_H_
#define BERTH_CLI_FANOUT_GATHER_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "cli/fanout/presenter.h"
#include "cli/fanout/spool.h"
#include "cli/fanout/writer.h"

namespace berth::cli {

// Keeps what each target prints, and shows in the end what is the same (output,
// errors and status) once, under the names of those that printed it. Of what
// is the same only one copy is kept.
class GatherPresenter : public Presenter {
 public:
  struct Options {
    // Show what is not the most common only where it differs from that.
    bool diff = false;
    // Control bytes in what is written to each are made visible.
    bool escape_out = false;
    bool escape_err = false;
  };

  GatherPresenter(std::vector<TargetName> names, const Options& options,
                  Writer& writer);

  Taken Output(size_t target, v1::OutputStream stream, uint64_t offset,
               absl::string_view data) override;
  absl::Status Ended(size_t target, const Outcome& outcome) override;
  absl::Status Finish() override;

 private:
  struct Kept {
    explicit Kept(SpoolStore& store) : out(store), err(store) {}
    Spool out;
    Spool err;
  };
  struct Group {
    std::string state;  // Empty if all is well.
    std::vector<size_t> targets;
    size_t kept;  // The target whose output is kept.
  };

  void ShowHead(const Group& group);
  absl::Status ShowAll(const Group& group);
  absl::Status ShowDiff(const Group& common, const Group& group);
  absl::Status ShowDiff(const Spool& common, const Spool& other, bool err,
                        bool& shown);
  void Show(bool err, absl::string_view text);
  std::string NamesOf(const Group& group) const;

  const std::vector<TargetName> names_;
  const Options options_;
  Writer& writer_;
  SpoolStore store_;
  // Not set: nothing was printed, or another has the same.
  std::vector<std::optional<Kept>> kept_;
  std::vector<Group> groups_;
  absl::flat_hash_map<std::string, size_t> by_content_;
};

// `text` with control bytes made visible, except for the ends of lines and
// tabs.
std::string EscapeLines(absl::string_view text);

}  // namespace berth::cli

#endif  // BERTH_CLI_FANOUT_GATHER_H_
