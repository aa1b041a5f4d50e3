// Recordings from the first byte that a session prints to what is played of it
// when session, agent and broker are others.

#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"
#include "tests/support/tty_program.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kComputer[] = "web01";

class RecordingTest : public ::testing::Test {
 protected:
  RecordingTest() : fleet_({kComputer}) {
    fleet_.KillAgent(kComputer, SIGTERM);
    WriteTextFile(fleet_.AgentDirectory(kComputer) + "/agent.toml",
                  "[recordings]\nseal_after = \"1s\"\n"
                  "[configurations.seen]\nrecord = true\n"
                  "[configurations.terminal]\nrecord = \"terminal\"\n"
                  "[configurations.commands]\nrecord = \"commands\"\n");
    fleet_.StartAgent(kComputer);
  }

  void New(const std::string& name, const std::string& configuration) {
    fleet_.WaitFor({"new", "-c", kComputer, "--name", name, "--configuration",
                    configuration},
                   name);
  }
  std::string Run(const std::string& name, const std::string& script) {
    return fleet_.Run({"run", "-s", name, "--", script});
  }
  // Ends the session, and waits for all of its recording.
  void End(const std::string& name) {
    fleet_.Run({"rm", name});
    fleet_.WaitFor({"recordings", "ls", name}, "complete", absl::Seconds(60));
  }
  std::string Text(const std::string& name) {
    return fleet_.Run({"export", "--text", "-", name});
  }
  // The archive's files of the only recording that there is.
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(
             fleet_.directory() + "/broker/archive")) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    return files;
  }

  Fleet fleet_;
};

TEST_F(RecordingTest, HasEveryByteOnceWhoeverDies) {
  New("work", "seen");
  EXPECT_THAT(fleet_.Run({"configurations", "-o", "wide"}),
              HasSubstr("recorded=all"));
  EXPECT_EQ(Run("work", "echo before; echo wrong >&2"), "before\n");
  Process run = fleet_.Start(
      {"run", "-s", "work", "--",
       "for i in $(seq 1000 1400); do echo line-$i; echo tty-$i >/dev/tty; "
       "sleep 0.01; done"});
  ASSERT_TRUE(run.WaitForLine("line-1050").ok());
  fleet_.KillAgent(kComputer, SIGKILL);
  fleet_.StartAgent(kComputer);
  ASSERT_TRUE(run.WaitForLine("line-1200", absl::Seconds(60)).ok());
  fleet_.KillBroker(SIGKILL);
  fleet_.StartBroker();
  ASSERT_TRUE(run.WaitForLine("line-1400", absl::Seconds(60)).ok());
  fleet_.KillAgent(kComputer, SIGKILL);
  fleet_.StartAgent(kComputer);
  fleet_.WaitFor({"computers"}, "Online");
  End("work");
  EXPECT_THAT(fleet_.Run({"ls"}), Not(HasSubstr("work")));

  std::string lines, terminal, others;
  for (const absl::string_view line : absl::StrSplit(Text("work"), '\n')) {
    std::string* to = absl::StartsWith(line, "line-")  ? &lines
                      : absl::StartsWith(line, "tty-") ? &terminal
                                                       : &others;
    absl::StrAppend(to, line, "\n");
  }
  std::string all_lines, all_terminal;
  for (int i = 1000; i <= 1400; ++i) {
    absl::StrAppend(&all_lines, "line-", i, "\n");
    absl::StrAppend(&all_terminal, "tty-", i, "\n");
  }
  EXPECT_EQ(lines, all_lines);
  EXPECT_EQ(terminal, all_terminal);
  EXPECT_THAT(others, HasSubstr("[admin runs 1: echo before; echo wrong >&2]"));
  EXPECT_THAT(others, HasSubstr("before\nwrong\n[1 ended with 0]\n"));
  EXPECT_THAT(others, HasSubstr("[the session ended: removed"));
  EXPECT_THAT(others, Not(HasSubstr("missing")));
  EXPECT_EQ(fleet_.Run({"play", "work"}), Text("work"));
  EXPECT_THAT(fleet_.Run({"recordings", "verify", "work"}),
              HasSubstr("intact: "));
  // Nothing is left on the computer.
  EXPECT_TRUE(std::filesystem::is_empty(fleet_.AgentDirectory(kComputer) +
                                        "/recordings"));
}

