#ifndef BERTH_BASE_COPY_WALKER_H_
#define BERTH_BASE_COPY_WALKER_H_

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/copy/sorted_names.h"
#include "base/unique_fd.h"
#include "proto/berth/v1/files.pb.h"

namespace berth::copy {

// Opens a path with O_PATH, following links; how far it may reach is the
// opener's business.
using Opener = std::function<absl::StatusOr<UniqueFd>(const std::string& path)>;

// Opens whatever this process may.
absl::StatusOr<UniqueFd> OpenAnywhere(const std::string& path);

// Folders in folders that are followed: each takes a descriptor.
inline constexpr size_t kMaxDepth = 128;

// One step of a walk.
struct Step {
  enum class Kind {
    kSource,   // The next source begins.
    kEnter,    // Into a folder.
    kLeave,    // Out of it.
    kFile,     // `file` is open for reading.
    kLink,     // Points to `target`.
    kProblem,  // Can't be read; `problem` says why, with the path.
    kEnd,      // All is done.
  };
  Kind kind = Kind::kEnd;
  // Whether this is one of those that are numbered.
  bool is_entry() const {
    return kind != Kind::kSource && kind != Kind::kLeave &&
           kind != Kind::kEnd && !again;
  }

  uint32_t source = 0;
  std::string name;       // Empty: the source itself has none.
  struct stat info = {};  // kEnter, kFile.
  bool again = false;
  UniqueFd file;
  std::string target;
  std::string problem;
};

// Walks the trees that are to be sent, without ever having more in memory than
// the folders it is in. Links that were named as sources are followed, those
// found in trees are not. Not thread-safe.
class Walker {
 public:
  struct Options {
    std::vector<std::string> sources;
    bool recursive = false;
    Opener open = OpenAnywhere;
    // Only look at files: `file` of the steps is not valid.
    bool only_stat = false;
    // Goes on after this entry of an earlier walk.
    std::optional<v1::CopyPosition> after;
  };

  explicit Walker(Options options);

  Step Next();

  // Of the entry that Next() has just given.
  v1::CopyPosition position() const;
  // For people: its path.
  std::string path() const;

  // Leaves the innermost folder without what is left in it.
  void SkipFolder();
  size_t depth() const { return levels_.size(); }

 private:
  struct Level {
    std::string name;
    SortedNames names;
    struct stat info;
  };

  Step OpenSource();
  // Goes into the folder that the interrupted walk was in; false: it is gone.
  bool EnterAgain(Step& step);
  Step Visit(const SortedNames::Name& name);
  Step VisitFile(Step step);
  Step VisitFolder(Step step);
  Step VisitLink(Step step);
  Step Enter(UniqueFd folder, Step step);
  Step Leave();
  Step Problem(Step step, absl::string_view why) const;
  int folder() const { return levels_.back().names.fd(); }

  const Options options_;
  uint32_t source_ = 0;
  bool announced_ = false;  // kSource was given out for `source_`.
  // Names of `after` that are still to be gone down to.
  std::deque<std::string> resume_;
  bool source_done_ = false;  // By `after`: the first source itself.
  std::vector<Level> levels_;
  std::string current_;  // The last entry, if it was no folder.
};

}  // namespace berth::copy

#endif  // BERTH_BASE_COPY_WALKER_H_
