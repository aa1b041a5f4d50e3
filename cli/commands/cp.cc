#include "cli/commands/cp.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/copy/names.h"
#include "cli/commands/parallel.h"
#include "cli/commands/parser.h"
#include "cli/commands/targets.h"
#include "cli/copy/download.h"
#include "cli/copy/location.h"
#include "cli/copy/progress_bar.h"
#include "cli/copy/upload.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "One side is SESSION:PATH. A relative PATH begins at the session's "
    "working\n"
    "directory, ~/ at its home; no shell looks at it. A file here that has a\n"
    "':' in its name is ./a:b. Into a folder that is there, things keep their\n"
    "names; a destination that ends with '/' is made if it is missing. Links\n"
    "in folders are copied as links, and never written through. A file is\n"
    "replaced when all of it has come and is unharmed; until then it is\n"
    "'.name.berth-part', from which a large one goes on if it was cut off.\n"
    "Several sessions can be sent to; from several, each gets a folder.\n"
    "Ends with 1 if anything was not copied.\n\n"
    "Examples:\n"
    "  berth cp app.conf 1:/etc/app/\n"
    "  berth cp -r site 'web*':/srv/\n"
    "  berth cp db:/var/log/db.log .\n"
    "  berth cp 'web*':/etc/hostname names/\n"
    "  berth cp --owner alice fix.conf 3:/etc/app/\n";

struct Request {
  std::string owner;  // Of the sessions; empty: the user.
  std::vector<Location> sources;
  Location destination;
  CopyOptions options;
  bool quiet = false;
};

absl::Status Check(const Request& request) {
  const bool from_remote = request.sources[0].is_remote();
  for (const Location& source : request.sources) {
    if (source.is_remote() == from_remote) continue;
    return absl::InvalidArgumentError(
        "some sources are here and some in sessions: copy them one after "
        "another");
  }
  if (from_remote && request.destination.is_remote()) {
    return absl::InvalidArgumentError(
        "both sides are in sessions: copy to here first, then from here");
  }
  if (!from_remote && !request.destination.is_remote()) {
    return absl::InvalidArgumentError(
        "no side is in a session: write one as SESSION:PATH, such as "
        "1:/tmp/x (see 'berth ls'); for a session of another user add "
        "--owner USER");
  }
  absl::flat_hash_set<std::string> names;
  for (const Location& source : request.sources) {
    const std::string name = copy::LastName(source.path);
    if (name.empty() || names.insert(name).second) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "two sources are called '", name, "': one would replace the other"));
  }
  return absl::OkStatus();
}

// "web01", or "web01-3" where web01 has several of the targets.
std::string FolderFor(const std::vector<Target>& targets,
                      const Target& target) {
  const std::string& computer = target.session.computer();
  const auto same = std::count_if(
      targets.begin(), targets.end(),
      [&](const Target& t) { return t.session.computer() == computer; });
  return same == 1 ? computer
                   : absl::StrCat(computer, "-", target.session.id());
}

// The command at work.
class Copying {
 public:
  Copying(Invocation& invocation, Connection& connection, Request request,
          std::vector<std::string> computers)
      : invocation_(invocation),
        connection_(connection),
        request_(std::move(request)),
        computers_(std::move(computers)),
        bar_(invocation, !request_.quiet) {}

  int Run() {
    if (request_.destination.is_remote()) {
      ToSessions();
    } else {
      FromSessions();
    }
    // A signal that came when all was done has changed nothing.
    if (!failed_) return 0;
    SignalSource& signals = invocation_.signals();
    return signals.left() ? signals.exit_code() : 1;
  }

 private:
  std::vector<Target> Find(const std::string& selector) {
    SessionQuery query;
    query.selectors = SplitLists({selector});
    query.computers = computers_;
    query.owner = request_.owner;
    Targets found = FindTargets(connection_, invocation_, query);
    if (!found.status.ok()) Fail(found.status.message());
    if (found.status.ok() && found.targets.empty()) {
      Fail(absl::StrCat("no session fits '", selector, "'"));
    }
    return std::move(found.targets);
  }