TEST_F(RecordingTest, WhatIsTypedUnseenIsNotInIt) {
  New("work", "seen");
  {
    TtyProgram terminal(fleet_.Command({"enter", "work"}, "laptop"), 30, 90);
    terminal.WaitFor("$");
    terminal.Type("read -s secret; echo got ${#secret}\r");
    terminal.WaitFor("read -s secret");
    fleet_.WaitFor({"ls", "work", "-o", "json"}, "terminal");
    terminal.Type("hunter-two\r");
    terminal.WaitForLine("got 10");
    terminal.Type("~.");
    EXPECT_EQ(terminal.Wait(), 0);
  }
  End("work");
  const std::string text = Text("work");
  EXPECT_THAT(text, HasSubstr("got 10"));
  EXPECT_THAT(text, HasSubstr("read -s secret"));
  for (const std::string& file : Files()) {
    EXPECT_THAT(ReadTextFile(file), Not(HasSubstr("hunter-two"))) << file;
  }
  // As an asciicast, for whoever plays it elsewhere.
  const std::string cast = fleet_.directory() + "/work.cast";
  fleet_.Run({"export", "--asciicast", cast, "work"});
  const auto checked = Process::Run(
      {.argv = {"/usr/bin/python3", "-c",
                "import json,sys\n"
                "lines=[json.loads(l) for l in open(sys.argv[1])]\n"
                "assert lines[0]['version']==2\n"
                "t=0\n"
                "for at,kind,data in lines[1:]:\n"
                "  assert at>=t and kind in 'or',(at,kind)\n"
                "  t=at\n"
                "assert [e for e in lines[1:] if e[1:]==['r','90x30']]\n"
                "print(''.join(e[2] for e in lines[1:] if e[1]=='o'))\n",
                cast}});
  ASSERT_TRUE(checked.ok());
  EXPECT_THAT(checked->out, HasSubstr("got 10")) << checked->err;
  Process::Options asciinema;
  asciinema.argv = {"/usr/bin/env",
                    "LC_ALL=C.UTF-8",
                    absl::StrCat("HOME=", fleet_.directory()),
                    "/usr/bin/asciinema",
                    "cat",
                    cast};
  TtyProgram elsewhere(asciinema, 30, 90);  // It wants a terminal.
  elsewhere.WaitFor("got 10");
  EXPECT_EQ(elsewhere.Wait(), 0);
  // On a terminal it is played, with keys.
  TtyProgram player(
      fleet_.Command({"play", "work", "--max-idle", "10ms"}, "laptop"), 30, 90);
  player.WaitFor("the session ended");
  EXPECT_EQ(player.Wait(), 0);
  TtyProgram waiting(
      fleet_.Command({"play", "work", "--speed", "0.01"}, "laptop"), 30, 90);
  waiting.WaitFor("$");
  waiting.Type("q");
  EXPECT_EQ(waiting.Wait(), 0);
}

