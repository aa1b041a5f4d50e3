#ifndef BERTH_AGENT_HOLDER_STDIN_PIPE_H_
#define BERTH_AGENT_HOLDER_STDIN_PIPE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/holder/event_loop.h"
#include "base/unique_fd.h"

namespace berth::holder {

// A command's input. It comes in pieces with offsets, so a sender that lost its
// connection can send again; and within a window, so that it waits at the
// sender and not here. One thread.
class StdinPipe {
 public:
  // How far input may run ahead of what the command's pipe took: four of the
  // largest frames, so that the sender does not wait for each.
  static constexpr uint64_t kWindow = 1 << 20;

  // `on_credit` is called when limit() has grown by much. The command's end of
  // the pipe goes to `reader`.
  static absl::StatusOr<std::unique_ptr<StdinPipe>> Create(
      EventLoop& loop, UniqueFd& reader, std::function<void()> on_credit);
  ~StdinPipe();
  StdinPipe(const StdinPipe&) = delete;
  StdinPipe& operator=(const StdinPipe&) = delete;

  // Takes `data`, which begins at `offset` of the input; what came before is
  // skipped. `eof`: the input ends with it. INVALID_ARGUMENT: something is
  // missing before it, or it goes over limit(), or past the end.
  absl::Status Write(uint64_t offset, absl::string_view data, bool eof);

  // How many bytes of input may be sent in all.
  uint64_t limit() const { return consumed_ + kWindow; }

 private:
  StdinPipe(EventLoop& loop, UniqueFd pipe, std::function<void()> on_credit)
      : loop_(loop), pipe_(std::move(pipe)), on_credit_(std::move(on_credit)) {}
  // Writes to the pipe what it takes of `data`; returns how many bytes that
  // were, all of them if nobody reads any more.
  size_t WriteSome(absl::string_view data);
  void Flush();
  void Taken(size_t bytes);
  void Wait(bool for_room);
  void Close();

  EventLoop& loop_;
  UniqueFd pipe_;
  const std::function<void()> on_credit_;
  bool watched_ = false;
  bool enlarged_ = false;
  // What the pipe had no room for, from begin_ on.
  std::string buffer_;
  size_t begin_ = 0;
  uint64_t received_ = 0;
  uint64_t consumed_ = 0;   // Taken by the pipe, or by nobody if it is closed.
  uint64_t announced_ = 0;  // `consumed_` at the last on_credit_().
  bool ended_ = false;
};

}  // namespace berth::holder

#endif  // BERTH_AGENT_HOLDER_STDIN_PIPE_H_
