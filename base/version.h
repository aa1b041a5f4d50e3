#ifndef BERTH_BASE_VERSION_H_
#define BERTH_BASE_VERSION_H_

namespace berth {

// Of all programs: they are built and released together. In one place of each
// program, so that a test can make the next version of it.
extern const char kVersion[];

}  // namespace berth

#endif  // BERTH_BASE_VERSION_H_
