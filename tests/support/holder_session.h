#ifndef BERTH_TESTS_SUPPORT_HOLDER_SESSION_H_
#define BERTH_TESTS_SUPPORT_HOLDER_SESSION_H_

#include <sys/types.h>
#include <termios.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/berth/holder/v1/holder.pb.h"
#include "tests/support/holder_client.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {

// How a command ended: berth.v1.CommandEnded.How, which the holder passes on
// as a number.
enum class How {
  kUnspecified = 0,
  kCompleted = 1,
  kInterrupted = 2,
  kTimedOut = 3,
  kExited = 4,
  kShellEnded = 5,
  kNotStarted = 6,
  kUnknown = 7,
};

// The path of the holder's program.
std::string HolderProgram();

// A message as it is put on a holder's stdin.
std::string Frame(absl::string_view message);

// HolderSession is a real berth-holder with a real shell, driven as an agent
// and a person at the terminal would, each over the holder's socket. What it
// gets is kept; the methods that wait take packets in until what they wait for
// has come, or fail with DeadlineExceeded, saying what did come. Not
// thread-safe.
class HolderSession {
 public:
  struct Options {
    holder::v1::HolderStart::ShellKind kind = holder::v1::HolderStart::BASH;
    std::string shell = "/bin/bash";
    std::vector<std::string> arguments;
    // Added to HOME, PATH, TERM and LANG.
    std::vector<std::string> environment;
    // What the shell reads at its start.
    std::string bashrc = "PS1='$ '\nunset HISTFILE\n";
    std::string zshrc = "PS1='$ '\n";
    uint64_t log_limit = 64 << 20;
    holder::v1::HolderStart::WhenFull when_full =
        holder::v1::HolderStart::BLOCK;
    absl::Duration hello_timeout = absl::Seconds(10);
    // Whether Start() waits for the shell's first prompt.
    bool wait_idle = true;
    // Changes what the holder gets to read.
    std::function<void(holder::v1::HolderStart&)> change_start = nullptr;
  };

  struct Submission {
    std::string script;
    // Not set: the command has no input (end of file at once).
    std::optional<std::string> input;
    // More input may follow by Feed().
    bool more_input = false;
    // 0: refused if the session is busy.
    absl::Duration wait = absl::Seconds(30);
    // 0: none.
    absl::Duration timeout = absl::ZeroDuration();
    bool exit_ends_session = false;
    // Output is taken from the log and acknowledged while it comes. Otherwise
    // that is done when the command has ended.
    bool streamed = false;
    // Empty: a new one.
    std::string command_id;
  };

  struct Result {
    uint64_t sequence = 0;
    std::string out;
    std::string err;
    int status = -1;
    How how = How::kUnspecified;
    std::string cwd;
    std::string detail;
    // From its start to the news of its end, as seen here.
    absl::Duration took;
    // Bytes of output that were lost because the log was full when the command
    // was ended. Any other loss is an error.
    uint64_t gap = 0;
  };

  // What one command has come to.
  struct Command {
    std::string id;
    // Set while it waits: what for.
    std::optional<holder::v1::State> behind;
    std::optional<holder::v1::Started> started;
    std::optional<holder::v1::Ended> ended;
    // Set instead of `ended` if it was withdrawn or waited too long.
    std::optional<holder::v1::Refused> refused;
    uint64_t logged = 0;  // How far its log reaches.
    absl::Time submitted_at;
    absl::Time ended_at;
    // Input.
    std::string input;
    uint64_t input_sent = 0;
    uint64_t input_credit = 0;
    bool input_open = false;  // More is to be sent.
    bool input_ends = false;  // All of it is in `input`.
    // Output taken so far.
    bool streamed = false;
    uint64_t taken = 0;
    std::string out;
    std::string err;
    uint64_t gap = 0;  // What was lost.
  };

  static Options Defaults() { return Options(); }

  // Starts a holder and connects to it. The error is the holder's own if it
  // could not start the shell.
  static absl::StatusOr<std::unique_ptr<HolderSession>> Start(
      const Options& options);

  // Ends what is left of its processes.
  ~HolderSession();

  // Asks the holder to end the session, if it still lives. DeadlineExceeded,
  // with their names, if processes of it stay.
  absl::Status End();

  pid_t shell_pid() const { return shell_pid_; }
  pid_t holder_pid() const { return holder_pid_; }
  // The session's directory, with socket, journal and logs.
  const std::string& directory() const { return directory_; }
  const std::string& home() const { return home_; }
  HolderClient& client() { return *client_; }
  // One more connection.
  absl::StatusOr<HolderClient> Connect() const;
  // Drops the connection and makes another, which follows nothing.
  absl::Status Reconnect();
  // Follows a command that was started by another connection.
  absl::StatusOr<uint64_t> Follow(const std::string& command_id);

  // --- Commands.

