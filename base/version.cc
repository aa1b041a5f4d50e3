#include "base/version.h"

namespace berth {

const char kVersion[] = "0.1.0";

}  // namespace berth
