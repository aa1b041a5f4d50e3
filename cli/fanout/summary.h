#ifndef BERTH_CLI_FANOUT_SUMMARY_H_
#define BERTH_CLI_FANOUT_SUMMARY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/fanout/outcome.h"

namespace berth::cli {

// How all targets ended, in one line: "253 ok, 2 failed(1): web[01-02], 1
// unreachable: db3". `labels` are their names, in the order of `outcomes`, all
// of which are set.
std::string Summarize(const std::vector<std::string>& labels,
                      const std::vector<std::optional<Outcome>>& outcomes);

// The reasons of those that did not end by their command's own status, one for
// each line, with the targets that share it: "web[01-02]: no such computer".
std::vector<std::string> Reasons(
    const std::vector<std::string>& labels,
    const std::vector<std::optional<Outcome>>& outcomes);

// Ids of sessions as a selector: "1..3,7".
std::string SelectIds(std::vector<uint32_t> ids);

// FoldNames(), cut where it becomes unreadable.
std::string FoldShort(std::vector<std::string> names);

}  // namespace berth::cli

#endif  // BERTH_CLI_FANOUT_SUMMARY_H_
