#include "agent/shell/hookable.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cstring>
#include <optional>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/unique_fd.h"

namespace berth::shell {
namespace {

// A name that the program's table of symbols must have. readline's may be in a
// library of its own.
struct Needed {
  const char* symbol;
  bool readline;
};

constexpr Needed kNeeded[] = {
    {"parse_and_execute", false},    {"top_level", false},
    {"return_catch", false},         {"save_parser_state", false},
    {"restore_parser_state", false}, {"current_command_line_count", false},
    {"rl_getc_function", true},
};

absl::Status Unusable(absl::string_view path, absl::string_view why) {
  return absl::FailedPreconditionError(
      absl::StrCat("'", path, "' can't be used as a session's shell: ", why,
                   "; name a dynamically linked bash 5.1 or later"));
}

// Copies a structure out of the image; nothing if it isn't all there.
template <typename T>
std::optional<T> At(absl::string_view elf, uint64_t offset) {
  if (offset > elf.size() || elf.size() - offset < sizeof(T)) {
    return std::nullopt;
  }
  T value;
  std::memcpy(&value, elf.data() + offset, sizeof(T));
  return value;
}

std::vector<Elf64_Phdr> ProgramHeaders(absl::string_view elf,
                                       const Elf64_Ehdr& header) {
  std::vector<Elf64_Phdr> all;
  for (uint64_t i = 0; i < header.e_phnum; ++i) {
    auto one = At<Elf64_Phdr>(elf, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (!one) break;
    all.push_back(*one);
  }
  return all;
}

const Elf64_Phdr* Find(const std::vector<Elf64_Phdr>& all, uint32_t type) {
  for (const Elf64_Phdr& one : all) {
    if (one.p_type == type) return &one;
  }
  return nullptr;
}

absl::string_view Bytes(absl::string_view elf, uint64_t offset, uint64_t size) {
  return offset > elf.size() ? "" : elf.substr(offset, size);
}

// The strings of the dynamic section: names of symbols and libraries.
absl::string_view DynamicStrings(absl::string_view elf,
                                 const std::vector<Elf64_Phdr>& headers) {
  const Elf64_Phdr* dynamic = Find(headers, PT_DYNAMIC);
  if (dynamic == nullptr) return "";
  uint64_t address = 0;
  uint64_t size = 0;
  for (uint64_t at = 0; at < dynamic->p_filesz; at += sizeof(Elf64_Dyn)) {
    auto entry = At<Elf64_Dyn>(elf, dynamic->p_offset + at);
    if (!entry) break;
    if (entry->d_tag == DT_STRTAB) address = entry->d_un.d_ptr;
    if (entry->d_tag == DT_STRSZ) size = entry->d_un.d_val;
  }
  for (const Elf64_Phdr& load : headers) {
    if (load.p_type == PT_LOAD && address >= load.p_vaddr &&
        address - load.p_vaddr < load.p_filesz) {
      return Bytes(elf, load.p_offset + (address - load.p_vaddr), size);
    }
  }
  return "";
}

// Linkers store a name that ends another ("top_level" in "jump_to_top_level")
// only once, so any tail will do.
bool HasName(absl::string_view strings, absl::string_view name) {
  return absl::StrContains(strings,
                           absl::StrCat(name, absl::string_view("\0", 1)));
}

}  // namespace

absl::Status CheckHookableImage(absl::string_view path, absl::string_view elf) {
  auto header = At<Elf64_Ehdr>(elf, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) {
    return Unusable(path, "it is not an ELF program");
  }
#if defined(__x86_64__)
  constexpr uint16_t kMachine = EM_X86_64;
#else
  constexpr uint16_t kMachine = EM_AARCH64;
#endif
  if (header->e_ident[EI_CLASS] != ELFCLASS64 ||
      header->e_machine != kMachine) {
    return Unusable(path, "it is for another kind of processor");
  }
  std::vector<Elf64_Phdr> headers = ProgramHeaders(elf, *header);
  const Elf64_Phdr* interpreter = Find(headers, PT_INTERP);
  if (interpreter == nullptr) {
    return Unusable(path, "it is statically linked");
  }
  absl::string_view loader =
      Bytes(elf, interpreter->p_offset, interpreter->p_filesz);
  if (!absl::StrContains(loader, "ld-linux")) {
    return Unusable(path, "it uses another C library than glibc");
  }
  absl::string_view strings = DynamicStrings(elf, headers);
  bool shared_readline = absl::StrContains(strings, "libreadline.so");
  for (const Needed& needed : kNeeded) {
    if (needed.readline && shared_readline) continue;
    if (!HasName(strings, needed.symbol)) {
      return Unusable(path,
                      absl::StrCat("it does not export '", needed.symbol, "'"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckHookable(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return ErrnoToStatus(errno, path);
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return ErrnoToStatus(errno, path);
  if (!S_ISREG(info.st_mode) || info.st_size == 0) {
    return Unusable(path, "it is not a program");
  }
  size_t size = static_cast<size_t>(info.st_size);
  void* bytes = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (bytes == MAP_FAILED) return ErrnoToStatus(errno, path);
  absl::Status status = CheckHookableImage(
      path, absl::string_view(static_cast<const char*>(bytes), size));
  munmap(bytes, size);
  return status;
}

}  // namespace berth::shell
