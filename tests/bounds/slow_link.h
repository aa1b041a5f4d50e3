#ifndef BERTH_TESTS_BOUNDS_SLOW_LINK_H_
#define BERTH_TESTS_BOUNDS_SLOW_LINK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tests/support/process.h"

namespace berth::testing {

// Two networks with one slow link between them, both gone with this test: this
// process, and what it starts, is in the one from now on, and what is run with
// Through() in the other. Make it before anything else is started.
class SlowLink {
 public:
  // This process's address there.
  static constexpr char kAddress[] = "10.99.0.1";

  // `rate` as tc writes it, such as "8mbit", both ways; `delay` one way, such
  // as "10ms", where the kernel can (netem). What the link keeps waiting is up
  // to half a second of its rate. FAILED_PRECONDITION, with the reason: not
  // possible here.
  static absl::StatusOr<std::unique_ptr<SlowLink>> Make(
      const std::string& rate, const std::string& delay);

  // The same program on the other side.
  Process::Options Through(Process::Options options) const;

  bool delays() const { return delays_; }

 private:
  explicit SlowLink(Process other) : other_(std::move(other)) {}

  Process other_;  // Keeps the other network.
  bool delays_ = false;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_BOUNDS_SLOW_LINK_H_
