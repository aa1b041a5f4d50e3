#include "broker/services/audit_message.h"

#include <google/protobuf/duration.pb.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/proto_time.h"
#include "broker/services/audit_session.h"

namespace berth::broker {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// A value in the detail.
constexpr size_t kMaxBytes = 100;
constexpr int kMaxItems = 10;

bool IsSecret(absl::string_view name) {
  for (absl::string_view part : {"token", "pem", "key", "secret", "password",
                                 "text", "script", "environment", "policy"}) {
    if (absl::StrContains(name, part)) return true;
  }
  return false;
}

void SetRef(const v1::SessionRef& ref, AuditEvent& event) {
  // Only of what was not found: what was is told by the session itself.
  if (!event.session.empty()) return;
  if (ref.has_id()) event.session_id = absl::StrCat(ref.id());
  if (ref.has_instance_id()) event.session = ref.instance_id();
  if (ref.has_name()) event.session_name = ref.name();
  if (!ref.computer().empty()) event.computer = ref.computer();
}

// Fields that have a place of their own.
bool SetKnown(const Message& message, const FieldDescriptor& field,
              AuditEvent& event) {
  const Reflection& reflection = *message.GetReflection();
  if (field.is_repeated()) return false;
  if (field.type() == FieldDescriptor::TYPE_MESSAGE) {
    const Message& value = reflection.GetMessage(message, &field);
    if (const auto* ref = dynamic_cast<const v1::SessionRef*>(&value)) {
      SetRef(*ref, event);
    } else if (const auto* session = dynamic_cast<const v1::Session*>(&value)) {
      SetSession(*session, event);
    } else if (const auto* client = dynamic_cast<const v1::Client*>(&value)) {
      event.client = client->id();
      event.client_name = client->name();
    } else {
      return false;
    }
    return true;
  }
  if (field.type() != FieldDescriptor::TYPE_STRING) return false;
  std::string* place = field.name() == "computer"        ? &event.computer
                       : field.name() == "configuration" ? &event.configuration
                       : field.name() == "instance_id"   ? &event.session
                                                         : nullptr;
  if (place == nullptr) return false;
  *place = reflection.GetString(message, &field);
  return true;
}

std::string TextOf(const Message& message, const FieldDescriptor& field,
                   int index) {
  const Reflection& r = *message.GetReflection();
  const bool many = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return (many ? r.GetRepeatedString(message, &field, index)
                   : r.GetString(message, &field))
          .substr(0, kMaxBytes);
    case FieldDescriptor::CPPTYPE_BOOL:
      return !many && r.GetBool(message, &field) ? "true" : "";
    case FieldDescriptor::CPPTYPE_UINT32:
      return many ? "" : absl::StrCat(r.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return many ? "" : absl::StrCat(r.GetUInt64(message, &field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return many ? "" : r.GetEnum(message, &field)->name();
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      if (many) return "";
      const auto* duration = dynamic_cast<const google::protobuf::Duration*>(
          &r.GetMessage(message, &field));
      return duration == nullptr ? ""
                                 : absl::FormatDuration(FromProto(*duration));
    }
    default:
      return "";
  }
}

}  // namespace

void SetFromMessage(const Message& message, AuditEvent& event) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (SetKnown(message, *field, event)) continue;
    if (IsSecret(field->name()) || field->is_map() ||
        field->type() == FieldDescriptor::TYPE_BYTES) {
      continue;
    }
    const int items =
        field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < items && i < kMaxItems; ++i) {
      const std::string text = TextOf(message, *field, i);
      if (text.empty()) continue;
      absl::StrAppend(&event.detail, event.detail.empty() ? "" : " ",
                      field->name(), "=", text);
    }
  }
}

}  // namespace berth::broker
