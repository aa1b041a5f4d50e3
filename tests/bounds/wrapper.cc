#include "tests/bounds/wrapper.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace berth::testing {
namespace {

std::string PathOf(const std::string& variable) {
  const char* path = getenv(variable.c_str());
  EXPECT_NE(path, nullptr) << variable;
  std::error_code error;
  return std::filesystem::absolute(path != nullptr ? path : "", error);
}

}  // namespace

Wrappers::Wrappers() { chmod(dir_.path().c_str(), 0711); }

void Wrappers::Wrap(const std::string& variable, const std::string& before) {
  const std::string path = absl::StrCat(dir_.path(), "/", variable, ".sh");
  WriteTextFile(path, absl::StrCat("#!/bin/sh\nexec ", before, " '",
                                   PathOf(variable), "' \"$@\"\n"));
  chmod(path.c_str(), 0755);
  setenv(variable.c_str(), path.c_str(), 1);
}

void Wrappers::Publish(const std::string& variable) {
  const std::string path = absl::StrCat(dir_.path(), "/", variable);
  std::error_code error;
  std::filesystem::copy_file(PathOf(variable), path, error);
  EXPECT_FALSE(error) << error.message();
  chmod(path.c_str(), 0755);
  setenv(variable.c_str(), path.c_str(), 1);
}

}  // namespace berth::testing
