// `berth cp`, with a real fleet: trees arrive as they are, a copy goes on after
// whatever dies, and nothing is hurt by what goes wrong.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"

namespace berth::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr int kLargeMib = 64;

off_t SizeOf(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 ? info.st_size : 0;
}

std::string Shell(const std::string& command) {
  auto done = Process::Run({.argv = {"/bin/bash", "-c", command}}, "",
                           absl::Minutes(1));
  EXPECT_TRUE(done.ok()) << done.status();
  if (!done.ok()) return "";
  EXPECT_EQ(done->exit_code, 0) << command << ": " << done->err;
  return done->out;
}

// Names, kinds, modes and contents of all below `root`.
std::string Digest(const std::string& root) {
  return Shell(absl::StrCat(
      "cd ", root,
      " && find . -mindepth 1 -printf '%P|%y|%m|%l\\0' | sort -z | sha256sum"
      " && find . -type f -print0 | sort -z | xargs -0 sha256sum --zero"));
}

class CopyTest : public ::testing::Test {
 protected:
  CopyTest() : fleet_({"box"}) {
    fleet_.Run({"new", "-c", "box"});
    here_ = fleet_.directory() + "/here";
    there_ = fleet_.directory() + "/there";
    mkdir(here_.c_str(), 0755);
    mkdir(there_.c_str(), 0755);
  }

  void MakeTree() {
    Shell("cd " + here_ +
          R"( && mkdir -p tree/a/b tree/hollow && cd tree &&
          printf x >$'new\nline' && printf y >-rf && printf z >$'gr\xc3\xbc' &&
          : >empty && head -c 100000 /dev/urandom >program &&
          chmod 751 program && head -c 5000000 /dev/urandom >large &&
          for i in $(seq 300); do echo $i >a/f$i; done &&
          ln -s /nowhere a/dangling && chmod 550 a/b)");
  }
  std::string MakeLarge(const std::string& path) {
    Shell(absl::StrCat("head -c ", kLargeMib, "M /dev/urandom >", path));
    return path;
  }

  // Starts `berth` with its messages in a file.
  Process Start(const std::vector<std::string>& arguments) {
    Process::Options options = fleet_.Command(arguments, "laptop");
    options.stderr_path = fleet_.directory() + "/berth.err";
    auto process = Process::Start(options);
    EXPECT_TRUE(process.ok()) << process.status();
    return *std::move(process);
  }
  std::string Errors() {
    return ReadTextFile(fleet_.directory() + "/berth.err");
  }

  void ExpectSame(const std::string& one, const std::string& other) {
    Shell("cmp " + one + " " + other);
  }

  Fleet fleet_;
  std::string here_;
  std::string there_;
};

// A part of `large` in `folder` that an earlier attempt has left, and that
// somebody holds: whoever receives the file waits for it. So a copy can be met
// in its middle without looking at a clock.
class HeldPart {
 public:
  static constexpr off_t kSize = 4 << 20;

  HeldPart(const std::string& large, const std::string& folder)
      : path_(folder + "/.large.berth-part") {
    Shell(absl::StrCat("head -c ", kSize, " ", large, " >", path_));
    fd_ = UniqueFd(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(flock(fd_.get(), LOCK_EX | LOCK_NB), 0);
  }

  // Until another process has opened it, or none has any more.
  void WaitOpened(bool opened = true) {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (IsOpen() != opened && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(2));  // Between two looks, no more.
    }
    ASSERT_EQ(IsOpen(), opened);
  }
  off_t size() const { return SizeOf(path_); }
  void Release() { fd_.reset(); }

 private:
  bool IsOpen() const {
    std::error_code error;
    // Also of a child of ours that has not begun its program yet.
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    for (const auto& process : fs::directory_iterator("/proc", error)) {
      const fs::path program = fs::read_symlink(process.path() / "exe", error);
      if (error || program == self) continue;
      for (const auto& fd :
           fs::directory_iterator(process.path() / "fd", error)) {
        if (fs::read_symlink(fd.path(), error) == path_) return true;
      }
    }
    return false;
  }

  const std::string path_;
  UniqueFd fd_;
};

TEST_F(CopyTest, TreesArriveAsTheyAreBothWays) {
  MakeTree();
  EXPECT_EQ(fleet_.Run({"cp", "-r", here_ + "/tree", "1:" + there_}), "");
  EXPECT_EQ(Digest(there_ + "/tree"), Digest(here_ + "/tree"));
  fleet_.Run({"cp", "-r", "1:" + there_ + "/tree", here_ + "/back"});
  EXPECT_EQ(Digest(here_ + "/back"), Digest(here_ + "/tree"));
}

