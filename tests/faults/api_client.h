#ifndef BERTH_TESTS_FAULTS_API_CLIENT_H_
#define BERTH_TESTS_FAULTS_API_CLIENT_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "proto/berth/v1/sessions.grpc.pb.h"
#include "tests/faults/faulty_fleet.h"

namespace berth::testing {

// A program on the public API that runs commands in one session as any client
// should: when a stream breaks it opens the next one with the same start.
class ApiClient {
 public:
  struct Result {
    // How the last attempt ended: OK if the command's end has come.
    grpc::Status status;
    v1::CommandEnded ended;
    std::string out;        // Each byte once, by its offset.
    uint64_t next = 0;      // Up to here.
    bool attached = false;  // The last attempt found the command there.
    int attempts = 0;
    bool answered = false;  // The last attempt was, with anything.
  };
  // Called in an attempt when its first frame is written (`step` is 0), and
  // after each frame that comes. True: the client goes away here.
  using Disturb = std::function<bool(int attempt, int step)>;

  ApiClient(FaultyFleet& fleet, std::string instance_id);

  // One stream.
  void Attempt(const std::string& id, const std::string& script, Result& result,
               const Disturb& disturb = nullptr);
  // As many streams as it takes to learn how the command ended, or that it is
  // refused; at most for `limit`.
  Result Run(const std::string& id, const std::string& script,
             const Disturb& disturb = nullptr,
             absl::Duration limit = absl::Minutes(1));
  // Forgets its connection.
  void Reconnect();

 private:
  FaultyFleet& fleet_;
  const std::string instance_id_;
  const std::string client_id_;
  std::unique_ptr<v1::Sessions::Stub> stub_;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_FAULTS_API_CLIENT_H_
