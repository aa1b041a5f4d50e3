#include "cli/fanout/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/status_macros.h"

namespace berth::cli {
namespace {

// What is written to the file at a time, at least: so parts stay few.
constexpr size_t kPart = 16 << 10;
constexpr size_t kPiece = 1 << 20;

}  // namespace

absl::StatusOr<UniqueFd> OpenNamelessFile() {
  for (const char* directory : {"/var/tmp", "/tmp"}) {
    UniqueFd file(open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (file.valid()) return file;
    std::string path = absl::StrCat(directory, "/berth-XXXXXX");
    file.reset(mkostemp(path.data(), O_CLOEXEC));
    if (!file.valid()) continue;
    unlink(path.c_str());
    return file;
  }
  return ErrnoToStatus(errno, "/tmp: making a file for output");
}

absl::StatusOr<uint64_t> SpoolStore::Append(absl::string_view data) {
  if (!file_.valid()) {
    BERTH_ASSIGN_OR_RETURN(file_, OpenNamelessFile());
  }
  const uint64_t at = end_;
  while (!data.empty()) {
    const ssize_t count = pwrite(file_.get(), data.data(), data.size(), end_);
    if (count < 0) {
      if (errno == EINTR) continue;
      return ErrnoToStatus(errno, "/var/tmp: keeping output that was gathered");
    }
    end_ += count;
    data.remove_prefix(count);
  }
  return at;
}

Spool::Spool(Spool&& other) noexcept
    : store_(other.store_),
      parts_(std::move(other.parts_)),
      tail_(std::exchange(other.tail_, {})),
      size_(std::exchange(other.size_, 0)) {}

absl::Status Spool::Append(absl::string_view data) {
  size_ += data.size();
  absl::StrAppend(&tail_, data);
  store_->used_ += data.size();
  if (!store_->Full() || tail_.size() < kPart) return absl::OkStatus();
  BERTH_ASSIGN_OR_RETURN(const uint64_t at, store_->Append(tail_));
  if (!parts_.empty() && parts_.back().offset + parts_.back().size == at) {
    parts_.back().size += tail_.size();
  } else {
    parts_.push_back({at, tail_.size()});
  }
  store_->used_ -= tail_.size();
  std::string().swap(tail_);
  return absl::OkStatus();
}

absl::Status Spool::ForEach(
    const std::function<absl::Status(absl::string_view)>& take) const {
  std::string buffer;
  for (const Part& part : parts_) {
    for (uint64_t done = 0; done < part.size;) {
      buffer.resize(std::min<uint64_t>(kPiece, part.size - done));
      const ssize_t count = pread(store_->file_.get(), buffer.data(),
                                  buffer.size(), part.offset + done);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) {
        return ErrnoToStatus(count < 0 ? errno : EIO,
                             "/var/tmp: reading output that was gathered");
      }
      BERTH_RETURN_IF_ERROR(take(absl::string_view(buffer).substr(0, count)));
      done += count;
    }
  }
  for (absl::string_view rest = tail_; !rest.empty();) {
    const absl::string_view piece = rest.substr(0, kPiece);
    BERTH_RETURN_IF_ERROR(take(piece));
    rest.remove_prefix(piece.size());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Spool::Read(size_t limit) const {
  if (size_ > limit) {
    return absl::ResourceExhaustedError(
        absl::StrCat(size_, " bytes of output, ", limit, " at most"));
  }
  std::string all;
  all.reserve(size_);
  BERTH_RETURN_IF_ERROR(ForEach([&](absl::string_view piece) {
    absl::StrAppend(&all, piece);
    return absl::OkStatus();
  }));
  return all;
}

absl::StatusOr<std::string> Spool::Hash() const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), EVP_MD_CTX_free);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (context == nullptr ||
      EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1) {
    return absl::InternalError("SHA-256 is not available");
  }
  BERTH_RETURN_IF_ERROR(ForEach([&](absl::string_view piece) {
    return EVP_DigestUpdate(context.get(), piece.data(), piece.size()) == 1
               ? absl::OkStatus()
               : absl::InternalError("SHA-256 failed");
  }));
  if (EVP_DigestFinal_ex(context.get(), digest, &size) != 1) {
    return absl::InternalError("SHA-256 failed");
  }
  return std::string(reinterpret_cast<const char*>(digest), size);
}

}  // namespace berth::cli
