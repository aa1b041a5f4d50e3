#include "agent/sessions/session_record.h"

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/status_macros.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"

namespace berth::agent {
namespace {

constexpr size_t kMaxRecordBytes = 1 << 20;

// The parser would print what it finds; the caller says that better.
class Silent : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int, int, const std::string&) override {}
};

absl::Status Save(const std::string& path,
                  const google::protobuf::Message& message) {
  std::string text;
  if (!google::protobuf::TextFormat::PrintToString(message, &text)) {
    return absl::InternalError(absl::StrCat(path, " can't be printed"));
  }
  return WriteFileAtomically(path, text);
}

template <typename Message>
absl::StatusOr<Message> Load(const std::string& path) {
  BERTH_ASSIGN_OR_RETURN(const std::string text,
                         ReadFile(path, kMaxRecordBytes));
  google::protobuf::TextFormat::Parser parser;
  Silent silent;
  parser.RecordErrorsTo(&silent);
  parser.AllowUnknownField(true);  // Of a later version.
  Message message;
  if (!parser.ParseFromString(text, &message)) {
    return absl::DataLossError(absl::StrCat(path, " can't be read"));
  }
  return message;
}

}  // namespace

absl::Status SaveSessionRecord(const std::string& directory,
                               const v1::Session& session) {
  v1::Session record = session;
  record.clear_activity();
  return Save(absl::StrCat(directory, "/record"), record);
}

absl::StatusOr<v1::Session> LoadSessionRecord(const std::string& directory) {
  return Load<v1::Session>(absl::StrCat(directory, "/record"));
}

absl::Status SaveSessionProfile(const std::string& directory,
                                const v1::Configuration& profile) {
  return Save(absl::StrCat(directory, "/profile"), profile);
}

absl::StatusOr<v1::Configuration> LoadSessionProfile(
    const std::string& directory) {
  return Load<v1::Configuration>(absl::StrCat(directory, "/profile"));
}

}  // namespace berth::agent
