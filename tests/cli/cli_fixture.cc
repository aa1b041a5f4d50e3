#include "tests/cli/cli_fixture.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace berth::testing {

CliFixture::~CliFixture() {
  if (KeeperPid() != 0) (void)Process::Run(Command({"keeper", "stop"}));
}

Process::Options CliFixture::Command(const std::vector<std::string>& arguments,
                                     bool to_file) {
  const std::string& root = dir_.path();
  mkdir((root + "/run").c_str(), 0700);
  Process::Options options;
  options.argv = {std::filesystem::absolute(getenv("BERTH_CLI"))};
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  options.environment = {
      absl::StrCat("HOME=", root),
      absl::StrCat("XDG_RUNTIME_DIR=", root, "/run"),
      absl::StrCat("PATH=", getenv("PATH")),
      "LANG=C.UTF-8",
      absl::StrCat("BERTH_BROKER=127.0.0.1:", broker_.port()),
      absl::StrCat("BERTH_CA=", root, "/ca.pem"),
      absl::StrCat("BERTH_CERTIFICATE=", root, "/user.pem"),
      absl::StrCat("BERTH_KEY=", root, "/user.key")};
  options.environment->insert(options.environment->end(),
                              more_environment_.begin(),
                              more_environment_.end());
  if (to_file) options.stderr_path = root + "/stderr";
  return options;
}

Process::Finished CliFixture::Berth(const std::vector<std::string>& arguments,
                                    const std::string& input) {
  auto finished = Process::Run(Command(arguments), input, absl::Minutes(1));
  EXPECT_TRUE(finished.ok()) << finished.status();
  if (!finished.ok()) return {.exit_code = -1, .out = "", .err = ""};
  return *std::move(finished);
}

Process CliFixture::Start(const std::vector<std::string>& arguments) {
  auto process = Process::Start(Command(arguments, /*to_file=*/true));
  EXPECT_TRUE(process.ok()) << process.status();
  return *std::move(process);
}

Process CliFixture::StartTo(const std::string& file,
                            const std::vector<std::string>& arguments) {
  Process::Options options = Command(arguments, /*to_file=*/true);
  std::vector<std::string> argv = {
      "/bin/sh", "-c",
      absl::StrCat("exec \"$0\" \"$@\" >>", file, " </dev/null")};
  argv.insert(argv.end(), options.argv.begin(), options.argv.end());
  options.argv = argv;
  auto process = Process::Start(options);
  EXPECT_TRUE(process.ok()) << process.status();
  return *std::move(process);
}

pid_t CliFixture::KeeperPid() {
  auto status = Process::Run(Command({"keeper", "status"}));
  EXPECT_TRUE(status.ok()) << status.status();
  pid_t pid = 0;
  for (absl::string_view word :
       absl::StrSplit(status->out, absl::ByAnyChar(" \n"))) {
    if (absl::SimpleAtoi(word, &pid)) return pid;
  }
  return 0;
}

}  // namespace berth::testing
