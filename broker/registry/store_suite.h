#ifndef BERTH_BROKER_REGISTRY_STORE_SUITE_H_
#define BERTH_BROKER_REGISTRY_STORE_SUITE_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "broker/registry/store.h"

namespace berth::broker {

// Opens the store of one kind that is kept in `directory`.
struct StoreFactory {
  std::string name;
  std::function<absl::StatusOr<std::unique_ptr<Store>>(
      const std::string& directory)>
      open;
};

// What every Store must do. Instantiate it for a new one with
// INSTANTIATE_TEST_SUITE_P(Name, StoreSuite, testing::Values(factory)).
class StoreSuite : public ::testing::TestWithParam<StoreFactory> {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Closes the store and opens it again.
  void Reopen();

  std::string directory_;
  std::unique_ptr<Store> store_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_REGISTRY_STORE_SUITE_H_
