#include "tests/model/walk_model.h"

#include "absl/strings/str_cat.h"

namespace berth::model {

using absl::StatusCode;

void WalkSession::LetGo() {
  calls_ = 0;  // Those that are open don't count any more.
  ++tenure_;
  holder_.clear();
  lasting_ = false;
}

StatusCode WalkSession::Connect(const std::string& client, bool take) {
  if (ended_) return StatusCode::kFailedPrecondition;
  if (HeldByOther(client)) {
    if (!take) return StatusCode::kFailedPrecondition;
    LetGo();
  }
  holder_ = client;
  lasting_ = true;
  return StatusCode::kOk;
}

StatusCode WalkSession::Disconnect(const std::string& client) {
  if (ended_) return StatusCode::kOk;
  if (HeldByOther(client)) return StatusCode::kFailedPrecondition;
  LetGo();
  return StatusCode::kOk;
}

StatusCode WalkSession::Enter(const std::string& client, bool known) const {
  if (ended_ && known) return StatusCode::kOk;
  if (ended_ || HeldByOther(client)) return StatusCode::kFailedPrecondition;
  return StatusCode::kOk;
}

StatusCode WalkSession::Start(const std::string& client, const std::string& id,
                              const std::string& script, bool waits) {
  const auto known = commands_.find(id);
  const StatusCode entered = Enter(client, known != commands_.end());
  if (entered != StatusCode::kOk) return entered;
  if (known != commands_.end()) {
    return known->second.script == script ? StatusCode::kOk
                                          : StatusCode::kAlreadyExists;
  }
  if (!waits && (running_ || !queue_.empty())) return StatusCode::kAborted;
  commands_[id].script = script;
  queue_.push_back(id);
  RunNext();
  return StatusCode::kOk;
}

int WalkSession::OpenCall(const std::string& client) {
  if (ended_) return tenure_;
  holder_ = client;
  ++calls_;
  return tenure_;
}

void WalkSession::CloseCall(int tenure) {
  if (tenure != tenure_ || calls_ == 0 || --calls_ > 0 || lasting_) return;
  LetGo();
}

void WalkSession::CutCalls() {
  calls_ = 0;
  if (!lasting_) LetGo();
}

void WalkSession::RunNext() {
  while (!running_ && !queue_.empty() && !ended_) {
    running_ = queue_.front();
    queue_.pop_front();
    Execute(*running_);
  }
}

void WalkSession::Execute(const std::string& id) {
  Command& command = commands_[id];
  command.state = Command::State::kRunning;
  if (command.script == kForever) {
    command.output = "on\n";
  } else if (command.script == kCount) {
    ++counter_;
    command.output = absl::StrCat(counter_, "\ne", counter_, "\n");
    Finish(id, v1::CommandEnded::COMPLETED, 0);
  } else if (command.script == kExit) {
    command.output = "out\n";
    Finish(id, v1::CommandEnded::EXITED, 3);
  } else {
    command.output = "bye\n";
    Finish(id, v1::CommandEnded::SHELL_ENDED, 4);
    EndShell(4);
  }
}

void WalkSession::Finish(const std::string& id, v1::CommandEnded::How how,
                         int exit_code) {
  Command& command = commands_[id];
  command.state = Command::State::kEnded;
  command.how = how;
  command.exit_code = exit_code;
  if (running_ == id) running_.reset();
}

void WalkSession::Interrupt() {
  if (!running_) return;
  const std::string id = *running_;
  Finish(id, v1::CommandEnded::INTERRUPTED, 130);
  RunNext();
}

void WalkSession::EndShell(int exit_code) {
  if (running_) {
    const std::string id = *running_;
    Finish(id, v1::CommandEnded::SHELL_ENDED, exit_code);
  }
  for (const std::string& id : queue_) {
    Finish(id, v1::CommandEnded::NOT_STARTED, 0);
  }
  queue_.clear();
  ended_ = true;
  LetGo();
}

}  // namespace berth::model