TEST_F(CopyTest, PathsAreThoseOfTheSession) {
  WriteTextFile(here_ + "/file", "content");
  fleet_.Run({"run", "-s", "1", "--", "cd " + there_});
  fleet_.Run({"cp", here_ + "/file", "1:"});
  EXPECT_EQ(ReadTextFile(there_ + "/file"), "content");
  fleet_.Run({"cp", here_ + "/file", "1:~/at home"});
  EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", "cat ~/'at home'"}), "content");
  fleet_.Run({"cp", "--", here_ + "/file", "Session1:made/on/the/way/"});
  EXPECT_EQ(ReadTextFile(there_ + "/made/on/the/way/file"), "content");
}

TEST_F(CopyTest, EachFileThatFailsIsToldAndTheRestIsCopied) {
  MakeTree();
  mkfifo((here_ + "/tree/fifo").c_str(), 0600);
  fs::create_directories(there_ + "/tree/empty/in the way");
  auto done = fleet_.Berth(
      {"cp", "-r", here_ + "/tree", here_ + "/nothing", "1:" + there_});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.err, HasSubstr("/tree/fifo: is neither a file"));
  EXPECT_THAT(done.err, HasSubstr("/nothing: No such file"));
  EXPECT_THAT(done.err,
              HasSubstr("1:" + there_ + "/tree/empty: is a folder, which"));
  ExpectSame(here_ + "/tree/large", there_ + "/tree/large");
  done = fleet_.Berth(
      {"cp", "1:/root/none", "1:" + there_ + "/tree/large", here_ + "/in"});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.err, HasSubstr("1:/root/none: No such file"));
  ExpectSame(here_ + "/tree/large", here_ + "/in/large");
}