  // Sends a command and waits for the holder's answer. Returns its number, or
  // the refusal.
  absl::StatusOr<uint64_t> Submit(const Submission& submission);
  absl::Status WaitStarted(uint64_t sequence,
                           absl::Duration limit = absl::Seconds(10));
  // Waits for the end, takes the output and acknowledges it. A command that was
  // refused after it had been queued is the refusal.
  absl::StatusOr<Result> Wait(uint64_t sequence,
                              absl::Duration limit = absl::Seconds(20));
  // Submit and Wait.
  absl::StatusOr<Result> Run(const Submission& submission,
                             absl::Duration limit = absl::Seconds(20));
  absl::Status Interrupt(uint64_t sequence, bool force = false);
  absl::Status Acknowledge(uint64_t sequence, uint64_t offset, bool ended);
  // From now on as with `streamed`.
  void TakeWhileItComes(uint64_t sequence);
  // More input for a command that was submitted with `more_input`.
  void Feed(uint64_t sequence, absl::string_view data, bool end);
  // Waits until the command has written `text` to stdout or to stderr.
  absl::Status WaitOutput(uint64_t sequence, absl::string_view text,
                          absl::Duration limit = absl::Seconds(10));
  // What the log has of a command, [from, to), without acknowledging it.
  struct Logged {
    std::string out;
    std::string err;
    uint64_t gap = 0;  // Bytes that were dropped.
  };
  absl::StatusOr<Logged> ReadLog(uint64_t sequence, uint64_t from,
                                 uint64_t to) const;
  const Command& command(uint64_t sequence) { return commands_[sequence]; }

  // --- What the shell is doing.

  const holder::v1::State& state() const { return state_; }
  absl::Status WaitState(holder::v1::State::Kind kind,
                         absl::Duration limit = absl::Seconds(10));
  // How often the shell came back to its prompt from what was typed.
  uint64_t prompts() const { return prompts_; }
  // Waits until prompts() is more than `before`.
  absl::Status WaitPrompt(uint64_t before,
                          absl::Duration limit = absl::Seconds(10));
  // Waits until the holder has dealt with all that was sent before.
  absl::Status Sync();
  // Takes in what comes until `done` returns true. `what` is for the error.
  absl::Status WaitUntil(absl::FunctionRef<bool()> done, absl::string_view what,
                         absl::Duration limit = absl::Seconds(10));
  // Takes in what comes for that long.
  void Idle(absl::Duration time);

  // --- The terminal.

  absl::Status Type(absl::string_view keys);
  // Types `keys` and waits until the process in the foreground has read them
  // all and waits for more.
  absl::Status TypeAndWaitRead(absl::string_view keys);
  // All that the terminal has printed, except for what Flush() wrote.
  const std::string& terminal() const { return terminal_; }
  // Waits until `text` is printed somewhere from `from` on.
  absl::Status WaitTerminal(absl::string_view text, size_t from = 0,
                            absl::Duration limit = absl::Seconds(10));
  // Waits until all that was printed before is in terminal(): prints a mark and
  // waits for that.
  absl::Status Flush();
  absl::Status Resize(uint32_t rows, uint32_t columns);
  absl::StatusOr<termios> TerminalModes() const;
  // Puts keys into the terminal past the holder. Unimplemented where the kernel
  // does not allow it.
  absl::Status Inject(absl::string_view keys);
  // The process group in the terminal's foreground; -1 if there is none.
  pid_t Foreground() const;
  // Waits until a program of that name is in the foreground and waits there.
  absl::Status WaitForeground(absl::string_view name);

  // --- Processes.

  // Whether the holder has closed the connection.
  bool gone() const { return !client_ || !client_->connected(); }
  absl::Status WaitGone(absl::Duration limit = absl::Seconds(10));

 private:
  HolderSession() = default;
  absl::Status Launch(const Options& options);
  absl::Status Open(bool wait_idle);
  absl::Status TakeIn(absl::Duration limit);
  void Handle(const holder::v1::Event& event);
  void HandleState(const holder::v1::State& state);
  void HandleTerminal(const holder::v1::TerminalOutput& output);
  void HandleScreen(const holder::v1::TerminalScreen& screen);
  void HandleAnswer(const holder::v1::Event& event);
  absl::Status SendInput();
  absl::Status TakeOutput(uint64_t sequence, uint64_t to);
  std::string Describe() const;

  TempDir temp_;
  std::string directory_;
  std::string home_;
  std::optional<Process> process_;
  std::unique_ptr<HolderClient> client_;
  pid_t shell_pid_ = 0;
  pid_t holder_pid_ = 0;
  std::string terminal_path_;

  std::map<uint64_t, Command> commands_;
  // Answers to Start that Submit has not taken yet: number or refusal.
  std::deque<absl::StatusOr<uint64_t>> answers_;
  // Ids of starts that were not answered yet, oldest first.
  std::deque<std::string> unanswered_;

  holder::v1::State state_;
  uint64_t states_ = 0;
  uint64_t prompts_ = 0;
  std::vector<std::string> notices_;
  std::string terminal_;
  uint64_t terminal_end_ = 0;
  uint64_t marks_ = 0;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_SUPPORT_HOLDER_SESSION_H_
