#ifndef BERTH_BROKER_ACCEPT_H_
#define BERTH_BROKER_ACCEPT_H_

#include "broker/limits/connection_table.h"

namespace berth::broker {

// Bounds the connections that this process accepts from the network, of
// whatever listener. Thread-safe.
void LimitConnections(const ConnectionTable::Limits& limits);

}  // namespace berth::broker

#endif  // BERTH_BROKER_ACCEPT_H_
