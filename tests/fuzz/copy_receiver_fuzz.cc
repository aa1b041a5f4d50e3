// A hostile sender against the real receiver and a real folder: nothing outside
// of the folder is made, changed or removed.

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>

#include "base/copy/checksum.h"
#include "base/copy/frame.h"
#include "base/copy/receiver.h"
#include "base/unique_fd.h"
#include "proto/berth/v1/files.pb.h"
#include "tests/fuzz/packets.h"

namespace {

using berth::copy::ReceivedFrame;
using berth::copy::Receiver;
using berth::fuzz::Expect;

constexpr char kSecret[] = "not to be touched";

// A folder to receive into, in one with something else, and links from the one
// to the other.
void Prepare(const std::string& root) {
  std::filesystem::create_directories(root + "/in/folder");
  std::filesystem::create_directories(root + "/out");
  std::ofstream(root + "/out/file") << kSecret;
  std::filesystem::create_symlink("../out", root + "/in/link");
  std::filesystem::create_symlink("../out/file", root + "/in/filelink");
  std::filesystem::create_symlink("../../out", root + "/in/folder/link");
}

void Check(const std::string& root) {
  std::set<std::string> names;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(root + "/out")) {
    names.insert(entry.path().filename());
  }
  for (const auto& entry : std::filesystem::directory_iterator(root)) {
    names.insert(entry.path().filename());
  }
  Expect(names == std::set<std::string>{"file", "in", "out"});
  std::ifstream file(root + "/out/file");
  const std::string content((std::istreambuf_iterator<char>(file)), {});
  Expect(content == kSecret);
}

// An input does not hit on a checksum; a hostile sender knows how to make one.
class Checksums {
 public:
  void Mend(berth::v1::CopyFrame& frame) {
    for (berth::v1::CopyPart& part : *frame.mutable_parts()) {
      if (part.start().checksum_key().size() ==
          berth::copy::Checksum::kKeySize) {
        sum_.emplace(part.start().checksum_key());
      }
      if (!part.has_file() || !sum_.has_value()) continue;
      const std::string& content = part.file().content();
      sum_->Reset();
      sum_->Update(content.data(), content.size());
      part.mutable_file()->set_checksum(sum_->Finish());
    }
  }

 private:
  std::optional<berth::copy::Checksum> sum_;
};

grpc::ByteBuffer BufferOf(const berth::fuzz::Packet& packet,
                          Checksums& checksums) {
  std::string bytes(packet.bytes);
  berth::v1::CopyFrame frame;
  if (packet.kind & 1 && frame.ParseFromString(bytes)) {
    checksums.Mend(frame);
    bytes = frame.SerializeAsString();
  }
  grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  berth::fuzz::Scratch scratch;
  Prepare(scratch.path());
  Receiver::Options options;
  options.path = scratch.path() + "/in";
  options.folder = berth::UniqueFd(
      open(options.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  options.sources = 1 + (data[0] & 1);
  options.preserve = data[0] & 2;
  if (data[0] & 4) {
    options.names.emplace();
    for (uint32_t i = 0; i < options.sources; ++i) {
      options.names->push_back(i == 0 ? "" : "given");
    }
  }
  {
    Receiver receiver(std::move(options));
    Checksums checksums;
    berth::fuzz::Packets packets(data + 1, size - 1);
    while (const auto packet = packets.Next()) {
      const grpc::ByteBuffer buffer = BufferOf(*packet, checksums);
      ReceivedFrame frame;
      if (!frame.Parse(buffer) || !receiver.Take(frame).ok()) break;
      receiver.TakeReport();
      receiver.position();
    }
  }
  Check(scratch.path());
  return 0;
}
