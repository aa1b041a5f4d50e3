#include "broker/users/user_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/proto_time.h"

namespace berth::broker {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Kind = UserDirectory::Kind;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

CertificateInfo Of(Purpose purpose, const std::string& name,
                   const std::string& serial, absl::Time issued = kNow) {
  return {.identity = {purpose, name},
          .serial = serial,
          .issuer = "ca",
          .issued_at = issued,
          .expires_at = issued + absl::Hours(12)};
}

class UserDirectoryTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }

  // Begins again with what was kept.
  void Reopen() {
    directory_ = std::make_unique<UserDirectory>(
        [this](Kind kind, const std::string& key, std::string bytes) {
          if (bytes.empty()) {
            kept_[kind].erase(key);
          } else {
            kept_[kind][key] = std::move(bytes);
          }
        });
    for (const auto& [kind, records] : kept_) {
      for (const auto& [key, bytes] : records) {
        ASSERT_TRUE(directory_->Load(kind, key, bytes).ok());
      }
    }
  }

  absl::Status Lock(const std::string& name, bool locked) {
    v1::SetUserLockedRequest request;
    request.set_name(name);
    request.set_locked(locked);
    request.set_reason("stolen");
    return directory_->SetLocked(request, "admin", kNow).status();
  }

  auto Revoke(const std::string& serial, const std::string& user,
              const std::string& computer) {
    v1::RevokeCertificatesRequest request;
    request.set_serial(serial);
    request.set_user(user);
    request.set_computer(computer);
    request.set_reason("gone");
    return directory_->Revoke(request, admin_, kNow);
  }

  const CertificateInfo admin_ = Of(Purpose::kUser, "admin", "aaaaaaaa");
  const CertificateInfo ann_ = Of(Purpose::kUser, "ann", "bbbbbbbb");
  const CertificateInfo web_ = Of(Purpose::kAgent, "web01", "cccccccc");
  std::map<Kind, std::map<std::string, std::string>> kept_;
  std::unique_ptr<UserDirectory> directory_;
};

TEST_F(UserDirectoryTest, NotesWhomItDidNotKnow) {
  EXPECT_TRUE(directory_->Admit(ann_, kNow).ok());
  EXPECT_TRUE(directory_->Admit(web_, kNow).ok());
  Reopen();
  ASSERT_EQ(directory_->List().size(), 1u);
  EXPECT_EQ(directory_->List()[0].name(), "ann");
  EXPECT_EQ(directory_->List()[0].created_by(), "");
  EXPECT_EQ(directory_->Certificates({}).size(), 2u);
  EXPECT_EQ(directory_->LoginOf(ann_), kNow);
}

TEST_F(UserDirectoryTest, LocksOutAndLetsInAgain) {
  EXPECT_TRUE(absl::IsNotFound(Lock("ann", true)));
  ASSERT_TRUE(directory_->Admit(ann_, kNow).ok());
  ASSERT_TRUE(Lock("ann", true).ok());
  Reopen();
  const absl::Status locked = directory_->Admit(ann_, kNow);
  EXPECT_TRUE(absl::IsPermissionDenied(locked)) << locked;
  EXPECT_THAT(std::string(locked.message()),
              AllOf(HasSubstr("'ann' is locked since 2027"),
                    HasSubstr("(stolen)"), HasSubstr("unlock ann")));
  EXPECT_TRUE(
      absl::IsFailedPrecondition(directory_->MayIssue(ann_.identity, kNow)));
  // A computer of that name is somebody else.
  EXPECT_TRUE(
      directory_->Admit(Of(Purpose::kAgent, "ann", "dddddddd"), kNow).ok());
  ASSERT_TRUE(Lock("ann", false).ok());
  EXPECT_TRUE(directory_->Admit(ann_, kNow).ok());
}

