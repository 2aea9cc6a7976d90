// Options from text and environment, and the log's specification.
#include "vm/support/options.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "vm/support/log.h"
#include "vm/support/platform.h"

namespace gaur {
namespace {

TEST(Options, Defaults) {
  Options options;
  EXPECT_EQ(options.optLevel, 2u);
  EXPECT_FALSE(options.eager);
  EXPECT_EQ(options.heapSize, 16u << 20);
  EXPECT_EQ(options.stackSize, 8u << 20);
  EXPECT_EQ(options.errorLimit, 20u);
}

TEST(Options, ValuesOfEachKind) {
  Options options;
  EXPECT_TRUE(setOption(options, "opt", "0"));
  EXPECT_TRUE(setOption(options, "eager", ""));
  EXPECT_TRUE(setOption(options, "gc-stress", ""));
  EXPECT_TRUE(setOption(options, "heap", "2G"));
  EXPECT_TRUE(setOption(options, "lib", "a.so:b.so"));
  EXPECT_TRUE(setOption(options, "lib", "c.so"));
  EXPECT_EQ(options.optLevel, 0u);
  EXPECT_TRUE(options.eager);
  EXPECT_EQ(options.gcStress, 1u);
  EXPECT_EQ(options.heapSize, std::uint64_t{2} << 30);
  EXPECT_EQ(options.libraries, (std::vector<std::string>{"a.so", "b.so", "c.so"}));
}

TEST(Options, Mistakes) {
  Options options;
  EXPECT_EQ(setOption(options, "heep", "1M").error().message,
            "there is no option 'heep'; did you mean 'heap'?");
  EXPECT_EQ(setOption(options, "opt", "3").error().message, "'3' is not a value of option opt: 0 to 2");
  EXPECT_EQ(setOption(options, "heap", "12Q").error().id, ErrorId::OptionValue);
  EXPECT_EQ(setOption(options, "heap", "1K").error().id, ErrorId::OptionValue);
  EXPECT_EQ(setOption(options, "eager", "perhaps").error().id, ErrorId::OptionValue);
  EXPECT_EQ(setOption(options, "gc-stress", "-1").error().id, ErrorId::OptionValue);
  EXPECT_EQ(options.heapSize, 16u << 20);
}

TEST(Options, Sizes) {
  EXPECT_EQ(*parseSize("64"), 64u);
  EXPECT_EQ(*parseSize("64k"), 64u << 10);
  EXPECT_EQ(*parseSize("3MB"), 3u << 20);
  EXPECT_FALSE(parseSize(""));
  EXPECT_FALSE(parseSize("M"));
  EXPECT_FALSE(parseSize("99999999999999G"));
}

TEST(Options, Environment) {
  Options options;
  setenv("GAUR_OPT", "1", 1);
  EXPECT_TRUE(setOptionsFromEnvironment(options));
  EXPECT_EQ(options.optLevel, 1u);
  setenv("GAUR_OPT", "many", 1);
  EXPECT_EQ(setOptionsFromEnvironment(options).error().message,
            "GAUR_OPT: 'many' is not a value of option opt: a number");
  unsetenv("GAUR_OPT");
}

TEST(Log, LevelsByChannel) {
  EXPECT_TRUE(setLogLevels("all=off,gc=info,jit"));
  EXPECT_TRUE(logEnabled(LogChannel::Gc, LogLevel::Info));
  EXPECT_FALSE(logEnabled(LogChannel::Gc, LogLevel::Debug));
  EXPECT_TRUE(logEnabled(LogChannel::Jit, LogLevel::Debug));
  EXPECT_FALSE(logEnabled(LogChannel::Run, LogLevel::Error));
  EXPECT_EQ(setLogLevels("gc=off,nothing=info").error().id, ErrorId::LogChannelUnknown);
  EXPECT_EQ(setLogLevels("gc=loud").error().id, ErrorId::LogLevelUnknown);
  EXPECT_TRUE(logEnabled(LogChannel::Gc, LogLevel::Info)) << "a wrong specification changed something";
  EXPECT_TRUE(setLogLevels("all=warn"));
}

TEST(Log, LinesGoToTheFileAndArgumentsAreLazy) {
  std::string path = testing::TempDir() + "gaur_log_test.txt";
  std::remove(path.c_str());
  ASSERT_TRUE(setLogFile(path));
  ASSERT_TRUE(setLogLevels("gc=info"));
  int evaluated = 0;
  GAUR_LOG(Gc, Debug, "not shown {}", ++evaluated);
  GAUR_LOG(Gc, Info, "freed {} bytes in {} steps", 1234, ++evaluated);
  EXPECT_EQ(evaluated, 1);
  auto text = platform::readFile(path);
  ASSERT_TRUE(text);
  EXPECT_NE(text->find("[gc] [info] freed 1234 bytes in 1 steps\n"), std::string::npos) << *text;
  EXPECT_EQ(text->find("not shown"), std::string::npos);
  std::remove(path.c_str());
  EXPECT_TRUE(setLogLevels("all=warn"));
}

}  // namespace
}  // namespace gaur