TEST_F(RecordingTest, OnlyWhoMaySeesItAndThatIsWrittenDown) {
  fleet_.AddUser("alice");
  fleet_.AddUser("bob");
  const std::string policy = fleet_.directory() + "/policy.toml";
  const std::string alice =
      "[roles.own]\nverbs = [\"create\"]\ncomputers = [\"@all\"]\nusers = "
      "[\"alice\"]\n";
  WriteTextFile(policy, alice);
  fleet_.Run({"admin", "policy", "apply", "-f", policy});
  fleet_.Run(
      {"new", "-c", kComputer, "--name", "a", "--configuration", "commands"},
      "", "alice");
  fleet_.Run({"run", "-s", "a", "--", "echo mine"}, "", "alice");
  fleet_.Run({"rm", "a"}, "", "alice");
  fleet_.WaitFor({"recordings", "ls"}, "complete", absl::Seconds(60), "alice");
  EXPECT_THAT(fleet_.Run({"play", "a"}, "", "alice"),
              HasSubstr("[alice runs 1: echo mine]\nmine\n[1 ended with 0]\n"));
  for (const char* verb : {"play", "verify"}) {
    std::vector<std::string> words = {verb, "a", "--owner", "alice"};
    if (words[0] == "verify") words.insert(words.begin(), "recordings");
    const auto refused = fleet_.Berth(words, "", "bob");
    EXPECT_NE(refused.exit_code, 0);
    EXPECT_THAT(refused.err, HasSubstr("no recording"));
  }
  EXPECT_THAT(fleet_.Run({"recordings", "ls"}, "", "bob"),
              Not(HasSubstr("alice")));
  WriteTextFile(
      policy,
      alice +
          "[roles.auditors]\n"
          "verbs = [\"receive\"]\ncomputers = [\"@all\"]\nusers = [\"bob\"]\n");
  fleet_.Run({"admin", "policy", "apply", "-f", policy});
  EXPECT_THAT(fleet_.Run({"play", "a", "--owner", "alice"}, "", "bob"),
              HasSubstr("mine"));
  const std::string audit =
      fleet_.WaitFor({"admin", "audit", "search", "--verb", "recording.read",
                      "--user", "bob", "-o", "json"},
                     "recording.read");
  EXPECT_THAT(audit, HasSubstr("\"owner\":\"alice\""));
  EXPECT_THAT(audit, HasSubstr("\"outcome\":\"allowed\""));
  // What is taken out is for administrators.
  const std::vector<std::string> redact = {
      "recordings",       "redact",  "a",
      "--owner",          "alice",   "--from",
      "2001-01-01 00:00", "--until", "2101-01-01 00:00",
      "--reason",         "by order"};
  EXPECT_NE(fleet_.Berth(redact, "", "alice").exit_code, 0);
}

TEST_F(RecordingTest, WhatIsChangedIsFoundAndWhatIsTakenOutIsSaid) {
  New("work", "terminal");
  Run("work", "echo seen >/dev/tty; echo unseen");
  End("work");
  const std::string text = Text("work");
  EXPECT_THAT(text, HasSubstr("seen\n"));
  EXPECT_THAT(text, Not(HasSubstr("unseen")));
  EXPECT_THAT(
      fleet_.Run({"recordings", "redact", "work", "--from", "2001-01-01 00:00",
                  "--until", "2101-01-01 00:00", "--reason", "by order"}),
      HasSubstr("taken out"));
  EXPECT_THAT(Text("work"), HasSubstr("[taken out by admin: by order]"));
  EXPECT_THAT(Text("work"), Not(HasSubstr("seen\n")));
  EXPECT_THAT(fleet_.Run({"recordings", "verify", "work"}),
              HasSubstr("note: something was taken out of segment 0"));
  fleet_.WaitFor({"admin", "audit", "search", "--verb", "recording.redact"},
                 "by order");
  for (const std::string& file : Files()) {
    if (!absl::EndsWith(file, ".seg")) continue;
    std::string bytes = ReadTextFile(file);
    bytes.back() ^= 1;
    WriteTextFile(file, bytes);
    break;
  }
  const auto changed = fleet_.Berth({"recordings", "verify", "work"});
  EXPECT_EQ(changed.exit_code, 2);
  EXPECT_THAT(changed.err, HasSubstr("the recording was changed"));
  EXPECT_NE(fleet_.Berth({"play", "work"}).exit_code, 0);
}

