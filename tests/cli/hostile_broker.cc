#include "tests/cli/hostile_broker.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "absl/strings/str_replace.h"
#include "base/files.h"
#include "base/tls/certificates.h"
#include "base/tls/credentials.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "proto/berth/v1/admin.pb.h"
#include "proto/berth/v1/approvals.pb.h"
#include "proto/berth/v1/audit.pb.h"
#include "proto/berth/v1/computers.pb.h"
#include "proto/berth/v1/files.pb.h"
#include "proto/berth/v1/policy.pb.h"
#include "proto/berth/v1/recordings.pb.h"
#include "proto/berth/v1/sessions.pb.h"
#include "proto/berth/v1/users.pb.h"

namespace berth::testing {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::DescriptorPool;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::MessageFactory;
using ::google::protobuf::MethodDescriptor;
using ::google::protobuf::Reflection;

constexpr int kDepth = 6;

// As many messages as the largest oneof has members.
constexpr int kChoices = 8;

void SetField(Message& message, const FieldDescriptor& field,
              const std::string& hostile, int choice, int depth) {
  const Reflection& reflection = *message.GetReflection();
  const bool repeated = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      // Bytes are what a command printed: they are meant to come through.
      const std::string text =
          field.type() == FieldDescriptor::TYPE_BYTES ? "ok" : hostile;
      repeated ? reflection.AddString(&message, &field, text)
               : reflection.SetString(&message, &field, text);
      break;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      if (depth == 0) return;
      Message* const inner = repeated
                                 ? reflection.AddMessage(&message, &field)
                                 : reflection.MutableMessage(&message, &field);
      const Descriptor& type = *inner->GetDescriptor();
      for (int i = 0; i < type.field_count(); ++i) {
        const FieldDescriptor& next = *type.field(i);
        const auto* const oneof = next.real_containing_oneof();
        if (oneof != nullptr &&
            oneof->field(choice % oneof->field_count()) != &next) {
          continue;
        }
        SetField(*inner, next, hostile, choice, depth - 1);
      }
      break;
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto& type = *field.enum_type();
      const int number = type.value(choice % type.value_count())->number();
      repeated ? reflection.AddEnumValue(&message, &field, number)
               : reflection.SetEnumValue(&message, &field, number);
      break;
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      if (!repeated) reflection.SetBool(&message, &field, choice % 2 == 1);
      break;
    case FieldDescriptor::CPPTYPE_INT32:
      if (!repeated) reflection.SetInt32(&message, &field, 1);
      break;
    case FieldDescriptor::CPPTYPE_UINT32:
      if (!repeated) reflection.SetUInt32(&message, &field, 1);
      break;
    case FieldDescriptor::CPPTYPE_INT64:
      if (!repeated) reflection.SetInt64(&message, &field, 1);
      break;
    case FieldDescriptor::CPPTYPE_UINT64:
      if (!repeated) reflection.SetUInt64(&message, &field, 1);
      break;
    default:
      break;
  }
}

// Of "/package.Service/Method"; null if there is none.
const MethodDescriptor* FindMethod(std::string path) {
  if (!path.empty()) path.erase(0, 1);
  return DescriptorPool::generated_pool()->FindMethodByName(
      absl::StrReplaceAll(path, {{"/", "."}}));
}

}  // namespace

void FillWithText(Message& message, const std::string& text, int choice) {
  const Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const auto* const oneof = field.real_containing_oneof();
    if (oneof != nullptr &&
        oneof->field(choice % oneof->field_count()) != &field) {
      continue;
    }
    SetField(message, field, text, choice, kDepth);
  }
}

void FillWithHostileText(Message& message, int choice) {
  FillWithText(message, HostileText(), choice);
}

// One call: takes one message, answers with hostile ones, and ends.
class HostileBroker::Answer : public grpc::ServerGenericBidiReactor {
 public:
  Answer(const std::string& path, grpc::StatusCode code) : code_(code) {
    const MethodDescriptor* const method = FindMethod(path);
    if (method == nullptr) {
      code_ = grpc::StatusCode::UNIMPLEMENTED;
    } else {
      const int count = method->server_streaming() ? kChoices : 1;
      for (int i = 0; i < count; ++i) {
        std::unique_ptr<Message> message(
            MessageFactory::generated_factory()
                ->GetPrototype(method->output_type())
                ->New());
        FillWithHostileText(*message, i);
        const grpc::Slice slice(message->SerializeAsString());
        answers_.push_back(grpc::ByteBuffer(&slice, 1));
      }
    }
    StartRead(&request_);
  }

  void OnReadDone(bool) override { Next(); }
  void OnWriteDone(bool ok) override {
    ok ? Next() : Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  void Next() {
    if (code_ == grpc::StatusCode::OK && next_ < answers_.size()) {
      StartWrite(&answers_[next_++]);
    } else {
      Finish(grpc::Status(code_,
                          code_ == grpc::StatusCode::OK ? "" : HostileText()));
    }
  }

  grpc::StatusCode code_;
  grpc::ByteBuffer request_;
  std::vector<grpc::ByteBuffer> answers_;
  size_t next_ = 0;
};

HostileBroker::HostileBroker(const std::string& directory) {
  // Descriptors that nothing else of the program refers to are not linked.
  for (const Descriptor* file :
       {v1::SearchAuditResponse::descriptor(),
        v1::ListUsersResponse::descriptor(), v1::PolicyVersion::descriptor(),
        v1::Approval::descriptor(), v1::CopyFrame::descriptor(),
        v1::Recording::descriptor(), v1::Session::descriptor(),
        v1::Computer::descriptor(), v1::BrokerNotice::descriptor()}) {
    EXPECT_NE(file, nullptr);
  }
  const auto ca = CertificateAuthority::Create("hostile");
  const std::string key = *NewPrivateKeyPem();
  const std::string certificate =
      *ca->Issue(*NewCsrPem(key), {Purpose::kBroker, "main"}, absl::Hours(1));
  const std::string user_key = *NewPrivateKeyPem();
  const std::string user = *ca->Issue(
      *NewCsrPem(user_key), {Purpose::kUser, "alice"}, absl::Hours(1));
  EXPECT_TRUE(WriteFileAtomically(directory + "/ca.pem", ca->cert_pem()).ok());
  EXPECT_TRUE(WriteFileAtomically(directory + "/user.pem", user).ok());
  EXPECT_TRUE(WriteFileAtomically(directory + "/user.key", user_key).ok());
  grpc::ServerBuilder builder;
  builder.AddListeningPort(
      "127.0.0.1:0", MakeServerCredentials(ca->cert_pem(), certificate, key),
      &port_);
  builder.RegisterCallbackGenericService(this);
  server_ = builder.BuildAndStart();
  EXPECT_NE(server_, nullptr);
}

HostileBroker::~HostileBroker() {
  if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
}

grpc::ServerGenericBidiReactor* HostileBroker::CreateReactor(
    grpc::GenericCallbackServerContext* context) {
  ++calls_;
  return new Answer(context->method(),
                    static_cast<grpc::StatusCode>(code_.load()));
}

}  // namespace berth::testing
