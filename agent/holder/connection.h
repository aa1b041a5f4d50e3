#ifndef BERTH_AGENT_HOLDER_CONNECTION_H_
#define BERTH_AGENT_HOLDER_CONNECTION_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "agent/holder/event_loop.h"
#include "agent/holder/terminal.h"
#include "agent/holder/terminal_watch.h"
#include "base/unique_fd.h"
#include "proto/berth/holder/v1/holder.pb.h"

namespace berth::holder {

// One peer, an agent. What it reads too slowly waits here within a bound; of
// what only the newest is worth sending, only the newest waits. One thread.
class Connection {
 public:
  // Packets that wait may take together this many bytes.
  static constexpr size_t kMaxQueued = 1 << 20;
  static constexpr size_t kMaxPacket = 128 << 10;

  class Observer {
   public:
    virtual ~Observer() = default;
    // `fd` came with the request, if it is valid.
    virtual void OnRequest(Connection& connection, const v1::Request& request,
                           UniqueFd fd) = 0;
    // The connection is closed. Must not delete it at once.
    virtual void OnClosed(Connection& connection) = 0;
  };

  Connection(uint64_t id, UniqueFd fd, EventLoop& loop, Terminal& terminal,
             Observer& observer);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  absl::Status Open();

  uint64_t id() const { return id_; }
  bool open() const { return fd_.valid(); }

  // Sends an event, now or when the peer has room. A peer with too much
  // waiting is disconnected: it can come back and ask for what it missed.
  void Send(const v1::Event& event);

  // Of these, only the newest waits.
  void SendState(const v1::State& state);
  void SendAdvanced(uint64_t sequence, uint64_t offset);

  bool attached() const { return attached_; }
  void set_attached() { attached_ = true; }

  // Sends the terminal's output from now on, and before that what the peer
  // does not have.
  void WatchTerminal(std::optional<uint64_t> from_offset);
  bool watches_terminal() const { return watch_.begun(); }
  // See WatchTerminal in holder.proto.
  bool exit_leaves() const { return exit_leaves_ && open(); }
  void set_exit_leaves(bool leaves) { exit_leaves_ = leaves; }
  // Sends what the terminal has printed since, as far as there is room.
  void PumpTerminal();

  void Close();

 private:
  void HandleEvents(uint32_t events);
  // False if there is nothing more to read.
  bool ReceiveOne();
  // False if the peer has no room.
  bool TrySend(const std::string& packet);
  bool FlushQueue();
  void Flush();
  bool FlushTerminal();
  void WaitForRoom();

  const uint64_t id_;
  UniqueFd fd_;
  EventLoop& loop_;
  Observer& observer_;
  bool attached_ = false;
  TerminalWatch watch_;
  bool exit_leaves_ = false;
  bool waits_for_room_ = false;
  std::deque<std::string> queue_;
  size_t queued_bytes_ = 0;
  std::optional<v1::State> state_;
  std::map<uint64_t, uint64_t> advanced_;
};

}  // namespace berth::holder

#endif  // BERTH_AGENT_HOLDER_CONNECTION_H_