// Each key shows by what it makes the player draw; none by how long it takes.
TEST_F(RecordingTest, KeysOfThePlayerDoWhatTheySay) {
  New("work", "commands");
  // What is printed is not in the text, which is shown at once.
  Run("work", "printf 'o%s\\n' ne; sleep 1.5; printf 't%s\\n' wo");
  End("work");
  const auto count = [](const TtyProgram& player, absl::string_view what) {
    return std::vector<std::string>(absl::StrSplit(player.output(), what))
               .size() -
           1;
  };
  const auto play = [&] {
    // So slow that nothing comes by itself: 150 s until "two".
    return fleet_.Command({"play", "work", "--speed", "0.01"}, "laptop");
  };
  {
    TtyProgram player(play(), 30, 90);
    player.WaitFor("one");
    EXPECT_EQ(count(player, "two"), 0u);
    player.Type("\x1b[C\x1b[C\x1b[C");  // 30 s on, which is beyond the end.
    player.WaitFor("the session ended");
    EXPECT_EQ(player.Wait(), 0);
    EXPECT_EQ(count(player, "two"), 1u);
  }
  {
    TtyProgram player(play(), 30, 90);
    player.WaitFor("one");
    // As fast as it goes; but it waits, and all is drawn from the beginning.
    player.Type(" ++++++++++++++++++++\x1b[D");
    player.WaitUntil(
        [&](const auto&) { return count(player, "admin runs 1") >= 2; },
        "the beginning again");
    EXPECT_EQ(count(player, "two"), 0u);
    player.Type(" ");
    player.WaitFor("two");
    player.WaitFor("the session ended");
    EXPECT_EQ(player.Wait(), 0);
  }
  TtyProgram player(play(), 30, 90);
  player.WaitFor("one");
  player.Type("---q");
  EXPECT_EQ(player.Wait(), 0);
  EXPECT_EQ(count(player, "two"), 0u);
}

