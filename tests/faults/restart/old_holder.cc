#include "tests/faults/restart/old_holder.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "google/protobuf/text_format.h"
#include "google/protobuf/unknown_field_set.h"
#include "gtest/gtest.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

using holder::version1::Request;

constexpr int kLookMs = 20;
constexpr size_t kMaxPacket = 256 << 10;

// Whether there is anything in it that its type does not have.
bool HasUnknown(const google::protobuf::Message& message) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  if (!reflection.GetUnknownFields(message).empty()) return true;
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  return std::any_of(fields.begin(), fields.end(), [&](const auto* field) {
    return field->cpp_type() ==
               google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE &&
           !field->is_repeated() &&
           HasUnknown(reflection.GetMessage(message, field));
  });
}

std::string NameOf(const Request& request) {
  const auto* field = request.GetReflection()->GetOneofFieldDescriptor(
      request, Request::descriptor()->oneof_decl(0));
  return field == nullptr ? "" : field->name();
}

}  // namespace

OldHolder::OldHolder(const std::string& directory,
                     const std::string& fixtures) {
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      ReadTextFile(fixtures + "/exchange.txtpb"), &exchange_));
  for (const char* file : {"journal", "c1.0000000000000000"}) {
    WriteTextFile(directory + "/" + file, ReadTextFile(fixtures + "/" + file));
  }
  listener_.reset(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket",
           directory.c_str());
  EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address),
                 sizeof(address)),
            0)
      << directory;
  // Who listens is whose socket it is, to those who connect.
  pid_ = fork();
  if (pid_ == 0) {
    listen(listener_.get(), 16);
    for (;;) pause();
  }
  EXPECT_GT(pid_, 0);
  int listens = 0;
  socklen_t size = sizeof(listens);
  while (listens == 0 && getsockopt(listener_.get(), SOL_SOCKET, SO_ACCEPTCONN,
                                    &listens, &size) == 0) {
    std::this_thread::yield();
  }
  thread_ = std::thread([this] { Run(); });
}

OldHolder::~OldHolder() {
  ending_ = true;
  thread_.join();
}

std::vector<std::string> OldHolder::NotUnderstood() const {
  MutexLock lock(mu_);
  return not_understood_;
}

std::vector<std::string> OldHolder::Asked() const {
  MutexLock lock(mu_);
  return asked_;
}

void OldHolder::Run() {
  while (!ending_) {
    std::vector<pollfd> fds = {{listener_.get(), POLLIN, 0}};
    for (const UniqueFd& each : connections_) {
      fds.push_back({each.get(), POLLIN, 0});
    }
    poll(fds.data(), fds.size(), kLookMs);
    std::vector<UniqueFd> kept;
    for (size_t i = 0; i < connections_.size(); ++i) {
      if (fds[i + 1].revents == 0 || Serve(fds[i + 1].fd)) {
        kept.push_back(std::move(connections_[i]));
      }
    }
    connections_ = std::move(kept);
    if (fds[0].revents == 0) continue;
    connections_.emplace_back(
        accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  End();
}

bool OldHolder::Serve(int fd) {
  std::string packet(kMaxPacket, '\0');
  const ssize_t got = recv(fd, packet.data(), packet.size(), MSG_DONTWAIT);
  if (got <= 0) return got < 0 && errno == EAGAIN;
  Request request;
  const bool parsed = request.ParseFromArray(packet.data(), got);
  const std::string name = NameOf(request);
  {
    MutexLock lock(mu_);
    if (!parsed || name.empty() || HasUnknown(request)) {
      not_understood_.push_back(request.DebugString());
    }
    if (std::find(asked_.begin(), asked_.end(), name) == asked_.end()) {
      asked_.push_back(name);
    }
  }
  if (request.has_terminate()) {
    ending_ = true;
    return false;
  }
  Answer(fd, request);
  return true;
}

void OldHolder::Answer(int fd, const Request& request) {
  for (const holder::version1::Turn& turn : exchange_.turns()) {
    if (turn.request().request_case() != request.request_case()) continue;
    for (const holder::version1::Event& event : turn.events()) {
      const std::string packet = event.SerializeAsString();
      EXPECT_GT(send(fd, packet.data(), packet.size(), MSG_NOSIGNAL), 0);
    }
  }
}

// As a holder does: nobody can connect any more, and it is gone.
void OldHolder::End() {
  listener_.reset();
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  connections_.clear();
}

}  // namespace berth::testing
