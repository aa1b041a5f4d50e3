#ifndef BERTH_BROKER_LIMITS_CONNECTION_TABLE_H_
#define BERTH_BROKER_LIMITS_CONNECTION_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/time/time.h"

namespace berth::broker {

// ConnectionTable counts open connections by address, though nobody tells it
// when one is closed: where a limit is reached, it looks which still are. Not
// thread-safe.
class ConnectionTable {
 public:
  struct Limits {
    size_t connections = 50'000;
    size_t for_each_address = 20'000;
  };
  // Which socket a descriptor is (its inode); 0: none.
  using SocketOf = std::function<uint64_t(int fd)>;

  // Looking at all of an address's connections takes time, so a refused one
  // does not have it done again sooner.
  static constexpr absl::Duration kLookInterval = absl::Milliseconds(100);

  ConnectionTable(const Limits& limits, SocketOf socket_of)
      : limits_(limits), socket_of_(std::move(socket_of)) {}

  void set_limits(const Limits& limits) { limits_ = limits; }

  // Counts the new connection `fd` from `address`. ResourceExhausted names the
  // limit: then it is not counted, and should be closed.
  absl::Status Add(int fd, const std::string& address, absl::Time now);

  size_t size() const { return by_fd_.size(); }

 private:
  struct Entry {
    uint64_t socket;
    std::string address;
  };

  void Remove(int fd);
  // Forgets what was closed; of one address, or all if it is empty.
  void Look(const std::string& address);
  size_t CountOf(const std::string& address) const;

  Limits limits_;
  const SocketOf socket_of_;
  absl::flat_hash_map<int, Entry> by_fd_;
  absl::flat_hash_map<std::string, absl::flat_hash_set<int>> by_address_;
  absl::Time looked_at_ = absl::InfinitePast();
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_LIMITS_CONNECTION_TABLE_H_
