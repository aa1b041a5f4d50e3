#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <system_error>

namespace berth::testing {

TempDir::TempDir() {
  char path[] = "/tmp/berth.XXXXXX";
  if (mkdtemp(path) == nullptr) {
    ADD_FAILURE() << "can't make a directory in /tmp";
    return;
  }
  path_ = path;
}

TempDir::~TempDir() {
  if (path_.empty()) return;
  if (::testing::Test::HasFailure()) {
    std::cerr << "kept for you to look at: " << path_ << "\n";
    return;
  }
  std::error_code ignored;  // What is left in /tmp fails no test.
  std::filesystem::remove_all(path_, ignored);
}

std::string ReadTextFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

void WriteTextFile(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  file.flush();
  EXPECT_TRUE(file.good()) << "can't write " << path;
}

}  // namespace berth::testing
