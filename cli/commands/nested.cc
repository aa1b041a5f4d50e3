#include "cli/commands/nested.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "base/unique_fd.h"
#include "cli/invocation/deadline.h"

namespace berth::cli {
namespace {

constexpr size_t kMaxOutput = 1 << 20;

std::string ContentOf(const UniqueFd& file) {
  std::string text(kMaxOutput, '\0');
  const ssize_t size = pread(file.get(), text.data(), text.size(), 0);
  text.resize(size > 0 ? size : 0);
  return text;
}

}  // namespace

Nested RunNested(Invocation& outer,
                 int (*command)(Invocation&, std::vector<std::string>),
                 std::vector<std::string> words, absl::Duration limit) {
  const UniqueFd in(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const UniqueFd out(memfd_create("out", MFD_CLOEXEC));
  const UniqueFd err(memfd_create("err", MFD_CLOEXEC));
  Invocation::Params params;
  params.args = words;
  params.cwd = outer.cwd();
  params.environment = outer.environment();
  params.in = in.get();
  params.out = out.get();
  params.err = err.get();
  Nested result;
  {
    Invocation inner(std::move(params), outer.connector());
    const SignalSource::Watch watch(outer.signals(), [&inner](bool left) {
      if (left) inner.signals().Leave();
    });
    const Deadline deadline(inner.signals(), limit);
    result.exit_status = command(inner, std::move(words));
  }
  result.out = ContentOf(out);
  result.err = ContentOf(err);
  return result;
}

}  // namespace berth::cli
