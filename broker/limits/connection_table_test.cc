#include "broker/limits/connection_table.h"

#include <gtest/gtest.h>

#include <map>

#include "absl/strings/match.h"

namespace berth::broker {
namespace {

class ConnectionTableTest : public ::testing::Test {
 protected:
  absl::Status Add(int fd, const std::string& address) {
    sockets_[fd] = ++next_;
    now_ += absl::Seconds(1);
    return table_.Add(fd, address, now_);
  }
  void Close(int fd) { sockets_.erase(fd); }

  std::map<int, uint64_t> sockets_;
  uint64_t next_ = 100;
  absl::Time now_ = absl::FromUnixSeconds(1000);
  ConnectionTable table_{{.connections = 5, .for_each_address = 3},
                         [this](int fd) { return sockets_[fd]; }};
};

TEST_F(ConnectionTableTest, OneAddressLeavesRoomForOthers) {
  for (int fd = 1; fd <= 3; ++fd) EXPECT_TRUE(Add(fd, "a").ok());
  const absl::Status refused = Add(4, "a");
  EXPECT_TRUE(absl::IsResourceExhausted(refused));
  EXPECT_TRUE(absl::StrContains(refused.message(), "a has 3 connections"));
  EXPECT_TRUE(Add(4, "b").ok());
  EXPECT_TRUE(Add(5, "b").ok());
  EXPECT_TRUE(absl::StrContains(Add(6, "c").message(), "there are 5"));
}

TEST_F(ConnectionTableTest, WhatWasClosedIsFoundWhenThereIsNeed) {
  for (int fd = 1; fd <= 3; ++fd) EXPECT_TRUE(Add(fd, "a").ok());
  Close(2);
  EXPECT_TRUE(Add(9, "a").ok());
  EXPECT_FALSE(Add(10, "a").ok());
}

TEST_F(ConnectionTableTest, ANumberThatComesAgainWasClosed) {
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Add(1, "a").ok());
  EXPECT_EQ(table_.size(), 1u);
  EXPECT_TRUE(Add(1, "b").ok());
  for (int fd = 2; fd <= 4; ++fd) EXPECT_TRUE(Add(fd, "a").ok());
}

TEST_F(ConnectionTableTest, ManyRefusalsDoNotLookEachTime) {
  for (int fd = 1; fd <= 3; ++fd) EXPECT_TRUE(Add(fd, "a").ok());
  EXPECT_FALSE(Add(4, "a").ok());
  Close(1);
  EXPECT_FALSE(table_.Add(4, "a", now_).ok());  // At the same moment.
  EXPECT_TRUE(Add(4, "a").ok());
}

}  // namespace
}  // namespace berth::broker
