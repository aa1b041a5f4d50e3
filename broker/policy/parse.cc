#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "base/escape.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "base/toml.h"
#include "broker/policy/policy.h"

namespace berth::broker {
namespace {

constexpr char kBuiltIn[] =
    "# The policy of a broker that was never given another one: everybody may\n"
    "# make sessions on every computer, and sees and uses their own alone.\n"
    "# `admins` of broker.toml are administrators, whatever a policy says.\n"
    "\n"
    "[roles.everybody]\n"
    "users = [\"*\"]\n"
    "verbs = [\"create\"]\n"
    "computers = [\"@all\"]\n"
    "configurations = [\"*\"]\n"
    "# As whom is for each computer's own rules to say.\n"
    "run_as = [\"*\"]\n";

using Groups = std::map<std::string, std::vector<std::string>>;

std::string Quote(absl::string_view text) {
  return absl::StrCat("'", EscapeForTerminal(text.substr(0, 80)), "'");
}

// Reads one file. Errors name its line.
class Parser {
 public:
  explicit Parser(absl::string_view path) : path_(path) {}

  absl::StatusOr<std::vector<Role>> Read(absl::string_view text) {
    if (text.size() > Policy::kMaxBytes) {
      return absl::InvalidArgumentError(absl::StrCat(
          path_, ": a policy of ", text.size(), " bytes; ", Policy::kMaxBytes,
          " at most: use groups and wildcards"));
    }
    BERTH_ASSIGN_OR_RETURN(const toml::table table, ParseToml(text, path_));
    std::vector<Role> roles;
    // Groups first, wherever they stand: roles name them.
    for (const bool groups : {true, false}) {
      for (const auto& [key, node] : table) {
        const std::string name(key.str());
        if (name == "groups") {
          if (groups) BERTH_RETURN_IF_ERROR(ReadGroups(node));
        } else if (name == "roles") {
          if (!groups) BERTH_RETURN_IF_ERROR(ReadRoles(node, roles));
        } else {
          return At(key.source(), absl::StrCat("no key ", Quote(name),
                                               "; there are groups and roles"));
        }
      }
    }
    return roles;
  }

 private:
  absl::Status At(const toml::source_region& where,
                  absl::string_view what) const {
    return absl::InvalidArgumentError(
        absl::StrCat(path_, ":", where.begin.line, ": ", what));
  }
  // As `status`, with the line.
  absl::Status At(const toml::source_region& where, absl::string_view whose,
                  const absl::Status& status) const {
    return status.ok() ? status
                       : At(where, absl::StrCat(whose, ": ", status.message()));
  }

  // A list of texts, not empty.
  absl::StatusOr<std::vector<std::string>> ReadList(absl::string_view whose,
                                                    const toml::node& node) {
    const toml::array* array = node.as_array();
    if (array == nullptr || array->empty()) {
      return At(
          node.source(),
          absl::StrCat(whose, ": must be a list of texts, as in [\"a\"]"));
    }
    std::vector<std::string> list;
    for (const toml::node& item : *array) {
      const auto* text = item.as_string();
      if (text == nullptr || text->get().empty()) {
        return At(
            item.source(),
            absl::StrCat(whose, ": must be a list of texts, as in [\"a\"]"));
      }
      list.push_back(text->get());
    }
    return list;
  }

  absl::Status ReadPatterns(absl::string_view whose, absl::string_view what,
                            const toml::node& node, NamePatterns& patterns) {
    BERTH_ASSIGN_OR_RETURN(const std::vector<std::string> list,
                           ReadList(whose, node));
    for (const std::string& text : list) {
      BERTH_RETURN_IF_ERROR(At(node.source(), whose, patterns.Add(what, text)));
    }
    return absl::OkStatus();
  }

  absl::Status ReadGroups(const toml::node& node) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      return At(node.source(), "groups: must be a table, as in [groups]");
    }
    for (const auto& [key, members] : *table) {
      const std::string name(key.str());
      const std::string whose = absl::StrCat("group ", Quote(name));
      BERTH_RETURN_IF_ERROR(
          At(key.source(), "groups", CheckName("group", name)));
      BERTH_ASSIGN_OR_RETURN(groups_[name], ReadList(whose, members));
      NamePatterns ignored;
      for (const std::string& member : groups_[name]) {
        BERTH_RETURN_IF_ERROR(
            At(members.source(), whose, ignored.Add("user", member)));
      }
    }
    return absl::OkStatus();
  }

