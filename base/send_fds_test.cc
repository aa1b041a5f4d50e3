#include "base/send_fds.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "base/unique_fd.h"
#include "gtest/gtest.h"

namespace berth {
namespace {

class SendFdsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    here_.reset(ends[0]);
    there_.reset(ends[1]);
  }

  // What came at the other end: the descriptors; `size` of data.
  std::vector<UniqueFd> Receive(ssize_t& size) {
    char data[64];
    iovec part = {data, sizeof(data)};
    alignas(cmsghdr) char control[CMSG_SPACE(kMaxSentFds * sizeof(int))];
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    size = recvmsg(there_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    std::vector<UniqueFd> fds;
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (size < 0 || header == nullptr) return fds;
    const auto* first = reinterpret_cast<const int*>(CMSG_DATA(header));
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) fds.emplace_back(first[i]);
    return fds;
  }

  UniqueFd here_, there_;
};

bool Same(int a, int b) {
  struct stat first = {}, second = {};
  return fstat(a, &first) == 0 && fstat(b, &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

TEST_F(SendFdsTest, SendsWhatIsAsked) {
  EXPECT_EQ(SendFds(here_.get(), "abc", {here_.get(), there_.get()}, 0), 3);
  ssize_t size = 0;
  const std::vector<UniqueFd> fds = Receive(size);
  EXPECT_EQ(size, 3);
  ASSERT_EQ(fds.size(), 2u);
  EXPECT_TRUE(Same(fds[0].get(), here_.get()));
  EXPECT_TRUE(Same(fds[1].get(), there_.get()));
}

TEST_F(SendFdsTest, SendsOneOrNone) {
  EXPECT_EQ(SendFd(here_.get(), "a", there_.get(), 0), 1);
  EXPECT_EQ(SendFd(here_.get(), "b", -1, 0), 1);
  ssize_t size = 0;
  EXPECT_EQ(Receive(size).size(), 1u);
  EXPECT_EQ(Receive(size).size(), 0u);
  EXPECT_EQ(size, 1);
}

TEST_F(SendFdsTest, RefusesTooManyAndSendsNothing) {
  const std::vector<int> many(kMaxSentFds + 1, here_.get());
  EXPECT_EQ(SendFds(here_.get(), "a", many, 0), -1);
  EXPECT_EQ(errno, EINVAL);
  ssize_t size = 0;
  Receive(size);
  EXPECT_EQ(size, -1);
}

TEST_F(SendFdsTest, APeerThatLeftKillsNobody) {
  there_.reset();
  EXPECT_EQ(SendFd(here_.get(), "a", -1, 0), -1);
  EXPECT_EQ(errno, EPIPE);
}

}  // namespace
}  // namespace berth
