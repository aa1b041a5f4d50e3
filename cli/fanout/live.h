#ifndef BERTH_CLI_FANOUT_LIVE_H_
#define BERTH_CLI_FANOUT_LIVE_H_

#include <memory>
#include <string>
#include <vector>

#include "cli/fanout/presenter.h"
#include "cli/fanout/writer.h"
#include "cli/render/line_tagger.h"

namespace berth::cli {

// Shows whole lines as they come, each with its target in front.
class LivePresenter : public Presenter {
 public:
  // `tags` stand in front of lines; empty ones may.
  LivePresenter(const std::vector<std::string>& tags, Writer& writer);

  Taken Output(size_t target, v1::OutputStream stream, uint64_t offset,
               absl::string_view data) override;
  Taken Flush(size_t target, uint64_t end) override;

 private:
  struct Lines {
    explicit Lines(const std::string& tag) : out(tag), err(tag) {}
    LineTagger out;
    LineTagger err;
  };

  std::vector<std::unique_ptr<Lines>> lines_;
  Writer& writer_;
};

// "web01: ", in a colour that is always the same for the same computer.
std::string MakeTag(const std::string& label, const std::string& computer,
                    bool colour);

}  // namespace berth::cli

#endif  // BERTH_CLI_FANOUT_LIVE_H_