  absl::Status ReadRoles(const toml::node& node, std::vector<Role>& roles) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
      return At(node.source(), "roles: must be tables, as in [roles.ops]");
    }
    if (table->size() > Policy::kMaxRoles) {
      return At(node.source(), absl::StrCat(table->size(), " roles; ",
                                            Policy::kMaxRoles, " at most"));
    }
    for (const auto& [key, role] : *table) {
      const std::string name(key.str());
      BERTH_RETURN_IF_ERROR(At(key.source(), "roles", CheckName("role", name)));
      if (!role.is_table()) {
        return At(role.source(),
                  absl::StrCat("role ", Quote(name),
                               ": must be a table, as in [roles.", name, "]"));
      }
      BERTH_RETURN_IF_ERROR(
          ReadRole(name, *role.as_table(), roles.emplace_back()));
    }
    return absl::OkStatus();
  }

  absl::Status ReadRole(const std::string& name, const toml::table& table,
                        Role& role) {
    role.name = name;
    const std::string of = absl::StrCat("role ", Quote(name));
    for (const auto& [key, node] : table) {
      const std::string what(key.str());
      const std::string whose = absl::StrCat(of, ", ", what);
      absl::Status status;
      if (what == "users") {
        status = ReadPatterns(whose, "user", node, role.users);
      } else if (what == "groups") {
        status = ReadGroupsOf(whose, node, role.groups, role.members);
      } else if (what == "approvals") {
        status = ReadApprovals(whose, node, role);
      } else if (what == "approvers") {
        status = ReadPatterns(whose, "user", node, role.approvers);
      } else if (what == "approver_groups") {
        status = ReadGroupsOf(whose, node, role.approver_groups,
                              role.approver_members);
      } else if (what == "approved_for") {
        status = ReadApprovedFor(whose, node, role);
      } else if (what == "verbs") {
        status = ReadVerbs(whose, node, role);
      } else if (what == "computers") {
        status = ReadComputers(whose, node, role);
      } else if (what == "configurations") {
        status =
            ReadPatterns(whose, "configuration", node, role.configurations);
      } else if (what == "moderated") {
        status = ReadModerated(whose, node, role);
      } else if (what == "run_as") {
        status = ReadPatterns(whose, "user", node, role.run_as);
      } else {
        status = At(key.source(),
                    absl::StrCat(of, ": no key ", Quote(what),
                                 "; there are users, groups, verbs, computers, "
                                 "configurations, run_as, approvals, "
                                 "approvers, approver_groups, approved_for "
                                 "and moderated"));
      }
      BERTH_RETURN_IF_ERROR(status);
    }
    return Complete(of, table, role);
  }

  absl::Status ReadApprovals(absl::string_view whose, const toml::node& node,
                             Role& role) {
    const auto* number = node.as_integer();
    if (number == nullptr || number->get() < 1 ||
        number->get() > Role::kMaxApprovals) {
      return At(node.source(), absl::StrCat(whose,
                                            ": must be a number from 1 "
                                            "to ",
                                            Role::kMaxApprovals));
    }
    role.approvals = static_cast<uint32_t>(number->get());
    return absl::OkStatus();
  }

  absl::Status ReadModerated(absl::string_view whose, const toml::node& node,
                             Role& role) {
    const auto* value = node.as_boolean();
    if (value == nullptr) {
      return At(node.source(), absl::StrCat(whose, ": must be true or false"));
    }
    role.moderated = value->get();
    return absl::OkStatus();
  }

  absl::Status ReadApprovedFor(absl::string_view whose, const toml::node& node,
                               Role& role) {
    const auto* text = node.as_string();
    if (text == nullptr ||
        !absl::ParseDuration(text->get(), &role.approved_for) ||
        role.approved_for <= absl::ZeroDuration() ||
        role.approved_for > Role::kMaxApprovedFor) {
      return At(
          node.source(),
          absl::StrCat(whose, ": must be a time such as \"30m\", at most ",
                       absl::FormatDuration(Role::kMaxApprovedFor)));
    }
    return absl::OkStatus();
  }

  absl::Status ReadGroupsOf(absl::string_view whose, const toml::node& node,
                            std::vector<std::string>& groups,
                            NamePatterns& users) {
    BERTH_ASSIGN_OR_RETURN(groups, ReadList(whose, node));
    for (const std::string& name : groups) {
      const auto group = groups_.find(name);
      if (group == groups_.end()) {
        return At(node.source(), absl::StrCat(whose, ": no group ", Quote(name),
                                              "; make it in [groups]"));
      }
      members_ += group->second.size();
      if (members_ > Policy::kMaxMembers) {
        return At(node.source(),
                  absl::StrCat("the groups of all roles have over ",
                               Policy::kMaxMembers, " members; use wildcards"));
      }
      for (const std::string& member : group->second) {
        BERTH_RETURN_IF_ERROR(
            At(node.source(), whose, users.Add("user", member)));
      }
    }
    return absl::OkStatus();
  }

  absl::Status ReadVerbs(absl::string_view whose, const toml::node& node,
                         Role& role) {
    BERTH_ASSIGN_OR_RETURN(const std::vector<std::string> list,
                           ReadList(whose, node));
    for (const std::string& text : list) {
      const absl::StatusOr<Verb> verb = ParseVerb(text);
      BERTH_RETURN_IF_ERROR(At(node.source(), whose, verb.status()));
      role.verbs.Add(*verb);
    }
    return absl::OkStatus();
  }

  absl::Status ReadComputers(absl::string_view whose, const toml::node& node,
                             Role& role) {
    BERTH_ASSIGN_OR_RETURN(const std::vector<std::string> list,
                           ReadList(whose, node));
    absl::StatusOr<NodeSet> set = NodeSet::Parse(list);
    BERTH_RETURN_IF_ERROR(At(node.source(), whose, set.status()));
    if (set->empty()) {
      return At(node.source(), absl::StrCat(whose, ": names no computers"));
    }
    computers_ += set->name_count();
    if (computers_ > NodeSet::kMaxNames) {
      return At(node.source(),
                absl::StrCat("all roles name over ", NodeSet::kMaxNames,
                             " computers; use wildcards and labels"));
    }
    role.computers_text = absl::StrJoin(list, ", ");
    all_computers_ = list.size() == 1 && (list[0] == "*" || list[0] == "@all");
    role.computers.emplace(*std::move(set));
    return absl::OkStatus();
  }

  // What must be there, and what is meant by what is not.
  absl::Status Complete(absl::string_view of, const toml::table& table,
                        Role& role) {
    const auto wrong = [&](absl::string_view what) {
      return At(table.source(), absl::StrCat(of, ": ", what));
    };
    if (role.users.empty() && role.groups.empty()) {
      return wrong("names nobody; set users or groups");
    }
    if (role.verbs.empty()) return wrong("has no verbs");
    const bool approvers =
        !role.approvers.empty() || !role.approver_groups.empty();
    if (role.NeedsApproval() && !approvers) {
      return wrong("nobody could approve it; set approvers or approver_groups");
    }
    if (!role.NeedsApproval() &&
        (approvers || table.contains("approved_for"))) {
      return wrong("says who approves it, but not how many: set approvals");
    }
    if (role.moderated && !role.verbs.Has(Verb::kCreate) &&
        !role.verbs.Has(Verb::kRun) && !role.verbs.Has(Verb::kEnter) &&
        !role.verbs.Has(Verb::kCopy)) {
      return wrong(
          "is moderated, but lets nobody work in a session: that is for "
          "create, run, enter and copy");
    }
    const bool all = std::exchange(all_computers_, false);
    if (!role.computers.has_value()) {
      if (role.verbs.ToString() != VerbName(Verb::kAdmin)) {
        return wrong("names no computers; for all: computers = [\"@all\"]");
      }
    } else if (role.verbs.Has(Verb::kAdmin) && !all) {
      return wrong(
          "'admin' is for the whole fleet, so with it computers must be "
          "[\"@all\"]; or put it into a role of its own");
    }
    if (role.configurations.empty()) {
      BERTH_RETURN_IF_ERROR(role.configurations.Add("configuration", "*"));
    }
    if (role.run_as.empty()) {
      BERTH_RETURN_IF_ERROR(role.run_as.Add("user", kSelf));
    }
    return absl::OkStatus();
  }

  const std::string path_;
  Groups groups_;
  size_t members_ = 0;
  size_t computers_ = 0;
  bool all_computers_ = false;  // Of the role that is being read.
};

}  // namespace

absl::StatusOr<std::shared_ptr<const Policy>> Policy::Parse(
    absl::string_view text, absl::string_view path) {
  auto policy = std::make_shared<Policy>();
  BERTH_ASSIGN_OR_RETURN(policy->roles_, Parser(path).Read(text));
  return policy;
}

absl::string_view Policy::BuiltInText() { return kBuiltIn; }

}  // namespace berth::broker
