#include "agent/sessions/configurations.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ConfigurationsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/berth-conf-XXXXXX";
    root_ = mkdtemp(pattern.data());
    std::filesystem::create_directory(Directory());
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::string Directory() const { return root_ + "/configurations.d"; }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(root_ + "/" + name) << text;
  }
  void Load() { ASSERT_TRUE(all_->Load().ok()); }
  const Configurations::Entry& Entry(const std::string& name) {
    snapshot_ = all_->Get();
    return snapshot_->entries.at(name);
  }

  std::string root_;
  std::unique_ptr<Configurations> all_;
  std::shared_ptr<const Configurations::Snapshot> snapshot_;

  void Make(bool optional = true) {
    all_ = std::make_unique<Configurations>(root_ + "/agent.toml", optional,
                                            Directory());
  }
};

TEST_F(ConfigurationsTest, WithoutFilesThereIsTheDefault) {
  Make();
  Load();
  EXPECT_EQ(all_->Get()->entries.size(), 1u);
  EXPECT_EQ(all_->Get()->default_name, "default");
  Make(/*optional=*/false);
  EXPECT_EQ(all_->Load().code(), absl::StatusCode::kNotFound);
}

TEST_F(ConfigurationsTest, FilesOfTheDirectoryBeatAgentToml) {
  Write("agent.toml", "[configurations.a]\nlogin = true\n[configurations.b]\n");
  Write("configurations.d/a.toml", "cwd = \"/usr\"");
  Write("configurations.d/a b.toml", "junk");
  Write("configurations.d/note.txt", "junk");
  Make();
  Load();
  EXPECT_EQ(all_->Get()->entries.size(), 3u);
  EXPECT_TRUE(Entry("a").registered);
  EXPECT_FALSE(Entry("a").configuration.login);
  EXPECT_EQ(Entry("a").configuration.cwd, "/usr");
  EXPECT_FALSE(Entry("b").registered);
}

TEST_F(ConfigurationsTest, ChoicesBeatTheText) {
  Write("configurations.d/a.toml", "enabled = true");
  ConfigurationChoices choices;
  choices.default_configuration = "a";
  choices.enabled = {{"a", false}, {"gone", true}};
  Write("configurations.d/choices", ChoicesText(choices));
  Make();
  Load();
  EXPECT_FALSE(Entry("a").configuration.enabled);
  EXPECT_EQ(all_->Get()->default_name, "a");
  const auto described = all_->Get()->Describe({});
  ASSERT_EQ(described.size(), 2u);
  EXPECT_EQ(described[0].name(), "a");
  EXPECT_TRUE(described[0].is_default());
  EXPECT_FALSE(described[0].enabled());
  EXPECT_TRUE(described[1].enabled());
}

TEST_F(ConfigurationsTest, WhatBecomesBadStaysAsItWas) {
  Write("agent.toml", "[configurations.t]\ncwd = \"/1\"");
  Write("configurations.d/a.toml", "cwd = \"/1\"");
  Make();
  Load();
  EXPECT_THAT(all_->Reload(), IsEmpty());
  const auto before = all_->Get();
  Write("agent.toml", "[configurations.t]\ncwd = 1");
  Write("configurations.d/a.toml", "cwd = 1");
  EXPECT_EQ(all_->Reload().size(), 2u);
  EXPECT_EQ(Entry("a").configuration.cwd, "/1");
  EXPECT_THAT(Entry("a").problem, HasSubstr("a.toml:1"));
  EXPECT_TRUE(Entry("a").usable);
  EXPECT_EQ(Entry("t").configuration.cwd, "/1");
  EXPECT_THAT(Entry("t").problem, HasSubstr("agent.toml:2"));
  EXPECT_THAT(all_->Get()->Describe({})[0].problem(), HasSubstr("a.toml:1"));
  Write("configurations.d/a.toml", "cwd = \"/2\"");
  all_->Reload();
  EXPECT_EQ(Entry("a").configuration.cwd, "/2");
  EXPECT_EQ(Entry("a").problem, "");
  // Who had a snapshot still has it.
  EXPECT_EQ(before->entries.at("a").configuration.cwd, "/1");
}

TEST_F(ConfigurationsTest, WhatWasNeverGoodCantBeUsed) {
  Write("configurations.d/a.toml", "cwd = 1");
  Make();
  Load();
  EXPECT_FALSE(Entry("a").usable);
  EXPECT_FALSE(all_->Get()->Describe({})[0].enabled());
  all_->Reload();
  EXPECT_FALSE(Entry("a").usable);
}

TEST_F(ConfigurationsTest, MissingDefaultIsAnErrorAtTheStartAlone) {
  Write("agent.toml", "default_configuration = \"x\"");
  Make();
  EXPECT_THAT(std::string(all_->Load().message()), HasSubstr("'x'"));
  Write("configurations.d/x.toml", "");
  Load();
  std::filesystem::remove(Directory() + "/x.toml");
  ASSERT_EQ(all_->Reload().size(), 1u);
  EXPECT_EQ(all_->Get()->default_name, "x");
}

TEST_F(ConfigurationsTest, SaysWhichLimitsAreKeptHow) {
  Write("configurations.d/a.toml",
        "limits = { memory = \"1GiB\", cpu = 2, open_files = 64 }");
  Make();
  Load();
  auto limits = all_->Get()->Describe({})[0].limits();
  EXPECT_EQ(limits["memory"], "1GiB (each process)");
  EXPECT_EQ(limits["cpu"], "2 (not kept here: no cgroup)");
  EXPECT_EQ(limits["open_files"], "64");
  limits = all_->Get()->Describe({true, true, true})[0].limits();
  EXPECT_EQ(limits["memory"], "1GiB");
  EXPECT_EQ(limits["cpu"], "2");
}

TEST(ChoicesTest, AreReadAsWritten) {
  ConfigurationChoices choices;
  choices.default_configuration = "a.b-c_1";
  choices.enabled = {{"a.b-c_1", true}, {"x", false}};
  const auto read = ParseChoices(ChoicesText(choices), "choices");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->default_configuration, "a.b-c_1");
  EXPECT_EQ(read->enabled, choices.enabled);
  EXPECT_FALSE(ParseChoices("defalt = \"x\"", "choices").ok());
}

}  // namespace
}  // namespace berth::agent
