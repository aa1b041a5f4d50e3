// berth doctor: each way in which a client can be cut off from its broker has
// an error of its own, with a way out.

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/files.h"
#include "base/tls/certificates.h"
#include "base/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"

namespace berth::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A port of this computer where somebody listens, or nobody does any more.
class Port {
 public:
  Port() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(socket_.get(), any, size), 0);
    EXPECT_EQ(getsockname(socket_.get(), any, &size), 0);
    number_ = ntohs(address.sin_port);
  }
  // Takes connections and says nothing.
  void Listen() { EXPECT_EQ(listen(socket_.get(), 5), 0); }
  // Takes one connection and answers what is no TLS.
  void AnswerOnce() {
    const UniqueFd peer(accept(socket_.get(), nullptr, nullptr));
    constexpr char kAnswer[] = "SSH-2.0-OpenSSH_9.2\r\n";
    (void)!write(peer.get(), kAnswer, sizeof(kAnswer) - 1);
  }
  std::string address() const { return absl::StrCat("127.0.0.1:", number_); }

 private:
  const UniqueFd socket_;
  int number_ = 0;
};

class DoctorTest : public ::testing::Test {
 protected:
  DoctorTest() : fleet_({"Server01"}) {}

  // Runs `berth doctor` with these variables instead of the client's.
  Process::Finished Doctor(
      const std::map<std::string, std::string>& variables) {
    Process::Options options = fleet_.Command({"doctor"}, "laptop");
    for (const auto& [name, value] : variables) {
      std::erase_if(*options.environment, [&](const std::string& entry) {
        return absl::StartsWith(entry, name + "=");
      });
      options.environment->push_back(absl::StrCat(name, "=", value));
    }
    auto finished = Process::Run(options);
    EXPECT_TRUE(finished.ok()) << finished.status();
    return finished.ok() ? *finished : Process::Finished();
  }

  // Expects the check `what` to fail, saying `words`.
  void Fails(const std::map<std::string, std::string>& variables,
             const std::string& what, const std::string& words) {
    const Process::Finished finished = Doctor(variables);
    if (what == "context") {
      EXPECT_THAT(finished.out + finished.err, HasSubstr(words));
    } else {
      EXPECT_THAT(finished.out, AllOf(HasSubstr(absl::StrCat("FAILED  ", what)),
                                      HasSubstr(words)));
    }
    EXPECT_EQ(finished.exit_code, 1);
  }

  std::string Broker(const std::string& file) const {
    return fleet_.directory() + "/broker/" + file;
  }

  Fleet fleet_;
};

TEST_F(DoctorTest, SaysThatAllIsWell) {
  const Process::Finished finished = Doctor({});
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_THAT(finished.out, AllOf(HasSubstr("user 'admin', until"),
                                  HasSubstr("1 of 1 computers online")));
}

TEST_F(DoctorTest, NoBrokerWasNamed) {
  Fails({{"BERTH_BROKER", ""}}, "context", "berth context add");
  Fails({{"BERTH_CERTIFICATE", "/nonexistent"}}, "context", "/nonexistent");
  Fails({{"BERTH_BROKER", "localhost"}}, "connection", "not HOST:PORT");
}

TEST_F(DoctorTest, TheNameCantBeResolved) {
  Fails({{"BERTH_BROKER", "broker.invalid:7780"}}, "connection",
        "the name 'broker.invalid' can't be resolved");
}

TEST_F(DoctorTest, NobodyListens) {
  const Port nobody;  // Bound, so that nobody else comes to listen there.
  Fails({{"BERTH_BROKER", nobody.address()}}, "connection",
        "refuses the connection: nothing listens there");
}

TEST_F(DoctorTest, SomebodyElseListens) {
  Port silent;
  silent.Listen();
  Fails({{"BERTH_BROKER", silent.address()}}, "broker", "says nothing");
  Port ssh;
  ssh.Listen();
  std::thread answer([&] { ssh.AnswerOnce(); });
  Fails({{"BERTH_BROKER", ssh.address()}}, "broker", "no broker");
  answer.join();
}

TEST_F(DoctorTest, OneSideDoesNotTrustTheOther) {
  const std::string other = fleet_.directory() + "/other";
  const auto init = Process::Run(
      {.argv = {getenv("BERTH_BROKER"), "init", other, "--host", "localhost"}});
  ASSERT_TRUE(init.ok() && init->exit_code == 0);
  Fails({{"BERTH_CA", other + "/ca.pem"}}, "broker",
        "not of the CA that this client trusts");
  Fails({{"BERTH_CERTIFICATE", other + "/admin.pem"},
         {"BERTH_KEY", other + "/admin-key.pem"}},
        "broker", "does not accept this client's certificate");
  Fails({{"BERTH_KEY", other + "/admin-key.pem"}}, "broker",
        "don't belong together");
}

TEST_F(DoctorTest, TheCertificateIsOfAnAgentOrHasExpired) {
  const std::string agent = fleet_.AgentDirectory("Server01");
  Fails({{"BERTH_CERTIFICATE", agent + "/certificate.pem"},
         {"BERTH_KEY", agent + "/key.pem"}},
        "certificate", "is of agent 'Server01'");
  const auto ca = CertificateAuthority::Load(*ReadFile(Broker("ca.pem")),
                                             *ReadFile(Broker("ca-key.pem")));
  ASSERT_TRUE(ca.ok()) << ca.status();
  const std::string key = *NewPrivateKeyPem();
  const auto expired =
      ca->Issue(*NewCsrPem(key), {Purpose::kUser, "ann"}, -absl::Minutes(1));
  ASSERT_TRUE(expired.ok()) << expired.status();
  const std::string path = fleet_.directory() + "/expired";
  ASSERT_TRUE(WriteFileAtomically(path + ".pem", *expired, 0600).ok());
  ASSERT_TRUE(WriteFileAtomically(path + "-key.pem", key, 0600).ok());
  Fails(
      {{"BERTH_CERTIFICATE", path + ".pem"}, {"BERTH_KEY", path + "-key.pem"}},
      "certificate", "expired");
}

TEST_F(DoctorTest, TheBrokerHasStopped) {
  fleet_.KillBroker(SIGTERM);
  Fails({}, "connection", "does berth-broker run");
}

}  // namespace
}  // namespace berth::testing
