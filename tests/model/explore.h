#ifndef BERTH_TESTS_MODEL_EXPLORE_H_
#define BERTH_TESTS_MODEL_EXPLORE_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

namespace berth::model {

// What an exploration found.
struct Exploration {
  size_t states = 0;
  size_t steps = 0;
  int depth = 0;
  bool complete = false;  // There are no other states.
  // The first thing that does not hold, with the events that lead there; empty
  // if all holds.
  std::string violation;
};

// Tries all orders of events, breadth first, so that what is found is shortest.
// A World has
//   std::vector<Event> Events() const;      // what may happen now
//   void Do(const Event&, std::string& violation);  // may set `violation`
//   std::string Key() const;                // the same for the same state
//   static std::string Name(const Event&);
template <typename World>
Exploration Explore(const World& first, int max_depth) {
  struct Node {
    World world;
    size_t parent;
    typename World::Event event;
    int depth;
  };
  Exploration found;
  std::vector<std::pair<size_t, typename World::Event>> history;
  const auto trace = [&](size_t parent, const typename World::Event& last) {
    std::string events = World::Name(last);
    for (; parent != 0; parent = history[parent].first) {
      events = absl::StrCat(World::Name(history[parent].second), ", ", events);
    }
    return events;
  };
  absl::flat_hash_map<std::string, bool> seen;
  std::deque<Node> open;
  seen[first.Key()] = true;
  history.emplace_back(0, typename World::Event{});
  open.push_back({first, 0, {}, 0});
  found.complete = true;
  for (; !open.empty(); open.pop_front()) {
    const Node node = std::move(open.front());
    const size_t me = node.parent;
    found.depth = std::max(found.depth, node.depth);
    if (node.depth == max_depth) {
      found.complete = false;
      continue;
    }
    for (const typename World::Event& event : node.world.Events()) {
      World next = node.world;
      std::string violation;
      next.Do(event, violation);
      ++found.steps;
      if (!violation.empty()) {
        found.states = seen.size();
        found.violation = absl::StrCat(violation, " after: ", trace(me, event));
        return found;
      }
      if (!seen.try_emplace(next.Key(), true).second) continue;
      history.emplace_back(me, event);
      open.push_back(
          {std::move(next), history.size() - 1, event, node.depth + 1});
    }
  }
  found.states = seen.size();
  return found;
}

}  // namespace berth::model

#endif  // BERTH_TESTS_MODEL_EXPLORE_H_