// A small disk in the place of a directory, while it lives.
class SmallDisk {
 public:
  explicit SmallDisk(std::string path) : path_(std::move(path)) {
    mounted_ = geteuid() == 0 && mount("berth-test", path_.c_str(), "tmpfs", 0,
                                       "size=4m,mode=0700") == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount2(path_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  void Fill() const {
    FILE* file = fopen((path_ + "/filler").c_str(), "w");
    setvbuf(file, nullptr, _IONBF, 0);
    const std::string block(4096, 'x');
    while (fwrite(block.data(), 1, block.size(), file) == block.size()) {
    }
    fclose(file);
  }
  void Free() const { std::filesystem::remove(path_ + "/filler"); }

 private:
  const std::string path_;
  bool mounted_ = false;
};

// A full disk of the broker's stops no command and loses no byte: segments stay
// with their agent until there is room.
TEST_F(RecordingTest, AFullArchiveDiskLosesAndBlocksNothing) {
  const SmallDisk disk(fleet_.directory() + "/broker/archive");
  if (!disk.mounted()) GTEST_SKIP() << "needs root, to mount a small disk";
  disk.Fill();
  New("work", "commands");
  EXPECT_EQ(Run("work", "echo before"), "before\n");
  // Refused, with the reason, and said to whoever looks.
  fleet_.WaitFor(
      {"admin", "audit", "search", "--verb", "recording.store", "-o", "json"},
      "No space left on device", absl::Seconds(60));
  EXPECT_THAT(Run("work", "seq 100000 249999"), HasSubstr("\n249999\n"));
  EXPECT_EQ(Run("work", "echo after"), "after\n");
  fleet_.Run({"rm", "work"});
  disk.Free();
  fleet_.WaitFor({"recordings", "ls", "work"}, "complete", absl::Minutes(3));
  const std::string text = Text("work");
  EXPECT_THAT(text, HasSubstr("\nbefore\n"));
  EXPECT_THAT(text, HasSubstr("\nafter\n"));
  EXPECT_THAT(text, Not(HasSubstr("missing")));
  int numbers = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    numbers += line.size() == 6 && (line[0] == '1' || line[0] == '2');
  }
  EXPECT_EQ(numbers, 150000);
  EXPECT_THAT(fleet_.Run({"recordings", "verify", "work"}),
              HasSubstr("intact"));
  fleet_.KillBroker(SIGTERM);
}

// The files of what is left are as they were, so only what the audit log was
// told shows that the end is missing; and not to administrators alone.
TEST_F(RecordingTest, ACutOffEndIsToldToWhoeverLooks) {
  fleet_.AddUser("alice");
  fleet_.Run(
      {"new", "-c", kComputer, "--name", "work", "--configuration", "commands"},
      "", "alice");
  const std::string id = fleet_.Session("work", "alice").instance_id();
  fleet_.Run({"run", "-s", "work", "--", "echo first"}, "", "alice");
  fleet_.WaitFor({"admin", "audit", "search", "--verb", "recording.store",
                  "--session", id, "-o", "json"},
                 "segment=0 ", absl::Seconds(60));
  fleet_.Run({"run", "-s", "work", "--", "echo second"}, "", "alice");
  fleet_.Run({"rm", "work"}, "", "alice");
  fleet_.WaitFor({"recordings", "ls", "work"}, "complete", absl::Seconds(60),
                 "alice");
  fleet_.WaitFor({"admin", "audit", "search", "--verb", "recording.store",
                  "--session", id, "-o", "json"},
                 "last=true", absl::Seconds(60));
  EXPECT_THAT(fleet_.Run({"recordings", "verify", "work"}, "", "alice"),
              HasSubstr("intact"));
  const std::string directory =
      absl::StrCat(fleet_.directory(), "/broker/archive/", id);
  const std::string lines = ReadTextFile(directory + "/chain");
  WriteTextFile(directory + "/chain", lines.substr(0, lines.find('\n') + 1));
  for (const std::string& file : Files()) {
    if (absl::EndsWith(file, ".seg") && !absl::StrContains(file, "0.seg")) {
      std::filesystem::remove(file);
    }
  }
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"recordings", "verify", "work"},
        {"play", "work"},
        {"export", "--text", "-", "work"}}) {
    const auto told = fleet_.Berth(words, "", "alice");
    EXPECT_EQ(told.exit_code, 2);
    EXPECT_THAT(told.err, HasSubstr("the recording was changed: the audit log "
                                    "knows segment 1 with the hash "));
  }
  // What is left is shown all the same, and without failing if that is asked.
  const auto played =
      fleet_.Berth({"play", "work", "--even-if-changed"}, "", "alice");
  EXPECT_EQ(played.exit_code, 0);
  EXPECT_THAT(played.out, HasSubstr("echo first"));
  EXPECT_THAT(played.err, HasSubstr("the recording was changed"));
  {
    TtyProgram player(
        fleet_.Command({"play", "work", "--max-idle", "1ms"}, "alice"), 30, 90);
    player.WaitFor("the recording was changed");
    EXPECT_EQ(player.Wait(), 2);
  }
  // A chain that is no chain hides nothing from its owner either.
  WriteTextFile(directory + "/chain", lines + "{}\n");
  EXPECT_THAT(fleet_.Run({"recordings", "ls", "work"}, "", "alice"),
              HasSubstr("damaged"));
  EXPECT_EQ(fleet_.Berth({"play", "work"}, "", "alice").exit_code, 2);
  // One that is gone as a whole: administrators ask by its instance id.
  std::filesystem::remove_all(directory);
  const auto gone = fleet_.Berth({"recordings", "verify", id});
  EXPECT_EQ(gone.exit_code, 2);
  EXPECT_THAT(gone.err, HasSubstr("knows segment 0"));
  const auto hidden = fleet_.Berth({"recordings", "verify", id}, "", "alice");
  EXPECT_THAT(hidden.err, HasSubstr("no recording"));
}

}  // namespace
}  // namespace berth::testing
