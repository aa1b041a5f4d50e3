#ifndef BERTH_CLI_COPY_DOWNLOAD_H_
#define BERTH_CLI_COPY_DOWNLOAD_H_

#include <optional>
#include <string>
#include <vector>

#include "base/copy/receiver.h"
#include "cli/copy/transfer.h"

namespace berth::cli {

// Copies from a session to here.
class Download final : public Transfer {
 public:
  struct What {
    v1::SessionRef session;
    std::vector<std::string> sources;
    std::string destination;  // An absolute path.
    bool folder = false;      // The destination has to be one.
    CopyOptions options;
  };

  Download(Connection& connection, Invocation& invocation, ProgressBar& bar,
           std::string name, What what)
      : Transfer(connection, invocation, bar, std::move(name)),
        what_(std::move(what)) {}

 private:
  absl::Status Attempt(CopyStream& stream, bool& complete) override;
  absl::StatusOr<copy::Receiver::Options> ReceiverOptions();
  v1::CopyFrame FirstFrame() const;
  // Until all is there, or something is wrong that no other stream would mend.
  absl::Status Receive(CopyStream& stream);
  absl::Status Take(CopyStream& stream, const copy::ReceivedFrame& frame);
  void MaybeReport(CopyStream& stream, const v1::CopyReport& report);

  const What what_;
  std::optional<v1::CopyPosition> position_;
  std::optional<copy::Receiver> receiver_;  // Of this stream.
  uint64_t told_ = 0;                       // Entries that were reported done.
  // As it was found first.
  std::optional<v1::CopyDestination> where_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_COPY_DOWNLOAD_H_
