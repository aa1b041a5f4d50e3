#ifndef BERTH_TESTS_CLI_FAKE_BROKER_H_
#define BERTH_TESTS_CLI_FAKE_BROKER_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "base/cond_var.h"
#include "base/mutex.h"
#include "base/tls/certificates.h"
#include "grpcpp/grpcpp.h"
#include "proto/berth/v1/computers.grpc.pb.h"
#include "proto/berth/v1/sessions.grpc.pb.h"

namespace berth::testing {

// A broker with sessions 1 and 2 on web01 and 3 on web02, for tests of the
// command line: it speaks the contract over real TLS and only pretends to run
// commands. It can be stopped and started again, as one that was restarted,
// without forgetting what ran. Thread-safe.
//
// Scripts: "true"; "exit N"; "echo TEXT"; "both"; "pattern N" (N bytes of
// Pattern()); "cat"; "hang" (prints "on", until it is interrupted); "stubborn"
// (the same, for ever);
// and "cut N SCRIPT": the first stream breaks after N bytes either way.
//
// CreateSession makes sessions from 100 on, on computers "web*" that are not
// "web9*"; these are offline.
class FakeBroker : public v1::Sessions::Service {
 public:
  // What is known of a command.
  struct Command {
    std::string script;
    std::string input;
    std::string output;   // As far as it was printed.
    std::string streams;  // '1' or '2' for each byte, if not all are stdout.
    uint64_t sequence = 0;
    uint64_t acked = 0;
    uint64_t cut_at = 0;
    bool cut = false;
    bool got_eof = false;
    bool ended = false;
    bool acked_end = false;
    int exit_code = 0;
    v1::CommandEnded::How how = v1::CommandEnded::COMPLETED;
    std::string error;  // What the client did against the contract.
  };

  // Writes ca.pem, user.pem and user.key into `directory`.
  explicit FakeBroker(const std::string& directory);
  ~FakeBroker() override { Stop(); }

  // Listens on the port it had before, else on any.
  void Start();
  // Breaks every stream.
  void Stop();
  int port() const { return port_; }

  // The latest command; it must have been started.
  Command Last() const ABSL_LOCKS_EXCLUDED(mu_);
  // Waits until `done` likes the latest command; false after 20 s.
  bool WaitFor(const std::function<bool(const Command&)>& done)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Clients that are present now.
  int present() const ABSL_LOCKS_EXCLUDED(mu_);
  size_t commands() const ABSL_LOCKS_EXCLUDED(mu_);
  // What was asked of CreateSession, and how many sessions were removed.
  std::vector<v1::CreateSessionRequest> created() const
      ABSL_LOCKS_EXCLUDED(mu_);
  size_t removed() const ABSL_LOCKS_EXCLUDED(mu_);
  // Whether sessions end by themselves if they are temporary.
  void set_ends_temporary(bool ends) ABSL_LOCKS_EXCLUDED(mu_);

  static std::string Pattern(size_t size);

  grpc::Status ListSessions(
      grpc::ServerContext* context, const v1::ListSessionsRequest* request,
      grpc::ServerWriter<v1::ListSessionsResponse>* writer) override;
  grpc::Status CreateSession(grpc::ServerContext* context,
                             const v1::CreateSessionRequest* request,
                             v1::CreateSessionResponse* response) override;
  grpc::Status RemoveSession(grpc::ServerContext* context,
                             const v1::RemoveSessionRequest* request,
                             v1::RemoveSessionResponse* response) override;
  grpc::Status Hold(grpc::ServerContext* context,
                    grpc::ServerReaderWriter<v1::HoldResponse, v1::HoldRequest>*
                        stream) override;
  grpc::Status Run(grpc::ServerContext* context,
                   grpc::ServerReaderWriter<v1::CommandEvent, v1::RunRequest>*
                       stream) override;
  grpc::Status Receive(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::CommandEvent, v1::ReceiveRequest>* stream)
      override;

 private:
  template <typename Request>
  class Show;

  std::shared_ptr<Command> FindOrStart(const v1::StartCommand& start)
      ABSL_LOCKS_EXCLUDED(mu_);
  std::shared_ptr<Command> Latest() const ABSL_LOCKS_EXCLUDED(mu_);

  // web01 to web04, and web90, which is offline.
  class Computers : public v1::Computers::Service {
   public:
    grpc::Status ListComputers(grpc::ServerContext* context,
                               const v1::ListComputersRequest* request,
                               v1::ListComputersResponse* response) override;
  };

  const CertificateAuthority ca_;
  Computers computers_;
  std::string certificate_;
  std::string key_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;

  mutable Mutex mu_;
  CondVar changed_;
  int present_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<std::string, std::shared_ptr<Command>> commands_
      ABSL_GUARDED_BY(mu_);
  std::shared_ptr<Command> latest_ ABSL_GUARDED_BY(mu_);
  std::vector<v1::CreateSessionRequest> created_ ABSL_GUARDED_BY(mu_);
  size_t removed_ ABSL_GUARDED_BY(mu_) = 0;
  bool ends_temporary_ ABSL_GUARDED_BY(mu_) = true;
};

}  // namespace berth::testing

#endif  // BERTH_TESTS_CLI_FAKE_BROKER_H_
