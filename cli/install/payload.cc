#include "cli/install/payload.h"

#include <openssl/sha.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/status_macros.h"

namespace berth::cli {

// Made from the files in deploy/ when this is built.
extern const char* const kEnableComputer;
extern const char* const kAgentUnit;
extern const char* const kAgentToml;
extern const char* const kPamService;

namespace {

constexpr size_t kMaxProgram = 512 << 20;

PayloadFile MakeFile(std::string name, std::string data, mode_t mode) {
  PayloadFile file{std::move(name), std::move(data), "", mode};
  file.sha256 = Sha256(file.data);
  return file;
}

absl::StatusOr<PayloadFile> ReadProgram(const std::string& from,
                                        const std::string& name) {
  absl::StatusOr<std::string> data = ReadFile(from + "/" + name, kMaxProgram);
  if (!data.ok()) {
    return absl::Status(
        data.status().code(),
        absl::StrCat("there is no ", name,
                     " to install: ", data.status().message(),
                     "; --from says in which directory the programs are"));
  }
  if (MachineOf(*data).empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(from, "/", name, " is no program"));
  }
  return MakeFile(name, *std::move(data), 0700);
}

}  // namespace

std::string OwnDirectory() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error)
      .parent_path()
      .string();
}

std::string Sha256(absl::string_view data) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(data.data()), data.size(),
         digest);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
}

std::string MachineOf(absl::string_view program) {
  constexpr size_t kMachineOffset = 18;  // e_machine of an ELF header.
  if (!absl::StartsWith(program,
                        "\x7f"
                        "ELF") ||
      program.size() < kMachineOffset + 2) {
    return "";
  }
  const bool big_endian = program[5] == 2;
  const unsigned low = static_cast<unsigned char>(
      program[kMachineOffset + (big_endian ? 1 : 0)]);
  const unsigned high = static_cast<unsigned char>(
      program[kMachineOffset + (big_endian ? 0 : 1)]);
  switch (high << 8 | low) {
    case 3:
      return "i686";
    case 21:
      return big_endian ? "ppc64" : "ppc64le";
    case 22:
      return "s390x";
    case 40:
      return "armv7l";
    case 62:
      return "x86_64";
    case 183:
      return "aarch64";
    case 243:
      return "riscv64";
    case 258:
      return "loongarch64";
    default:
      return absl::StrCat("ELF machine ", high << 8 | low);
  }
}

absl::StatusOr<Payload> ReadPayload(const std::string& from,
                                    const std::string& agent_config,
                                    const std::string& ca_pem) {
  Payload payload;
  for (const char* name : {"berth-agent", "berth-holder"}) {
    BERTH_ASSIGN_OR_RETURN(PayloadFile file, ReadProgram(from, name));
    payload.programs.push_back(std::move(file));
  }
  // Only where there are PAM sessions: it takes a library, which others don't.
  absl::StatusOr<PayloadFile> login = ReadProgram(from, "berth-login");
  if (login.ok()) {
    payload.programs.push_back(*std::move(login));
  } else if (!absl::IsNotFound(login.status())) {
    return login.status();
  }
  payload.from = from;
  payload.machine = MachineOf(payload.programs.front().data);
  payload.others.push_back(MakeFile("enable-computer", kEnableComputer, 0700));
  payload.others.push_back(MakeFile("berth-agent.service", kAgentUnit, 0600));
  payload.others.push_back(MakeFile(
      "agent.toml", agent_config.empty() ? kAgentToml : agent_config, 0600));
  payload.others.push_back(MakeFile("pam.d-berth", kPamService, 0600));
  payload.others.push_back(MakeFile("ca.pem", ca_pem, 0600));
  return payload;
}

}  // namespace berth::cli
