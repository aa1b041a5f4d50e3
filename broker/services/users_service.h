#ifndef BERTH_BROKER_SERVICES_USERS_SERVICE_H_
#define BERTH_BROKER_SERVICES_USERS_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/tls/certificates.h"
#include "broker/limits/call_limiter.h"
#include "broker/services/fleet.h"
#include "proto/berth/v1/users.grpc.pb.h"

namespace berth::broker {

// Users, their keys, and all certificates (berth.v1.Users). What is changed
// holds at once, and is answered when it is kept. Thread-safe.
class UsersService final : public v1::Users::CallbackService {
 public:
  // Of the certificates that tokens are good for.
  static constexpr absl::Duration kTokenCertificate = absl::Hours(1);

  // `ca`, `fleet` and `limiter` must outlive the service.
  UsersService(const CertificateAuthority& ca, Fleet& fleet,
               CallLimiter& limiter, absl::Duration max_renewal)
      : ca_(ca), fleet_(fleet), limiter_(limiter), max_renewal_(max_renewal) {}

  grpc::ServerUnaryReactor* AddUser(grpc::CallbackServerContext* context,
                                    const v1::AddUserRequest* request,
                                    v1::AddUserResponse* response) override;
  grpc::ServerUnaryReactor* ListUsers(grpc::CallbackServerContext* context,
                                      const v1::ListUsersRequest* request,
                                      v1::ListUsersResponse* response) override;
  grpc::ServerUnaryReactor* SetUserLocked(
      grpc::CallbackServerContext* context,
      const v1::SetUserLockedRequest* request,
      v1::SetUserLockedResponse* response) override;
  grpc::ServerUnaryReactor* RemoveUser(
      grpc::CallbackServerContext* context,
      const v1::RemoveUserRequest* request,
      v1::RemoveUserResponse* response) override;
  grpc::ServerUnaryReactor* AddUserKey(
      grpc::CallbackServerContext* context,
      const v1::AddUserKeyRequest* request,
      v1::AddUserKeyResponse* response) override;
  grpc::ServerUnaryReactor* RemoveUserKey(
      grpc::CallbackServerContext* context,
      const v1::RemoveUserKeyRequest* request,
      v1::RemoveUserKeyResponse* response) override;
  grpc::ServerUnaryReactor* ListCertificates(
      grpc::CallbackServerContext* context,
      const v1::ListCertificatesRequest* request,
      v1::ListCertificatesResponse* response) override;
  grpc::ServerUnaryReactor* RevokeCertificates(
      grpc::CallbackServerContext* context,
      const v1::RevokeCertificatesRequest* request,
      v1::RevokeCertificatesResponse* response) override;
  grpc::ServerUnaryReactor* RenewCertificate(
      grpc::CallbackServerContext* context,
      const v1::RenewCertificateRequest* request,
      v1::RenewCertificateResponse* response) override;
  grpc::ServerUnaryReactor* LogOut(grpc::CallbackServerContext* context,
                                   const v1::LogOutRequest* request,
                                   v1::LogOutResponse* response) override;
  grpc::ServerUnaryReactor* CreateUserToken(
      grpc::CallbackServerContext* context,
      const v1::CreateUserTokenRequest* request,
      v1::CreateUserTokenResponse* response) override;
  grpc::ServerUnaryReactor* ListUserTokens(
      grpc::CallbackServerContext* context,
      const v1::ListUserTokensRequest* request,
      v1::ListUserTokensResponse* response) override;
  grpc::ServerUnaryReactor* RemoveUserToken(
      grpc::CallbackServerContext* context,
      const v1::RemoveUserTokenRequest* request,
      v1::RemoveUserTokenResponse* response) override;
  grpc::ServerUnaryReactor* LogInWithToken(
      grpc::CallbackServerContext* context,
      const v1::LogInWithTokenRequest* request,
      v1::LogInWithTokenResponse* response) override;
  grpc::ServerUnaryReactor* GetTrust(grpc::CallbackServerContext* context,
                                     const v1::GetTrustRequest* request,
                                     v1::GetTrustResponse* response) override;

 private:
  // Answers with `status`; if it is OK, once what was changed is kept, and
  // nobody who was locked out has a stream open.
  grpc::ServerUnaryReactor* Changed(grpc::CallbackServerContext* context,
                                    const absl::Status& status);
  absl::Status Renew(const CertificateInfo& present,
                     const v1::RenewCertificateRequest& request,
                     v1::RenewCertificateResponse& response);
  absl::Status MakeToken(const v1::CreateUserTokenRequest& request,
                         const std::string& admin,
                         v1::CreateUserTokenResponse& response);
  absl::Status LogIn(const v1::LogInWithTokenRequest& request,
                     const std::string& peer,
                     v1::LogInWithTokenResponse& response);

  const CertificateAuthority& ca_;
  Fleet& fleet_;
  CallLimiter& limiter_;
  const absl::Duration max_renewal_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_USERS_SERVICE_H_
