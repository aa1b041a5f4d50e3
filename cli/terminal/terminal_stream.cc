#include "cli/terminal/terminal_stream.h"

#include "cli/client/call.h"

namespace berth::cli {

TerminalStream::TerminalStream(Connection& connection)
    : connection_(connection) {
  // The first message travels with the headers, which saves a write.
  context_.set_initial_metadata_corked(true);
  stream_ = connection.sessions().Enter(&context_);
}

bool TerminalStream::Open(const v1::TerminalRequest& first) {
  const bool written = stream_->Write(first);
  MutexLock lock(mu_);
  open_ = written;
  return written;
}

void TerminalStream::Write(const v1::TerminalRequest& request) {
  MutexLock lock(mu_);
  if (open_) open_ = stream_->Write(request);
}

absl::Status TerminalStream::Finish() {
  {
    MutexLock lock(mu_);
    open_ = false;
  }
  const grpc::Status status = stream_->Finish();
  from_broker_ = status.ok() || IsFromBroker(context_);
  return ToStatus(connection_, context_, status);
}

}  // namespace berth::cli
