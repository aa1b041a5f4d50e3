#include "broker/limits/connection_table.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace berth::broker {

size_t ConnectionTable::CountOf(const std::string& address) const {
  auto found = by_address_.find(address);
  return found == by_address_.end() ? 0 : found->second.size();
}

void ConnectionTable::Remove(int fd) {
  auto found = by_fd_.find(fd);
  if (found == by_fd_.end()) return;
  auto fds = by_address_.find(found->second.address);
  fds->second.erase(fd);
  if (fds->second.empty()) by_address_.erase(fds);
  by_fd_.erase(found);
}

void ConnectionTable::Look(const std::string& address) {
  std::vector<int> closed;
  for (const auto& [fd, entry] : by_fd_) {
    if (!address.empty() && entry.address != address) continue;
    if (socket_of_(fd) != entry.socket) closed.push_back(fd);
  }
  for (const int fd : closed) Remove(fd);
}

absl::Status ConnectionTable::Add(int fd, const std::string& address,
                                  absl::Time now) {
  Remove(fd);  // Its number was used before, so that one is closed.
  const auto full = [&] { return by_fd_.size() >= limits_.connections; };
  const auto full_address = [&] {
    return CountOf(address) >= limits_.for_each_address;
  };
  if ((full() || full_address()) && now - looked_at_ >= kLookInterval) {
    looked_at_ = now;
    Look(full() ? "" : address);
  }
  if (full()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("there are ", limits_.connections,
                     " connections, the most there may be (`connections` in "
                     "[limits])"));
  }
  if (full_address()) {
    return absl::ResourceExhaustedError(absl::StrCat(
        address, " has ", limits_.for_each_address,
        " connections, the most it may have (`connections_per_address` in "
        "[limits])"));
  }
  by_fd_[fd] = {socket_of_(fd), address};
  by_address_[address].insert(fd);
  return absl::OkStatus();
}

}  // namespace berth::broker
