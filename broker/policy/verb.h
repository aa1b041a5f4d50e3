#ifndef BERTH_BROKER_POLICY_VERB_H_
#define BERTH_BROKER_POLICY_VERB_H_

#include <array>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace berth::broker {

// What a role may let its users do. All but kCreate and kAdmin are about
// sessions of others: with their own sessions everybody may do everything.
enum class Verb {
  kList,     // See that a session is there, and what it does.
  kCreate,   // Make sessions of their own.
  kRun,      // Run commands in it.
  kEnter,    // Type at its terminal.
  kPeek,     // See its terminal.
  kTake,     // Connect to it, or enter it, in the place of who does so now.
  kReceive,  // Read what its commands printed.
  kCopy,     // Copy files to it and from there.
  kRemove,   // End it.
  kAdmin,    // What administrators do.
};

inline constexpr std::array<Verb, 10> kVerbs = {
    Verb::kList, Verb::kCreate,  Verb::kRun,  Verb::kEnter,  Verb::kPeek,
    Verb::kTake, Verb::kReceive, Verb::kCopy, Verb::kRemove, Verb::kAdmin};

// "list", "create" and so on.
absl::string_view VerbName(Verb verb);

// InvalidArgument names those that there are.
absl::StatusOr<Verb> ParseVerb(absl::string_view name);

// Whether it is about sessions of others.
bool IsAboutSessions(Verb verb);

// Verbs, as bits.
class VerbSet {
 public:
  void Add(Verb verb) { bits_ |= Bit(verb); }
  bool Has(Verb verb) const { return (bits_ & Bit(verb)) != 0; }
  bool empty() const { return bits_ == 0; }
  // "list, create".
  std::string ToString() const;

 private:
  static unsigned Bit(Verb verb) { return 1u << static_cast<unsigned>(verb); }
  unsigned bits_ = 0;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_POLICY_VERB_H_
