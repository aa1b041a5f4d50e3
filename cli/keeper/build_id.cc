#include "cli/keeper/build_id.h"

#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstring>

#include "base/version.h"

namespace berth::cli {
namespace {

size_t Aligned(size_t size) { return (size + 3) & ~size_t{3}; }

// The hash in a segment of notes; empty if there is none.
std::string FindBuildId(const char* notes, size_t size) {
  while (size >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    memcpy(&note, notes, sizeof(note));
    const size_t name_at = sizeof(note);
    const size_t hash_at = name_at + Aligned(note.n_namesz);
    const size_t end = hash_at + Aligned(note.n_descsz);
    if (end > size) break;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
        memcmp(notes + name_at, "GNU", 4) == 0) {
      return std::string(notes + hash_at, note.n_descsz);
    }
    notes += end;
    size -= end;
  }
  return "";
}

// Called for the program first; returns non-zero to stop there.
int OnObject(dl_phdr_info* info, size_t, void* result) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_NOTE) continue;
    const std::string id = FindBuildId(
        reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr),
        header.p_memsz);
    if (!id.empty()) *static_cast<std::string*>(result) += id;
  }
  return 1;
}

}  // namespace

std::string BuildId() {
  std::string id = std::string(kVersion) + "-";
  dl_iterate_phdr(OnObject, &id);
  return id;
}

}  // namespace berth::cli
