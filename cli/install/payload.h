#ifndef BERTH_CLI_INSTALL_PAYLOAD_H_
#define BERTH_CLI_INSTALL_PAYLOAD_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace berth::cli {

// One file to install.
struct PayloadFile {
  std::string name;
  std::string data;
  std::string sha256;  // In hex.
  mode_t mode = 0600;
};

// All that an agent is installed from.
struct Payload {
  std::vector<PayloadFile> programs;
  std::string from;                 // The directory of the programs.
  std::vector<PayloadFile> others;  // The script, the unit, settings, the CA.
  std::string machine;              // What programs are for, as uname -m says.
};

// Reads programs of the directory `from`, berth-login only if it is there; the
// rest is built in. `agent_config`:
// agent.toml, unless it is empty. NOT_FOUND: a program is not there.
// INVALID_ARGUMENT: it is no program.
absl::StatusOr<Payload> ReadPayload(const std::string& from,
                                    const std::string& agent_config,
                                    const std::string& ca_pem);

// Where this program is: the others are beside it.
std::string OwnDirectory();

// What machine an ELF file is for, as `uname -m` calls it; empty: it is none.
std::string MachineOf(absl::string_view program);

// In hex.
std::string Sha256(absl::string_view data);

}  // namespace berth::cli

#endif  // BERTH_CLI_INSTALL_PAYLOAD_H_
