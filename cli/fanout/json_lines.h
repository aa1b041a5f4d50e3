#ifndef BERTH_CLI_FANOUT_JSON_LINES_H_
#define BERTH_CLI_FANOUT_JSON_LINES_H_

#include <string>
#include <vector>

#include "cli/fanout/presenter.h"
#include "cli/fanout/writer.h"

namespace berth::cli {

// Writes one JSON object a line for each piece of output (computer, session,
// stream, offset and data; data_base64 if it is not UTF-8), and one for each
// target's end (computer, session, state, exit_code, detail).
class JsonLinesPresenter : public Presenter {
 public:
  JsonLinesPresenter(std::vector<TargetName> names, Writer& writer);

  Taken Output(size_t target, v1::OutputStream stream, uint64_t offset,
               absl::string_view data) override;
  Taken Flush(size_t target, uint64_t end) override;
  void Named(size_t target, uint32_t session) override {
    targets_[target].name.session = session;
  }
  absl::Status Ended(size_t target, const Outcome& outcome) override;

 private:
  // The beginning of a character whose rest has not come.
  struct Part {
    uint64_t offset = 0;
    std::string bytes;
  };
  struct Target {
    TargetName name;
    Part parts[2];
  };

  uint64_t WriteData(const Target& target, bool err, uint64_t offset,
                     absl::string_view data);

  std::vector<Target> targets_;
  Writer& writer_;
};

// `text` as a JSON string with its quotes; must be UTF-8.
std::string JsonString(absl::string_view text);

// How many bytes at the end of `text` begin a character of UTF-8 that is not
// complete: 0 to 3.
size_t IncompleteTail(absl::string_view text);

bool IsUtf8(absl::string_view text);

}  // namespace berth::cli

#endif  // BERTH_CLI_FANOUT_JSON_LINES_H_
