// What a holder, or what has taken its place, may say to an agent: whatever it
// is, a client gets a command's start before its output, each byte once and in
// order, and nothing after the end.

#include <stddef.h>
#include <stdint.h>

#include <optional>
#include <string>

#include "agent/link/command_follower.h"
#include "agent/link/frame_writer.h"
#include "agent/link/frames.h"
#include "agent/link/terminal_follower.h"
#include "agent/log/command_log.h"
#include "agent/log/session_logs.h"
#include "agent/sessions/managed_session.h"
#include "tests/fuzz/packets.h"

namespace {

using berth::fuzz::Expect;
namespace v1 = berth::v1;

constexpr int kManyPumps = 1000;

class Client final : public berth::agent::FrameWriter {
 public:
  bool Write(const grpc::ByteBuffer& frame, bool) override {
    v1::CommandEvent event;
    Expect(berth::agent::ParseFrame(frame, event));
    Expect(!ended_);
    if (event.has_started()) {
      Expect(!started_);
      started_ = true;
      next_ = event.started().from_offset();
    }
    if (event.has_output()) {
      Take(event.output().offset(), event.output().data().size());
    }
    if (event.has_gap()) Take(event.gap().offset(), event.gap().length());
    if (event.has_ended()) {
      Expect(started_);
      ended_ = true;
    }
    return true;
  }

 private:
  void Take(uint64_t offset, uint64_t length) {
    Expect(started_ && offset >= next_ && offset + length >= offset);
    next_ = offset + length;
  }

  bool started_ = false;
  bool ended_ = false;
  uint64_t next_ = 0;
};

const std::string& Directory() {
  static const berth::fuzz::Scratch* const scratch = [] {
    auto* made = new berth::fuzz::Scratch;
    auto logs = *berth::agent::SessionLogs::Open(
        made->path(), 1 << 20, berth::agent::WhenFull::kBlock);
    berth::agent::CommandLog* log = *logs->Create(1);
    Expect(log->Append(berth::agent::Stream::kStdout, "some output\n").ok());
    Expect(log->Append(berth::agent::Stream::kStderr, "an error\n").ok());
    return made;
  }();
  return scratch->path();
}

v1::Session Session() {
  v1::Session session;
  session.set_instance_id("f47ac10b-58cc-4372-a567-0e02b2c3d479");
  session.set_id(3);
  session.mutable_idle_timeout()->set_seconds(7200);
  return session;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  Client client;
  berth::agent::CommandFollower follower(Directory(), client);
  follower.Expect("", data[0] < 128 ? std::nullopt
                                    : std::optional<uint64_t>(data[0] - 128));
  berth::agent::ManagedSession session(Directory() + "/session", Session(),
                                       v1::Configuration());
  berth::agent::TerminalFollower terminal(data[0] & 1);
  terminal.Begin(std::nullopt);
  bool open = true;
  berth::fuzz::Packets packets(data + 1, size - 1);
  for (int i = 0; i < 64; ++i) {
    const auto packet = packets.Next();
    if (!packet.has_value()) break;
    berth::holder::v1::Event event;
    if (!event.ParseFromArray(packet->bytes.data(), packet->bytes.size())) {
      continue;
    }
    if (event.has_state()) session.OnState(event.state());
    session.TakeReport(true);
    session.IdleLeft();
    if (event.has_terminal_screen()) {
      terminal.OnScreen(*event.mutable_terminal_screen());
    }
    if (event.has_terminal_output()) {
      terminal.OnOutput(*event.mutable_terminal_output());
    }
    if (terminal.needs_screen()) terminal.Redraw();
    open = open && follower.OnEvent(event).ok();
    int pumps = 0;
    while (open && follower.HasWork()) {
      open = follower.Pump().ok();
      Expect(++pumps < kManyPumps);
    }
  }
  return 0;
}
