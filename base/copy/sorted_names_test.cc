#include "base/copy/sorted_names.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace berth::copy {
namespace {

class SortedNamesTest : public ::testing::Test {
 protected:
  SortedNamesTest() {
    for (int i = 0; i < 500; ++i) {
      expected_.push_back(absl::StrCat("f", i * 7919 % 100'000));
      Touch(expected_.back());
    }
    for (const char* name : {"\n", "-", "..x", "\xff"}) {
      expected_.push_back(name);
      Touch(name);
    }
    std::sort(expected_.begin(), expected_.end());
  }
  ~SortedNamesTest() override { std::filesystem::remove_all(path_); }

  void Touch(const std::string& name) {
    close(open((path_ + "/" + name).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC,
               0600));
  }

  std::vector<std::string> Read(const std::string& after, size_t window) {
    UniqueFd folder(open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    auto names = SortedNames::Open(std::move(folder), after, window);
    EXPECT_TRUE(names.ok()) << names.status();
    std::vector<std::string> found;
    SortedNames::Name name;
    while (names->Next(name)) found.push_back(name.text);
    EXPECT_TRUE(names->status().ok());
    return found;
  }

  char template_[32] = "/tmp/sorted.XXXXXX";
  const std::string path_ = mkdtemp(template_);
  std::vector<std::string> expected_;
};

TEST_F(SortedNamesTest, AllOfThemInOrderHoweverFewFit) {
  for (const size_t window : {1, 2, 7, 100, 503, 504, 505, 100'000}) {
    EXPECT_EQ(Read("", window), expected_) << window;
  }
}

TEST_F(SortedNamesTest, BeginsAfterAnyName) {
  for (const std::string& after :
       {expected_[0], expected_[250], expected_[503], std::string("f5")}) {
    const std::vector<std::string> rest(
        std::upper_bound(expected_.begin(), expected_.end(), after),
        expected_.end());
    EXPECT_EQ(Read(after, 50), rest) << after;
  }
}

}  // namespace
}  // namespace berth::copy
