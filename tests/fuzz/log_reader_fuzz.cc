// A session's files as a broken disk, or a program in the session, might leave
// them: readers must end, and not report a byte twice.

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "absl/types/span.h"
#include "agent/log/journal.h"
#include "agent/log/log_reader.h"

namespace {

const std::string& Directory() {
  static const std::string* const path = [] {
    char name[] = "/tmp/berth-fuzz-XXXXXX";
    return new std::string(mkdtemp(name));
  }();
  return *path;
}

void WriteFile(const std::string& name, const uint8_t* data, size_t size) {
  const std::string path = Directory() + "/" + name;
  const int fd =
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, data, size) != static_cast<ssize_t>(size)) abort();
  close(fd);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using berth::agent::LogReader;
  WriteFile("c1.0000000000000000", data, size);
  WriteFile("journal", data, size);
  auto reader = LogReader::Open(Directory(), 1, 0);
  if (!reader.ok()) abort();
  char buffer[512];
  uint64_t next = 0;
  for (int chunks = 0;; ++chunks) {
    auto chunk = reader->Read(absl::MakeSpan(buffer));
    if (!chunk.ok() || chunk->kind == LogReader::Chunk::kEnd) break;
    if (chunk->offset < next || chunk->length == 0) abort();
    next = chunk->offset + chunk->length;
    if (chunks > 1 << 20) abort();
  }
  berth::agent::ReadJournal(Directory() + "/journal", [](const auto&) {
  }).IgnoreError();
  return 0;
}