TEST_F(UserDirectoryTest, AdministratorsDoNotLockThemselvesOut) {
  ASSERT_TRUE(directory_->Admit(admin_, kNow).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(Lock("admin", true)));
  EXPECT_TRUE(absl::IsFailedPrecondition(
      directory_->Remove("admin", "admin", kNow).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(Revoke("", "admin", "").status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(Revoke("aaaaaaaa", "", "").status()));
}

TEST_F(UserDirectoryTest, RevokesBySerial) {
  ASSERT_TRUE(directory_->Admit(ann_, kNow).ok());
  ASSERT_TRUE(
      directory_->Admit(Of(Purpose::kUser, "ann", "bbbbbbcc"), kNow).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(Revoke("bbbbb", "", "").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Revoke("bbbbbb", "", "").status()));
  EXPECT_TRUE(absl::IsNotFound(Revoke("ffffff", "", "").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Revoke("", "", "").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Revoke("bbbbbbbb", "ann", "").status()));
  EXPECT_EQ(Revoke("bbbbbbb", "", "")->size(), 1u);
  EXPECT_EQ(Revoke("bbbbbbb", "", "")->size(), 0u);
  Reopen();
  const absl::Status revoked = directory_->Admit(ann_, kNow);
  EXPECT_TRUE(absl::IsUnauthenticated(revoked)) << revoked;
  EXPECT_THAT(std::string(revoked.message()),
              AllOf(HasSubstr("'ann' was revoked at 2027"), HasSubstr("(gone)"),
                    HasSubstr("berth admin user add")));
  EXPECT_TRUE(
      directory_->Admit(Of(Purpose::kUser, "ann", "bbbbbbcc"), kNow).ok());
}

TEST_F(UserDirectoryTest, RevokesAllOfAComputerAlsoThoseNeverSeen) {
  ASSERT_TRUE(directory_->Admit(web_, kNow).ok());
  EXPECT_EQ(Revoke("", "", "web01")->size(), 1u);
  Reopen();
  EXPECT_TRUE(absl::IsUnauthenticated(directory_->Admit(web_, kNow)));
  const absl::Status unseen = directory_->Admit(
      Of(Purpose::kAgent, "web01", "eeeeeeee", kNow - absl::Hours(1)), kNow);
  EXPECT_TRUE(absl::IsUnauthenticated(unseen));
  EXPECT_THAT(std::string(unseen.message()), HasSubstr("berth-agent join"));
  // What is issued from now on is good, in the same second too.
  const CertificateInfo again = Of(Purpose::kAgent, "web01", "99999999");
  directory_->Issued(again, "token", kNow, "");
  EXPECT_TRUE(directory_->Admit(again, kNow).ok());
  EXPECT_TRUE(
      directory_->Admit(Of(Purpose::kAgent, "web02", "88888888"), kNow).ok());
}

TEST_F(UserDirectoryTest, ARemovedUserIsOutAndMayBeMadeAgain) {
  directory_->Issued(ann_, "admin", kNow, "admin");
  EXPECT_EQ(*directory_->Remove("ann", "admin", kNow), 1u);
  Reopen();
  EXPECT_TRUE(directory_->List().empty());
  EXPECT_TRUE(absl::IsUnauthenticated(directory_->Admit(ann_, kNow)));
  EXPECT_TRUE(directory_->List().empty());
  EXPECT_TRUE(directory_->Add("ann", "admin", kNow).ok());
  EXPECT_TRUE(
      absl::IsAlreadyExists(directory_->Add("ann", "admin", kNow).status()));
  EXPECT_TRUE(absl::IsUnauthenticated(directory_->Admit(ann_, kNow)));
}

TEST_F(UserDirectoryTest, AUsersCertificateEndsAlsoOnAnOpenConnection) {
  ASSERT_TRUE(directory_->Admit(ann_, kNow).ok());
  const absl::Status late = directory_->Admit(ann_, ann_.expires_at);
  EXPECT_TRUE(absl::IsUnauthenticated(late)) << late;
  EXPECT_THAT(std::string(late.message()), HasSubstr("expired at 2027"));
  // An agent's link is as good as its certificate was when it dialled: it
  // renews it without dialling again.
  EXPECT_TRUE(directory_->Admit(web_, web_.expires_at).ok());
}

TEST_F(UserDirectoryTest, LoggingOutRevokesWhatRenewedTheLoginAndNoMore) {
  const absl::Time login = kNow + absl::Milliseconds(5);
  const CertificateInfo renewed = Of(Purpose::kUser, "ann", "cccccccc");
  const CertificateInfo other = Of(Purpose::kUser, "ann", "dddddddd");
  directory_->Issued(ann_, "login", login, "gw");
  directory_->Issued(renewed, "renewal", login, "");
  directory_->Issued(other, "login", login + absl::Milliseconds(1), "gw");
  directory_->Issued(Of(Purpose::kUser, "bob", "eeeeeeee"), "login", login,
                     "gw");
  EXPECT_TRUE(absl::IsInvalidArgument(
      directory_->LogOut("", ann_.identity, kNow).status()));
  EXPECT_TRUE(absl::IsNotFound(
      directory_->LogOut("eeeeeeee", ann_.identity, kNow).status()));
  EXPECT_EQ(directory_->LogOut(renewed.serial, ann_.identity, kNow).value_or(0),
            2u);
  Reopen();
  EXPECT_TRUE(absl::IsUnauthenticated(directory_->Check(ann_, kNow)));
  EXPECT_TRUE(absl::IsUnauthenticated(directory_->Check(renewed, kNow)));
  EXPECT_TRUE(directory_->Check(other, kNow).ok());
  EXPECT_TRUE(
      directory_->Check(Of(Purpose::kUser, "bob", "eeeeeeee"), kNow).ok());
}

TEST_F(UserDirectoryTest, BoundsAndForgetsCertificates) {
  for (size_t i = 0; i < UserDirectory::kMaxCertificates; ++i) {
    ASSERT_TRUE(directory_->MayIssue(ann_.identity, kNow).ok());
    directory_->Issued(Of(Purpose::kUser, "ann", absl::StrCat("1000000", i)),
                       "renewal", kNow, "");
  }
  const absl::Status full = directory_->MayIssue(ann_.identity, kNow);
  EXPECT_TRUE(absl::IsResourceExhausted(full));
  EXPECT_THAT(std::string(full.message()),
              AllOf(HasSubstr(absl::StrCat("'ann' has ",
                                           UserDirectory::kMaxCertificates)),
                    HasSubstr("cert revoke")));
  const absl::Time ended = kNow + absl::Hours(13);
  EXPECT_TRUE(directory_->MayIssue(ann_.identity, ended).ok());
  directory_->Forget(ended);
  EXPECT_EQ(directory_->Certificates({}).size(),
            UserDirectory::kMaxCertificates);
  directory_->Forget(ended + UserDirectory::kMemory);
  EXPECT_TRUE(directory_->Certificates({}).empty());
  EXPECT_TRUE(kept_[Kind::kCertificate].empty());
}

TEST_F(UserDirectoryTest, KeysBelongToOneUser) {
  constexpr char kKey[] =
      "ssh-ed25519 "
      "AAAAC3NzaC1lZDI1NTE5AAAAIGtra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tr "
      "ann@laptop";
  v1::AddUserKeyRequest request;
  request.set_user("ann");
  request.set_key(kKey);
  EXPECT_TRUE(
      absl::IsNotFound(directory_->AddKey(request, "admin", kNow).status()));
  ASSERT_TRUE(directory_->Add("ann", "admin", kNow).ok());
  ASSERT_TRUE(directory_->Add("bob", "admin", kNow).ok());
  const auto key = directory_->AddKey(request, "admin", kNow);
  ASSERT_TRUE(key.ok()) << key.status();
  request.set_user("bob");
  const absl::Status twice =
      directory_->AddKey(request, "admin", kNow).status();
  EXPECT_TRUE(absl::IsAlreadyExists(twice));
  EXPECT_THAT(std::string(twice.message()), HasSubstr("user 'ann'"));
  Reopen();
  EXPECT_EQ(directory_->List()[0].keys(0).comment(), "ann@laptop");
  EXPECT_TRUE(directory_->CheckKey("ann", key->fingerprint()).ok());
  v1::RemoveUserKeyRequest remove;
  remove.set_user("ann");
  remove.set_fingerprint(key->fingerprint());
  EXPECT_TRUE(directory_->RemoveKey(remove).ok());
  EXPECT_TRUE(absl::IsNotFound(directory_->RemoveKey(remove)));
  EXPECT_TRUE(directory_->AddKey(request, "admin", kNow).ok());
}

// Whoever tries names and keys is told nothing by the answers.
TEST_F(UserDirectoryTest, WhoMayLogInWithAKeyIsAllThatIsTold) {
  ASSERT_TRUE(directory_->Add("ann", "admin", kNow).ok());
  v1::AddUserKeyRequest request;
  request.set_user("ann");
  request.set_key(
      "ssh-ed25519 "
      "AAAAC3NzaC1lZDI1NTE5AAAAIGtra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tr");
  const auto key = directory_->AddKey(request, "admin", kNow);
  ASSERT_TRUE(key.ok()) << key.status();
  const std::string& good = key->fingerprint();
  ASSERT_TRUE(directory_->CheckKey("ann", good).ok());
  const absl::Status other = directory_->CheckKey("ann", "SHA256:x");
  EXPECT_TRUE(absl::IsNotFound(other));
  EXPECT_EQ(
      absl::StrReplaceAll(directory_->CheckKey("eve", "SHA256:x").message(),
                          {{"eve", "ann"}}),
      other.message());
  v1::SetUserLockedRequest lock;
  lock.set_name("ann");
  lock.set_locked(true);
  ASSERT_TRUE(directory_->SetLocked(lock, "admin", kNow).ok());
  EXPECT_EQ(absl::StrReplaceAll(directory_->CheckKey("ann", good).message(),
                                {{good, "SHA256:x"}}),
            other.message());
}

}  // namespace
}  // namespace berth::broker
