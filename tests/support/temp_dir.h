#ifndef BERTH_TESTS_SUPPORT_TEMP_DIR_H_
#define BERTH_TESTS_SUPPORT_TEMP_DIR_H_

#include <string>

namespace berth::testing {

// TempDir is a private directory (mode 0700) with a path short enough for a
// Unix socket in it. It is removed with all its content at destruction, unless
// the running test has failed: then it is kept and its path is printed.
class TempDir {
 public:
  TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The content of a file; empty if it can't be read.
std::string ReadTextFile(const std::string& path);

// Creates or replaces a file. The test fails if that can't be done.
void WriteTextFile(const std::string& path, const std::string& content);

}  // namespace berth::testing

#endif  // BERTH_TESTS_SUPPORT_TEMP_DIR_H_