  void Fail(absl::string_view text) {
    failed_ = true;
    if (!invocation_.signals().left()) bar_.Say(text);
  }

  void ToSessions() {
    const std::vector<Target> targets = Find(request_.destination.session);
    ForEachInParallel(targets.size(), [&](size_t i) {
      Upload::What what;
      what.session = targets[i].ref;
      for (const Location& source : request_.sources) {
        what.sources.push_back(invocation_.AbsolutePath(source.path));
      }
      what.destination = request_.destination.path;
      what.folder = request_.sources.size() > 1;
      what.options = request_.options;
      Upload upload(connection_, invocation_, bar_, targets[i].name,
                    std::move(what));
      if (!upload.Run()) failed_ = true;
    });
  }

  void FromSessions() {
    // All paths of one selector go over one stream for each of its sessions.
    std::vector<std::pair<std::string, std::vector<std::string>>> groups;
    for (const Location& source : request_.sources) {
      if (groups.empty() || groups.back().first != source.session) {
        groups.push_back({source.session, {}});
      }
      groups.back().second.push_back(source.path);
    }
    for (const auto& [selector, paths] : groups) {
      if (invocation_.signals().left()) {
        failed_ = true;
        return;
      }
      FromOne(selector, paths);
    }
  }

  void FromOne(const std::string& selector,
               const std::vector<std::string>& paths) {
    const std::vector<Target> targets = Find(selector);
    ForEachInParallel(targets.size(), [&](size_t i) {
      Download::What what;
      what.session = targets[i].ref;
      what.sources = paths;
      what.destination = invocation_.AbsolutePath(request_.destination.path);
      what.folder = request_.sources.size() > 1;
      if (targets.size() > 1) {
        const std::string folder = FolderFor(targets, targets[i]);
        if (!copy::IsEntryName(folder)) {
          return Fail(absl::StrCat("'", folder, "': not a name for a folder"));
        }
        absl::StrAppend(&what.destination, "/", folder);
        what.folder = true;
      }
      what.options = request_.options;
      Download download(connection_, invocation_, bar_, targets[i].name,
                        std::move(what));
      if (!download.Run()) failed_ = true;
    });
  }

  Invocation& invocation_;
  Connection& connection_;
  const Request request_;
  const std::vector<std::string> computers_;
  ProgressBar bar_;
  std::atomic<bool> failed_ = false;
};

}  // namespace

int RunCp(Invocation& invocation, std::vector<std::string> words) {
  Request request;
  std::vector<std::string> paths;
  std::vector<std::string> computers;
  Parser parser("cp", "Copies files and folders to sessions and from there.",
                kExamples);
  CLI::App& app = parser.app();
  app.add_option("paths", paths, "SOURCE... DESTINATION")
      ->type_name("SOURCE... DESTINATION");
  app.add_flag("-r,-R,--recursive", request.options.recursive,
               "copy folders with all that is in them");
  app.add_flag("-p,--preserve", request.options.preserve,
               "keep times and set-id bits, too; modes are always kept");
  app.add_flag("-q,--quiet", request.quiet, "no progress on the terminal");
  parser.AddOwner(request.owner);
  parser.AddComputers(computers, "only sessions on these computers");
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  if (paths.size() < 2) {
    invocation.Say(
        "a copy takes a source and a destination: 'berth cp file 1:/tmp/'");
    return kUsageExit;
  }
  request.destination = ParseLocation(paths.back());
  paths.pop_back();
  for (const std::string& path : paths) {
    request.sources.push_back(ParseLocation(path));
  }
  if (absl::Status status = Check(request); !status.ok()) {
    return invocation.Fail(status, kUsageExit);
  }
  const auto connection = parser.Connect(invocation);
  if (!connection.ok()) return invocation.Fail(connection.status());
  Copying copying(invocation, **connection, std::move(request),
                  std::move(computers));
  return copying.Run();
}

}  // namespace berth::cli
