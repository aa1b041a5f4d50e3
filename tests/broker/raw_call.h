#ifndef BERTH_TESTS_BROKER_RAW_CALL_H_
#define BERTH_TESTS_BROKER_RAW_CALL_H_

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <string>

namespace berth::testing {

// RawCall is a call of any method, with messages as bytes. Every wait ends
// after 20 s. Not thread-safe.
class RawCall {
 public:
  // Calls `method` ("/berth.v1.Sessions/Run") and sends `message`.
  RawCall(std::shared_ptr<grpc::Channel> channel, const std::string& method,
          const std::string& message);
  ~RawCall();
  RawCall(const RawCall&) = delete;

  // The next message. Not set: there is none any more.
  std::optional<std::string> Read();
  void Write(const std::string& message);
  void HalfClose();
  // How it ended; it is cancelled if `cancel`.
  grpc::Status Finish(bool cancel = false);

 private:
  bool Wait();

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  grpc::GenericStub stub_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_BROKER_RAW_CALL_H_