TEST_F(CopyTest, CommandLinesThatMakeNoSenseAreRefused) {
  auto Fails = [&](const std::vector<std::string>& words) {
    std::vector<std::string> arguments = {"cp"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    const auto done = fleet_.Berth(arguments);
    EXPECT_EQ(done.exit_code, 1);
    return done.err;
  };
  EXPECT_THAT(Fails({"a", "b"}), HasSubstr("no side is in a session"));
  EXPECT_THAT(Fails({"1:a", "1:b"}), HasSubstr("both sides are in sessions"));
  EXPECT_THAT(Fails({"1:a", "b", "c"}), HasSubstr("one after another"));
  EXPECT_THAT(Fails({"x/a", "y/a", "1:/tmp/"}), HasSubstr("two sources"));
  EXPECT_THAT(Fails({"7:a", here_}), HasSubstr("no session '7'"));
  EXPECT_THAT(Fails({"none*:a", here_}), HasSubstr("no session fits 'none*'"));
  EXPECT_THAT(Fails({here_, "1:" + there_}), HasSubstr("copy it with -r"));
  WriteTextFile(here_ + "/x", "x");
  EXPECT_THAT(Fails({here_ + "/x", "1:/none/x"}), HasSubstr("ends with /"));
  EXPECT_THAT(Fails({here_ + "/x", "1:~root/x"}), HasSubstr("only ~ and ~/"));
}

TEST_F(CopyTest, ACopyRunsBesideACommand) {
  const std::string fifo = fleet_.directory() + "/go";
  Process run = Start({"run", "-s", "1", "--",
                       "mkfifo " + fifo + "; echo begun; read x <" + fifo});
  ASSERT_EQ(run.ReadExactly(6).value(), "begun\n");
  MakeTree();
  fleet_.Run({"cp", "-r", here_ + "/tree", "1:" + there_});
  EXPECT_EQ(Digest(there_ + "/tree"), Digest(here_ + "/tree"));
  Shell("echo >" + fifo);
  EXPECT_EQ(run.Wait().value(), 0);
}

TEST_F(CopyTest, SeveralSessionsAtOnce) {
  fleet_.Run({"new", "-c", "box", "--name", "web1"});
  fleet_.Run({"new", "-c", "box", "--name", "web2"});
  for (const char* name : {"web1", "web2"}) {
    fleet_.Run({"run", "-s", name, "--",
                absl::StrCat("mkdir ", there_, "/", name, " && cd ", there_,
                             "/", name)});
  }
  WriteTextFile(here_ + "/file", "content");
  fleet_.Run({"cp", here_ + "/file", "web*:"});
  EXPECT_EQ(ReadTextFile(there_ + "/web1/file"), "content");
  EXPECT_EQ(ReadTextFile(there_ + "/web2/file"), "content");
  fleet_.Run({"cp", "web*:file", here_ + "/from"});
  EXPECT_EQ(ReadTextFile(here_ + "/from/box-2/file"), "content");
  EXPECT_EQ(ReadTextFile(here_ + "/from/box-3/file"), "content");
}

TEST_F(CopyTest, AnInterruptedCopySaysHowToGoOnAndDoes) {
  const std::string large = MakeLarge(here_ + "/large");
  HeldPart part(large, there_);
  Process copy = Start({"cp", large, "1:" + there_ + "/"});
  part.WaitOpened();
  EXPECT_EQ(copy.StopWith(SIGINT), 130);
  EXPECT_THAT(Errors(), HasSubstr("goes on from there with the same command"));
  part.WaitOpened(false);
  EXPECT_EQ(part.size(), HeldPart::kSize);
  part.Release();
  fleet_.Run({"cp", large, "1:" + there_ + "/"});
  ExpectSame(large, there_ + "/large");
  EXPECT_EQ(part.size(), 0);
}

TEST_F(CopyTest, AKilledClientLeavesAPartToGoOnFrom) {
  const std::string large = MakeLarge(there_ + "/large");
  HeldPart part(large, here_);
  Process copy = Start({"--no-keeper", "cp", "1:" + large, here_});
  part.WaitOpened();
  copy.StopWith(SIGKILL);
  part.Release();
  fleet_.Run({"cp", "1:" + large, here_});
  ExpectSame(large, here_ + "/large");
  EXPECT_EQ(part.size(), 0);
}

TEST_F(CopyTest, GoesOnByItselfAfterTheBrokerWasKilled) {
  const std::string large = MakeLarge(here_ + "/large");
  HeldPart part(large, there_);
  Process copy = Start({"cp", large, "1:" + there_ + "/"});
  part.WaitOpened();
  fleet_.KillBroker(SIGKILL);
  part.Release();
  fleet_.StartBroker();
  EXPECT_EQ(copy.Wait(absl::Minutes(1)).value(), 0) << Errors();
  EXPECT_THAT(Errors(), HasSubstr("lost; reconnecting"));
  ExpectSame(large, there_ + "/large");
}

TEST_F(CopyTest, GoesOnByItselfAfterTheAgentWasKilled) {
  MakeTree();
  const std::string large = MakeLarge(there_ + "/large");
  Shell("mv " + here_ + "/tree " + there_ + "/tree");
  HeldPart part(large, here_);
  Process copy =
      Start({"cp", "-r", "1:" + large, "1:" + there_ + "/tree", here_ + "/"});
  part.WaitOpened();
  fleet_.KillAgent("box", SIGKILL);
  part.Release();
  fleet_.StartAgent("box");
  EXPECT_EQ(copy.Wait(absl::Minutes(1)).value(), 0) << Errors();
  EXPECT_THAT(Errors(), HasSubstr("lost; reconnecting"));
  ExpectSame(large, here_ + "/large");
  EXPECT_EQ(Digest(here_ + "/tree"), Digest(there_ + "/tree"));
}

// Whatever is on its way when the agent dies, again and again.
TEST_F(CopyTest, GoesOnInTheMiddleOfManyFiles) {
  Shell("mkdir " + here_ + "/tree && cd " + here_ +
        "/tree && for d in 1 2 3; do mkdir $d; for i in $(seq 1500); do "
        "head -c $((i * 10)) /dev/zero >$d/$i; done; done");
  Process copy = Start({"cp", "-r", here_ + "/tree", "1:" + there_ + "/"});
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (!fs::exists(there_ + "/tree/1/1") && absl::Now() < deadline) {
    absl::SleepFor(absl::Microseconds(200));  // Between two looks, no more.
  }
  fleet_.KillAgent("box", SIGKILL);
  fleet_.StartAgent("box");
  EXPECT_EQ(copy.Wait(absl::Minutes(1)).value(), 0) << Errors();
  EXPECT_EQ(Digest(there_ + "/tree"), Digest(here_ + "/tree"));
}

TEST_F(CopyTest, AFullDiskHurtsOnlyWhatDoesNotFit) {
  const std::string disk = fleet_.directory() + "/disk";
  mkdir(disk.c_str(), 0755);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=8m") != 0) {
    GTEST_SKIP() << "mounting a small file system: " << strerror(errno);
  }
  MakeTree();
  MakeLarge(here_ + "/tree/huge");
  const auto done = fleet_.Berth({"cp", "-r", here_ + "/tree", "1:" + disk});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.err,
              HasSubstr("1:" + disk + "/tree/huge: No space left on device"));
  EXPECT_THAT(done.err, HasSubstr("what came is kept"));
  EXPECT_EQ(ReadTextFile(disk + "/tree/a/f7"), "7\n");
  EXPECT_GT(SizeOf(disk + "/tree/.huge.berth-part"), 1 << 20);
  EXPECT_FALSE(fs::exists(disk + "/tree/huge"));
  // With room it goes on.
  ASSERT_EQ(mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=200m"), 0);
  fleet_.Run({"cp", here_ + "/tree/huge", "1:" + disk + "/tree/"});
  ExpectSame(here_ + "/tree/huge", disk + "/tree/huge");
  EXPECT_EQ(umount2(disk.c_str(), MNT_DETACH), 0);
}

}  // namespace
}  // namespace berth::testing
