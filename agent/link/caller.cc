#include "agent/link/caller.h"

#include "base/foreign_client.h"

namespace berth::agent {

const std::string& OwnerOf(const link::v1::OpenCall& open) {
  return open.owner().empty() ? open.user() : open.owner();
}

v1::Client ClientOf(const link::v1::OpenCall& open, const v1::Client& said) {
  v1::Client client = said;
  if (open.owner().empty()) return client;
  client.set_id(ForeignClientId(open.user(), said.id()));
  client.set_name(ForeignClientName(open.user(), said.name()));
  return client;
}

}  // namespace berth::agent
