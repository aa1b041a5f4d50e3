#ifndef BERTH_BROKER_GRPC_LOG_H_
#define BERTH_BROKER_GRPC_LOG_H_

namespace berth::broker {

// From now on what gRPC has to say goes to the broker's log, but so much of it
// only that no peer can fill a disk: it says something of whatever is wrong
// with what peers send, and quotes it.
void BoundGrpcLog();

}  // namespace berth::broker

#endif  // BERTH_BROKER_GRPC_LOG_H_
