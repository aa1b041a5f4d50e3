#include "cli/fanout/show.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "cli/fanout/gather.h"
#include "cli/fanout/json_lines.h"
#include "cli/fanout/live.h"
#include "cli/fanout/out_dir.h"

namespace berth::cli {
namespace {

// Passes every byte on as it is.
class ExactPresenter : public Presenter {
 public:
  explicit ExactPresenter(Writer& writer) : writer_(writer) {}

  Taken Output(size_t, v1::OutputStream stream, uint64_t offset,
               absl::string_view data) override {
    const bool to_err = stream == v1::OUTPUT_STREAM_STDERR;
    return {writer_.Write(to_err, std::string(data)), offset + data.size(), {}};
  }

 private:
  Writer& writer_;
};

// Shows everything in two ways.
class BothPresenter : public Presenter {
 public:
  BothPresenter(std::unique_ptr<Presenter> first,
                std::unique_ptr<Presenter> second)
      : both_{std::move(first), std::move(second)} {}

  Taken Output(size_t target, v1::OutputStream stream, uint64_t offset,
               absl::string_view data) override {
    return Join(both_[0]->Output(target, stream, offset, data),
                both_[1]->Output(target, stream, offset, data));
  }
  Taken Flush(size_t target, uint64_t end) override {
    return Join(both_[0]->Flush(target, end), both_[1]->Flush(target, end));
  }
  void Named(size_t target, uint32_t session) override {
    for (const auto& one : both_) one->Named(target, session);
  }
  absl::Status Ended(size_t target, const Outcome& outcome) override {
    BERTH_RETURN_IF_ERROR(both_[0]->Ended(target, outcome));
    return both_[1]->Ended(target, outcome);
  }
  absl::Status Finish() override {
    BERTH_RETURN_IF_ERROR(both_[0]->Finish());
    return both_[1]->Finish();
  }

 private:
  static Taken Join(const Taken& a, const Taken& b) {
    return {std::max(a.ticket, b.ticket), std::min(a.safe, b.safe),
            a.status.ok() ? b.status : a.status};
  }

  const std::unique_ptr<Presenter> both_[2];
};

bool WantsColour(Invocation& invocation, const ShowOptions& options) {
  if (options.colour != "auto") return options.colour == "always";
  return invocation.out().IsTerminal() &&
         invocation.environment().Get("NO_COLOR").empty() &&
         invocation.environment().Get("TERM") != "dumb";
}

std::unique_ptr<Presenter> MakeStreaming(Invocation& invocation,
                                         const ShowOptions& options,
                                         const std::vector<TargetName>& names,
                                         Writer& writer) {
  if (options.exact) return std::make_unique<ExactPresenter>(writer);
  const bool colour = WantsColour(invocation, options);
  std::vector<std::string> tags;
  for (const TargetName& name : names) {
    tags.push_back(options.prefix ? MakeTag(name.label, name.computer, colour)
                                  : "");
  }
  return std::make_unique<LivePresenter>(tags, writer);
}

std::unique_ptr<Presenter> MakeShown(Invocation& invocation,
                                     const ShowOptions& options,
                                     const std::vector<TargetName>& names,
                                     Writer& writer) {
  if (options.json_lines) {
    return std::make_unique<JsonLinesPresenter>(names, writer);
  }
  if (options.gather || options.diff) {
    GatherPresenter::Options gather;
    gather.diff = options.diff;
    gather.escape_out = invocation.out().IsTerminal();
    gather.escape_err = invocation.err().IsTerminal();
    return std::make_unique<GatherPresenter>(names, gather, writer);
  }
  return MakeStreaming(invocation, options, names, writer);
}

}  // namespace

absl::StatusOr<std::function<std::unique_ptr<Presenter>(Writer&)>>
PreparePresenter(Invocation& invocation, const ShowOptions& options,
                 std::vector<TargetName> names) {
  std::shared_ptr<std::unique_ptr<Presenter>> files;
  if (!options.out_dir.empty()) {
    BERTH_ASSIGN_OR_RETURN(auto made,
                           OutDirPresenter::Make(options.out_dir, names));
    files = std::make_shared<std::unique_ptr<Presenter>>(std::move(made));
  }
  const bool shown = options.gather || options.diff || options.json_lines;
  return [=, &invocation](Writer& writer) -> std::unique_ptr<Presenter> {
    if (files == nullptr) return MakeShown(invocation, options, names, writer);
    // Files alone, unless something else was asked for, too.
    if (!shown) return std::move(*files);
    return std::make_unique<BothPresenter>(
        std::move(*files), MakeShown(invocation, options, names, writer));
  };
}

}  // namespace berth::cli
