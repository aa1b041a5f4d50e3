#ifndef BERTH_BROKER_REGISTRY_SQLITE_H_
#define BERTH_BROKER_REGISTRY_SQLITE_H_

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace berth::broker {

// The status for an error of `database`, whose message names `path`.
absl::Status SqliteStatus(sqlite3* database, absl::string_view path);

// Statement is one prepared statement, used again and again: Reset(), bind its
// parameters, then Step(). Not thread-safe.
class Statement {
 public:
  static absl::StatusOr<Statement> Prepare(sqlite3* database,
                                           absl::string_view sql);

  // Makes it ready for new parameters.
  Statement& Reset();
  // Binds the next parameter; it is copied.
  Statement& BindText(absl::string_view text);
  Statement& BindBlob(absl::string_view bytes);
  Statement& BindInt(int64_t value);

  // True: there is a row. False: done.
  absl::StatusOr<bool> Step();
  // Runs to the end, dropping rows.
  absl::Status Run();

  // Columns of the row, from 0.
  std::string Text(int column) const;
  int64_t Int(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const {
      sqlite3_finalize(statement);
    }
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int next_ = 1;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_REGISTRY_SQLITE_H_
