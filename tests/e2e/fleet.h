#ifndef BERTH_TESTS_E2E_FLEET_H_
#define BERTH_TESTS_E2E_FLEET_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "proto/berth/v1/sessions.pb.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {

// Fleet runs a real broker, real agents under any names, and the real `berth`
// of any number of clients, all on loopback and in one private directory. Any
// step that fails fails the test. What the programs logged is kept with the
// directory if the test fails.
class Fleet {
 public:
  // Starts a broker and an agent for each of `computers`, all online. The
  // broker listens on `address`.
  explicit Fleet(const std::vector<std::string>& computers,
                 const std::string& address = "127.0.0.1");
  ~Fleet();

  // Runs `berth` to its end as `client`: clients of different names share
  // nothing, as if they were on different machines.
  Process::Finished Berth(const std::vector<std::string>& arguments,
                          const std::string& input = "",
                          const std::string& client = "laptop");

  // As Berth(), and expects success. Returns what it printed.
  std::string Run(const std::vector<std::string>& arguments,
                  const std::string& input = "",
                  const std::string& client = "laptop");

  // Makes a certificate for `user`. From then on the client of that name is
  // that user's; all others are the administrator's.
  void AddUser(const std::string& user);

  // Starts `berth` and leaves it running; its stdout is the returned process's.
  Process Start(const std::vector<std::string>& arguments,
                const std::string& client = "laptop");

  // How to start `berth` as `client`, to run it in some other way.
  Process::Options Command(const std::vector<std::string>& arguments,
                           const std::string& client);

  // Calls `berth` until its output satisfies the caller: a state that changes
  // by itself was reached. Fails the test after `limit`, quoting the last.
  std::string WaitFor(const std::vector<std::string>& arguments,
                      const std::string& text,
                      absl::Duration limit = absl::Seconds(20),
                      const std::string& client = "laptop");

  // The sessions that `ls` shows for these arguments.
  std::vector<v1::Session> Sessions(const std::vector<std::string>& arguments,
                                    const std::string& client = "laptop");
  // The one session that `selector` fits.
  v1::Session Session(const std::string& selector,
                      const std::string& client = "laptop");

  // Waits until a session is in this state for this client.
  void WaitForState(const std::string& selector, v1::SessionState state,
                    const std::string& client = "laptop");

  // Sets a key of broker.toml; `value` is TOML. For the next StartBroker().
  void ConfigureBroker(const std::string& key, const std::string& value);
  void StartBroker();
  void KillBroker(int signal);
  void StartAgent(const std::string& computer);
  void KillAgent(const std::string& computer, int signal);

  // From now on clients, or a computer's agent when it starts next, reach the
  // broker through this port of loopback.
  void SetClientPort(int port) { client_port_ = port; }
  void SetAgentPort(const std::string& computer, int port);
  // BERTH_PAUSE_POINTS of every program that is started from now on; empty:
  // none. A keeper has what its first `berth` had, a holder what its agent has.
  void SetPausePoints(const std::string& points) { pause_points_ = points; }
  // Waits until it has ended by itself; 128 and the signal that ended it.
  int WaitBrokerEnd(absl::Duration limit = absl::Seconds(30));
  int WaitAgentEnd(const std::string& computer,
                   absl::Duration limit = absl::Seconds(30));

  // `berth-agent configuration` with these words, on a computer.
  Process::Finished Configuration(const std::string& computer,
                                  std::vector<std::string> words);
  // Registers `text` as the configuration `name`, and waits until the broker
  // knows it.
  void Register(const std::string& computer, const std::string& name,
                const std::string& text);

  // 0 while it does not run.
  pid_t BrokerPid() const;
  pid_t AgentPid(const std::string& computer) const;

  // The process that holds the session, from the file it keeps; 0 if none.
  pid_t HolderPid(const std::string& selector);

  // The pid of the client's keeper; 0 if there is none.
  pid_t KeeperPid(const std::string& client = "laptop");

  const std::string& directory() const { return dir_.path(); }
  std::string AgentDirectory(const std::string& computer) const {
    return dir_.path() + "/" + computer;
  }
  int port() const { return port_; }

 private:
  std::vector<std::string> Environment(const std::string& client) const;
  void Join(const std::string& computer);

  TempDir dir_;
  const std::string address_;
  int port_ = 0;         // Chosen by the kernel when the broker first starts.
  int client_port_ = 0;  // 0: the broker's.
  std::string pause_points_;
  std::optional<Process> broker_;
  std::map<std::string, Process> agents_;
  std::vector<std::string> clients_;
  std::set<std::string> users_;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_E2E_FLEET_H_
