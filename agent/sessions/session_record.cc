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

}  // namespace

absl::Status SaveSessionRecord(const std::string& directory,
                               const v1::Session& session) {
  v1::Session record = session;
  record.clear_activity();
  std::string text;
  if (!google::protobuf::TextFormat::PrintToString(record, &text)) {
    return absl::InternalError("a session's record can't be printed");
  }
  return WriteFileAtomically(absl::StrCat(directory, "/record"), text);
}

absl::StatusOr<v1::Session> LoadSessionRecord(const std::string& directory) {
  const std::string path = absl::StrCat(directory, "/record");
  BERTH_ASSIGN_OR_RETURN(const std::string text,
                         ReadFile(path, kMaxRecordBytes));
  google::protobuf::TextFormat::Parser parser;
  Silent silent;
  parser.RecordErrorsTo(&silent);
  parser.AllowUnknownField(true);  // Of a later version.
  v1::Session session;
  if (!parser.ParseFromString(text, &session)) {
    return absl::DataLossError(absl::StrCat(path, " can't be read"));
  }
  return session;
}

}  // namespace berth::agent
