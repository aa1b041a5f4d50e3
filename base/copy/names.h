#ifndef BERTH_BASE_COPY_NAMES_H_
#define BERTH_BASE_COPY_NAMES_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace berth::copy {

// What the file systems of Linux take.
inline constexpr size_t kMaxName = 255;

// Whether `name` names an entry of a folder, and nothing else: 1 to kMaxName
// bytes without "/" and NUL, and neither "." nor "..".
bool IsEntryName(absl::string_view name);

// What `name` is called while it is being received: ".name.berth-part", or
// something as unlikely if that would be too long.
std::string PartName(absl::string_view name);

// Whether `name` could be one of those. Such are left behind by copies that
// were cut off, and not copied themselves.
bool IsPartName(absl::string_view name);

// The last name of a path; empty if it has none of its own ("/", "a/..", "").
std::string LastName(absl::string_view path);

}  // namespace berth::copy

#endif  // BERTH_BASE_COPY_NAMES_H_
