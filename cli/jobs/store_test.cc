#include "cli/jobs/store.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::cli {
namespace {

class JobStoreTest : public ::testing::Test {
 protected:
  JobStoreTest() {
    EXPECT_NE(mkdtemp(path_), nullptr);
    environment_.Set("XDG_STATE_HOME", path_);
  }
  ~JobStoreTest() override { std::filesystem::remove_all(path_); }

  char path_[20] = "/tmp/jobsXXXXXX";
  Environment environment_;
};

TEST_F(JobStoreTest, KeepsJobs) {
  const JobStore store = *JobStore::Open(environment_);
  EXPECT_TRUE(store.List()->empty());
  jobs::Job one, two;
  two.set_name("nightly");
  two.set_what("\xff");
  two.add_targets()->set_label("web01");
  ASSERT_TRUE(store.Add(one).ok());
  ASSERT_TRUE(store.Add(two).ok());
  EXPECT_EQ(one.id(), 1u);
  EXPECT_EQ(one.name(), "Job1");
  EXPECT_EQ(two.id(), 2u);
  for (const char* text : {"%2", "2", "job:2", "nightly", "job:nightly"}) {
    const auto found = store.Find(text);
    ASSERT_TRUE(found.ok()) << text;
    EXPECT_EQ(found->what(), "\xff");
    EXPECT_EQ(found->targets(0).label(), "web01");
  }
  EXPECT_TRUE(absl::IsNotFound(store.Find("%3").status()));
  struct stat info;
  ASSERT_EQ(stat((std::string(path_) + "/berth/jobs").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  ASSERT_TRUE(store.Remove(1).ok());
  EXPECT_EQ(store.List()->size(), 1u);
  EXPECT_FALSE(store.Remove(1).ok());
}

TEST_F(JobStoreTest, NoIdIsGivenTwice) {
  const JobStore store = *JobStore::Open(environment_);
  jobs::Job job;
  ASSERT_TRUE(store.Add(job).ok());
  ASSERT_TRUE(store.Add(job).ok());
  ASSERT_TRUE(store.Remove(1).ok());
  ASSERT_TRUE(store.Remove(2).ok());
  jobs::Job next;
  ASSERT_TRUE(store.Add(next).ok());
  EXPECT_EQ(next.id(), 3u);
  EXPECT_EQ(next.name(), "Job3");
  // Nor if what it remembers is damaged, as long as there are jobs.
  std::filesystem::resize_file(std::string(path_) + "/berth/jobs/last", 0);
  jobs::Job last;
  ASSERT_TRUE(store.Add(last).ok());
  EXPECT_EQ(last.id(), 4u);
}

TEST_F(JobStoreTest, RefusesBadNames) {
  const JobStore store = *JobStore::Open(environment_);
  jobs::Job job;
  job.set_name("a b");
  EXPECT_TRUE(absl::IsInvalidArgument(store.Add(job)));
  EXPECT_TRUE(IsJobName("%1"));
  EXPECT_TRUE(IsJobName("job:x"));
  EXPECT_FALSE(IsJobName("1"));
}

}  // namespace
}  // namespace berth::cli
