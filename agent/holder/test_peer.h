#ifndef BERTH_AGENT_HOLDER_TEST_PEER_H_
#define BERTH_AGENT_HOLDER_TEST_PEER_H_

#include <gtest/gtest.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "base/files.h"
#include "base/send_fds.h"
#include "base/unique_fd.h"
#include "base/uuid.h"
#include "proto/berth/holder/v1/holder.pb.h"

namespace berth::holder {

// One connection to a holder, for tests: what goes wrong fails the test.
class Peer {
 public:
  explicit Peer(const std::string& path) {
    fd_.reset(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path.c_str());
    EXPECT_EQ(connect(fd_.get(), reinterpret_cast<sockaddr*>(&address),
                      sizeof(address)),
              0);
  }

  void Send(const v1::Request& request, int fd = -1) {
    const std::string bytes = request.SerializeAsString();
    EXPECT_EQ(SendFd(fd_.get(), bytes, fd, /*flags=*/0),
              static_cast<ssize_t>(bytes.size()));
  }

  // False when the holder closed the connection, or nothing came in time.
  bool Receive(v1::Event& event) {
    pollfd readable = {fd_.get(), POLLIN, 0};
    if (poll(&readable, 1, 10000) != 1) {
      ADD_FAILURE() << "nothing came";
      return false;
    }
    std::string bytes(128 << 10, 0);
    ssize_t size = recv(fd_.get(), bytes.data(), bytes.size(), 0);
    return size > 0 && event.ParseFromArray(bytes.data(), size);
  }

  // Skips other events until one of this kind.
  v1::Event Next(v1::Event::EventCase kind) {
    v1::Event event;
    while (Receive(event)) {
      if (event.event_case() == kind) return event;
    }
    ADD_FAILURE() << "no event of kind " << kind;
    return {};
  }

  std::string Start(const std::string& script, v1::Start start = {}) {
    UniqueFd file(memfd_create("script", MFD_CLOEXEC));
    EXPECT_TRUE(WriteAll(file.get(), script).ok());
    if (start.command_id().empty()) start.set_command_id(NewUuid());
    if (start.digest().empty()) start.set_digest(script);
    start.set_what(script.substr(0, 200));
    v1::Request request;
    *request.mutable_start() = start;
    Send(request, file.get());
    return start.command_id();
  }

  v1::Ended Run(const std::string& script, v1::Start start = {}) {
    if (start.wait_ms() == 0) start.set_wait_ms(10000);
    Start(script, start);
    return Next(v1::Event::kEnded).ended();
  }

 private:
  UniqueFd fd_;
};

}  // namespace berth::holder

#endif  // BERTH_AGENT_HOLDER_TEST_PEER_H_
