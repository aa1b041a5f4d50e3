#ifndef BERTH_BASE_VERSION_H_
#define BERTH_BASE_VERSION_H_

namespace berth {

// Of all programs: they are built and released together.
inline constexpr char kVersion[] = "0.1.0";

}  // namespace berth

#endif  // BERTH_BASE_VERSION_H_
