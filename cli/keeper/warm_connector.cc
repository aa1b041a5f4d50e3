#include "cli/keeper/warm_connector.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/config/contexts.h"

namespace berth::cli {
namespace {

constexpr absl::Duration kPresenceTimeout = absl::Seconds(5);

// Changes when the file does: a renewed certificate needs a new connection.
std::string Fingerprint(const std::string& path) {
  struct stat info = {};
  (void)stat(path.c_str(), &info);
  return absl::StrCat(path, ":", info.st_ino, ":", info.st_size, ":",
                      info.st_mtim.tv_sec, ".", info.st_mtim.tv_nsec);
}

std::string Key(const Context& context, const v1::Client& client) {
  return absl::StrCat(context.broker, "\n", Fingerprint(context.ca), "\n",
                      Fingerprint(context.certificate), "\n",
                      Fingerprint(context.key), "\n", client.id());
}

}  // namespace

WarmConnector::~WarmConnector() {
  std::list<Entry> ended;  // After the lock is released: renewals want it.
  MutexLock lock(mu_);
  ended.swap(entries_);
}

absl::StatusOr<std::shared_ptr<Connection>> WarmConnector::Connect(
    const Environment& environment, absl::string_view name) {
  BERTH_ASSIGN_OR_RETURN(const Context context,
                         ResolveContext(environment, name));
  BERTH_ASSIGN_OR_RETURN(const v1::Client client, LoadClient(environment));
  std::string key = Key(context, client);
  if (auto connection = Find(key)) return connection;
  BERTH_ASSIGN_OR_RETURN(std::shared_ptr<Connection> connection,
                         Connection::Make(context, client));
  auto presence = std::make_shared<Presence>(connection);
  auto renewal = std::make_shared<Renewal>(
      connection, context, [this, raw = connection.get(), context, client] {
        Rekey(raw, Key(context, client));
      });
  return Add({std::move(key), context.certificate, std::move(connection),
              std::move(presence), std::move(renewal)});
}

void WarmConnector::WaitPresent(Connection& connection) {
  std::shared_ptr<Presence> presence;
  {
    MutexLock lock(mu_);
    for (const Entry& entry : entries_) {
      if (entry.connection.get() == &connection) presence = entry.presence;
    }
  }
  if (presence != nullptr) presence->Wait(kPresenceTimeout);
}

std::shared_ptr<Connection> WarmConnector::Find(const std::string& key) {
  std::list<Entry> broken;  // Ended after the lock is released.
  MutexLock lock(mu_);
  const auto it = std::find_if(entries_.begin(), entries_.end(),
                               [&](const Entry& e) { return e.key == key; });
  if (it == entries_.end()) return nullptr;
  // A channel that waits before it dials again fails every call meanwhile. A
  // person who calls now wants it tried now: with a new one.
  if (it->connection->channel().GetState(false) ==
      GRPC_CHANNEL_TRANSIENT_FAILURE) {
    broken.splice(broken.begin(), entries_, it);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, it);
  return it->connection;
}

std::shared_ptr<Connection> WarmConnector::Add(Entry entry) {
  std::list<Entry> ended;  // Ended after the lock is released.
  MutexLock lock(mu_);
  for (const Entry& other : entries_) {
    if (other.key == entry.key) {
      ended.push_back(std::move(entry));  // Somebody was faster.
      return other.connection;
    }
  }
  entries_.push_front(std::move(entry));
  if (entries_.size() > kMaxConnections) {
    ended.splice(ended.begin(), entries_, std::prev(entries_.end()));
  }
  return entries_.front().connection;
}

void WarmConnector::Forget(const std::string& certificate) {
  std::list<Entry> ended;  // After the lock is released: renewals want it.
  MutexLock lock(mu_);
  for (auto it = entries_.begin(); it != entries_.end();) {
    const auto here = it++;
    if (here->certificate == certificate) {
      ended.splice(ended.begin(), entries_, here);
    }
  }
}

void WarmConnector::Rekey(const Connection* connection, std::string key) {
  MutexLock lock(mu_);
  for (Entry& entry : entries_) {
    if (entry.connection.get() == connection) entry.key = std::move(key);
  }
}

std::vector<std::string> WarmConnector::Describe() const {
  std::vector<std::string> lines;
  MutexLock lock(mu_);
  for (const Entry& entry : entries_) {
    lines.push_back(
        absl::StrCat(entry.connection->broker(),
                     entry.presence->present() ? " (present)" : ""));
  }
  return lines;
}

}  // namespace berth::cli
