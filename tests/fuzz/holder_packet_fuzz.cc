// What a connection may send to a session's holder, through its real socket
// and handlers, and what is left in the journal: nothing ends twice, nothing
// ends that was not reserved, and the holder answers what an agent can parse.

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/holder/event_loop.h"
#include "agent/holder/session.h"
#include "agent/log/journal.h"
#include "base/send_fds.h"
#include "base/unique_fd.h"
#include "tests/fuzz/packets.h"

namespace {

using berth::UniqueFd;
using berth::fuzz::Expect;
using berth::holder::EventLoop;
using berth::holder::Session;
namespace v1 = berth::holder::v1;

constexpr int kClients = 2;

UniqueFd Connect(const std::string& directory) {
  UniqueFd fd(
      socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket",
           directory.c_str());
  Expect(connect(fd.get(), reinterpret_cast<sockaddr*>(&address),
                 sizeof(address)) == 0);
  return fd;
}

int ScriptFd() {
  static const int fd = [] {
    const int script = memfd_create("script", MFD_CLOEXEC);
    Expect(write(script, "true\n", 5) == 5);
    return script;
  }();
  return fd;
}

// With a script, with something else, or without.
void Send(int socket, absl::string_view bytes, uint8_t kind) {
  const int fd = kind & 2 ? ScriptFd() : kind & 4 ? socket : -1;
  berth::SendFd(socket, bytes, fd, MSG_DONTWAIT);
}

void ReadAnswers(int socket) {
  static char buffer[256 << 10];
  for (;;) {
    const ssize_t got = recv(socket, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (got <= 0) return;
    v1::Event event;
    Expect(event.ParseFromArray(buffer, static_cast<int>(got)));
  }
}

// Takes in what is there.
void Pump(EventLoop& loop) {
  for (int i = 0; i < 2; ++i) {
    loop.After(absl::ZeroDuration(), [&loop] { loop.Stop(); });
    loop.Run();
  }
}

// The holder is through, and would exit: Pump() can't tell that from its own.
bool IsOver(const std::string& directory) {
  bool over = false;
  Expect(berth::agent::ReadJournal(directory + "/journal",
                                   [&](const v1::JournalRecord& record) {
                                     over |= record.has_session_ended();
                                   })
             .ok());
  return over;
}

void CheckJournal(const std::string& directory) {
  struct Seen {
    int reserved = 0, started = 0, ended = 0;
  };
  std::map<uint64_t, Seen> seen;
  int ends = 0;
  Expect(berth::agent::ReadJournal(
             directory + "/journal",
             [&](const v1::JournalRecord& record) {
               Expect(ends == 0 || record.has_acked());
               if (record.has_reserved()) {
                 ++seen[record.reserved().sequence()].reserved;
               } else if (record.has_started()) {
                 ++seen[record.started().sequence()].started;
               } else if (record.has_ended()) {
                 ++seen[record.ended().sequence()].ended;
               } else if (record.has_session_ended()) {
                 ++ends;
               }
             })
             .ok());
  Expect(ends == 1);
  for (const auto& [sequence, of] : seen) {
    Expect(of.reserved == 1 && of.started <= 1 && of.ended == 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  signal(SIGPIPE, SIG_IGN);
  berth::fuzz::Scratch scratch;
  auto loop = *EventLoop::Create();
  v1::HolderStart start;
  start.set_version(2);
  start.set_directory(scratch.path());
  start.set_kind(v1::HolderStart::RESTRICTED);
  start.set_log_limit(1 << 20);
  start.add_allowed()->set_name("no");
  start.mutable_allowed(0)->set_path("/nonexistent");
  auto session = Session::Create(
      *loop, start, [](const absl::Status& ready) { Expect(ready.ok()); });
  Expect(session.ok());
  std::vector<UniqueFd> clients;
  for (int i = 0; i < kClients; ++i) clients.push_back(Connect(scratch.path()));
  Pump(*loop);
  berth::fuzz::Packets packets(data, size);
  for (int i = 0; i < 64; ++i) {
    const auto packet = packets.Next();
    if (!packet.has_value()) break;
    UniqueFd& client = clients[packet->kind & 1];
    if (packet->kind & 8) client = Connect(scratch.path());
    Send(client.get(), packet->bytes, packet->kind);
    // Some of them come together.
    if (!(packet->kind & 16)) Pump(*loop);
    ReadAnswers(client.get());
    if (IsOver(scratch.path())) break;
  }
  if (!IsOver(scratch.path())) {
    loop->After(absl::Seconds(20), [] { Expect(false); });
    loop->After(absl::ZeroDuration(), [&] { (*session)->End(1, "over"); });
    loop->Run();
  }
  session->reset();
  CheckJournal(scratch.path());
  return 0;
}
