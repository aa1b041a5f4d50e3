// Peers that come in numbers, never say who they are, or say it wrong.

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/hostile/siege.h"

namespace berth::testing {
namespace {

constexpr char kList[] = "/berth.v1.Sessions/ListSessions";
constexpr absl::Duration kInTime = absl::Seconds(30);

class ConnectionsTest : public SiegeTest {
 protected:
  std::string Random(size_t size) {
    std::string bytes(size, 0);
    for (char& c : bytes) c = static_cast<char>(random_());
    return bytes;
  }

  std::mt19937 random_{42};
};

TEST_F(ConnectionsTest, WhoSaysNothingIsSentAwayInTime) {
  SetLimits({{"handshake_timeout", "\"1s\""}});
  Withstand("half-open TLS", 64, [&](Siege& siege) {
    std::deque<TcpPeer> peers;
    while (!siege.over) {
      TcpPeer& peer = peers.emplace_back(fleet_.port());
      ++siege.connections;
      // A third say nothing, others begin a ClientHello and never end it.
      if (++siege.attempts % 3 != 0) {
        peer.Send(absl::string_view("\x16\x03\x01\x02\x00\x01\x00", 7));
      }
      if (peers.size() <= 500) continue;
      if (!peers.front().WaitForClose(kInTime)) {
        ADD_FAILURE() << "it is not closed";
        return;
      }
      peers.pop_front();
    }
    for (TcpPeer& peer : peers) {
      EXPECT_TRUE(peer.WaitForClose(kInTime)) << "it is not closed";
    }
  });
}

// The handshake is done, and then nothing comes; not even a frame.
TEST_F(ConnectionsTest, WhoEndsTheHandshakeAndSaysNothingIsSentAwayInTime) {
  SetLimits({{"handshake_timeout", "\"1s\""}});
  std::vector<std::unique_ptr<TlsPeer>> peers;
  for (int i = 0; i < 50; ++i) {
    peers.push_back(
        std::make_unique<TlsPeer>(fleet_.port(), TlsPeer::Options()));
    ASSERT_TRUE(peers.back()->established());
    if (i % 2 == 0) peers.back()->Send("PRI * HTTP/2.0\r\n\r\nSM");
  }
  ExpectServes();
  for (auto& peer : peers) EXPECT_TRUE(peer->WaitForClose(kInTime));
}

TEST_F(ConnectionsTest, Garbage) {
  Withstand("garbage", 64, [&](Siege& siege) {
    while (!siege.over) {
      TcpPeer raw(fleet_.port());
      raw.Send(Random(1 + random_() % 5'000));
      TlsPeer tls(fleet_.port(), {});
      if (siege.attempts % 2 == 0) {
        tls.Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
      }
      tls.Send(Random(1 + random_() % 20'000));
      siege.connections += 2;
      ++siege.attempts;
    }
  });
}

TEST_F(ConnectionsTest, AnotherProtocolIsNotSpoken) {
  for (const char* alpn : {"http/1.1", "ssh", ""}) {
    TlsPeer::Options options;
    options.alpn = alpn;
    TlsPeer tls(fleet_.port(), options);
    tls.Send("GET / HTTP/1.1\r\nHost: broker\r\n\r\n");
    EXPECT_TRUE(!tls.established() || tls.WaitForClose(kInTime)) << alpn;
    Http2Peer peer(fleet_.port(), options);
    EXPECT_FALSE(peer.accepted()) << alpn;
  }
  ExpectServes();
}

TEST_F(ConnectionsTest, ACertificateOfAnotherPurposeIsNotTaken) {
  const std::string broker = fleet_.directory() + "/broker/broker";
  TlsPeer::Options options;
  options.certificate = broker + ".pem";
  options.key = broker + "-key.pem";
  EXPECT_FALSE(Http2Peer(fleet_.port(), options).accepted());
  // None at all is let in, as a computer that is to join has none, but no
  // further than that.
  for (const bool is_agent : {false, true}) {
    options = TlsPeer::Options();
    if (is_agent) {
      const std::string agent = fleet_.AgentDirectory("Server01");
      options.certificate = agent + "/certificate.pem";
      options.key = agent + "/key.pem";
    }
    Http2Peer peer(fleet_.port(), options);
    ASSERT_TRUE(peer.accepted());
    peer.Send(Call(1, kList));
    // A message without fields.
    peer.Send(Frame(FrameType::kData, kEndStream, 1, std::string(5, 0)));
    std::string answer;
    while (const auto frame = peer.Next(kInTime)) {
      if (frame->stream != 1) continue;
      EXPECT_NE(frame->type, FrameType::kData);
      answer += frame->payload;
      if (frame->flags & kEndStream) break;
    }
    EXPECT_NE(answer.find("grpc-message"), std::string::npos);
  }
  ExpectServes();
}

TEST_F(ConnectionsTest, OneAddressHasItsShareOfConnections) {
  SetLimits({{"connections_per_address", "40"}});
  std::vector<std::unique_ptr<TcpPeer>> peers;
  for (int i = 0; i < 40; ++i) {
    peers.push_back(std::make_unique<TcpPeer>(fleet_.port()));
  }
  // Those in excess are closed at once, long before the handshake's time.
  for (int i = 0; i < 20; ++i) {
    TcpPeer more(fleet_.port());
    EXPECT_TRUE(more.WaitForClose(absl::Seconds(20)));
  }
  ExpectServes();  // From another address.
  peers.clear();   // And there is room again.
  bool accepted = false;
  for (int i = 0; i < 200 && !accepted; ++i) {
    accepted = Http2Peer(fleet_.port(), {}).accepted();
    if (!accepted) absl::SleepFor(absl::Milliseconds(50));
  }
  EXPECT_TRUE(accepted);
}

TEST_F(ConnectionsTest, ManyThatStay) {
  const size_t count = IsLong() ? 10'000 : 1'000;
  std::vector<std::unique_ptr<Http2Peer>> peers;
  // Those who come, and whoever is there while they do.
  Withstand("connections that stay", IsLong() ? 1'024 : 160, [&](Siege& siege) {
    while (!siege.over || peers.size() < count) {
      if (peers.size() == count) {
        absl::SleepFor(absl::Milliseconds(1));
        continue;
      }
      TlsPeer::Options options;
      options.from = absl::StrCat("127.0.1.", 1 + peers.size() % 200);
      peers.push_back(std::make_unique<Http2Peer>(fleet_.port(), options));
      if (!peers.back()->accepted()) ++siege.refused;
      ++siege.connections;
      ++siege.attempts;
    }
    EXPECT_EQ(siege.refused, 0);
  });
  Withstand("connections that are there", 64,
            [](Siege& siege) { ++siege.attempts; });
}

TEST_F(ConnectionsTest, Handshakes) {
  Withstand("handshakes", 128, [&](Siege& siege) {
    while (!siege.over) {
      TlsPeer(fleet_.port(), {});
      ++siege.connections;
      ++siege.attempts;
    }
  });
}

}  // namespace
}  // namespace berth::testing
