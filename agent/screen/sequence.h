#ifndef BERTH_AGENT_SCREEN_SEQUENCE_H_
#define BERTH_AGENT_SCREEN_SEQUENCE_H_

#include <array>
#include <cstddef>

namespace berth::screen {

// A control sequence: ESC or CSI, what is between, and the final byte.
struct Sequence {
  static constexpr size_t kMaxParameters = 32;
  // Larger numbers count as this one.
  static constexpr int kMaxValue = 65535;

  struct Parameter {
    int value = -1;    // -1: left out.
    bool sub = false;  // Follows a colon: it belongs to the one before.
  };

  char leader = 0;        // One of "<=>?", or 0.
  char intermediate = 0;  // The last one of " !..." to "/", or 0.
  char final = 0;
  std::array<Parameter, kMaxParameters> parameters;
  size_t count = 0;  // Of parameters; more than fit are dropped.

  // The parameter at `index`, or `otherwise` if it was left out.
  int Value(size_t index, int otherwise) const {
    return index < count && parameters[index].value >= 0
               ? parameters[index].value
               : otherwise;
  }
  // The same for a count or a position: 0 means 1.
  int Count(size_t index = 0) const {
    int value = Value(index, 1);
    return value == 0 ? 1 : value;
  }
};

}  // namespace berth::screen

#endif  // BERTH_AGENT_SCREEN_SEQUENCE_H_
