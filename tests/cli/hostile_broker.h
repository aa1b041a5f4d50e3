#ifndef BERTH_TESTS_CLI_HOSTILE_BROKER_H_
#define BERTH_TESTS_CLI_HOSTILE_BROKER_H_

#include <atomic>
#include <memory>
#include <string>

#include "google/protobuf/message.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/grpcpp.h"
#include "tests/support/hostile_text.h"

namespace berth::testing {

// Every string of `message`, at any depth, becomes `text`; lists get one
// element, of each oneof field number `choice` (modulo their count) is set, and
// numbers and enums something that is valid.
void FillWithText(google::protobuf::Message& message, const std::string& text,
                  int choice);
// With HostileText().
void FillWithHostileText(google::protobuf::Message& message, int choice);

// A broker under an enemy's control: it answers every method of the public API,
// each stream with `choices()` messages, and all text in them is hostile. Or it
// fails every call, and the error's text is hostile. Thread-safe.
class HostileBroker : public grpc::CallbackGenericService {
 public:
  // Certificates of `directory`: see FakeBroker.
  explicit HostileBroker(const std::string& directory);
  ~HostileBroker() override;

  int port() const { return port_; }
  // From now on calls end with `code`; OK makes them succeed.
  void FailWith(grpc::StatusCode code) { code_ = code; }
  int calls() const { return calls_; }

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;

 private:
  class Answer;

  int port_ = 0;
  std::atomic<int> code_ = grpc::StatusCode::OK;
  std::atomic<int> calls_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_CLI_HOSTILE_BROKER_H_
