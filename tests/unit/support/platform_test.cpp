// Memory, files and clocks of the system.
#include "vm/support/platform.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>

namespace gaur::platform {
namespace {

TEST(Memory, ReserveProtectDiscard) {
  std::size_t size = 16 * pageSize();
  auto* memory = static_cast<char*>(reserve(size));
  ASSERT_NE(memory, nullptr);
  ASSERT_TRUE(protect(memory, size, Access::ReadWrite));
  memory[5] = 1;
  ASSERT_TRUE(discard(memory, size));
  EXPECT_EQ(memory[5], 0);
  release(memory, size);
  EXPECT_EQ(roundToPages(1), pageSize());
  EXPECT_EQ(roundToPages(pageSize()), pageSize());
}

TEST(Memory, DualMappingShowsTheSameBytesTwice) {
  std::size_t size = 4 * pageSize();
  void* space = reserve(2 * size);
  auto mapping = mapDual(size, static_cast<std::byte*>(space) + size);
  ASSERT_TRUE(mapping) << mapping.error().message;
  EXPECT_EQ(mapping->executable, static_cast<std::byte*>(space) + size);
  std::memcpy(mapping->writable + 100, "code", 5);
  EXPECT_STREQ(reinterpret_cast<const char*>(mapping->executable + 100), "code");
  unmapDual(*mapping, true);
  EXPECT_TRUE(protect(space, 2 * size, Access::ReadWrite))
      << "the address space is no longer reserved as a whole";
  release(space, 2 * size);
  auto elsewhere = mapDual(size);
  ASSERT_TRUE(elsewhere);
  unmapDual(*elsewhere, false);
}

#if defined(__x86_64__)
TEST(Memory, CodeRunsFromTheExecutableSide) {
  auto mapping = mapDual(pageSize());
  ASSERT_TRUE(mapping);
  const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};  // mov eax, 42; ret
  std::memcpy(mapping->writable, code, sizeof code);
  EXPECT_EQ(reinterpret_cast<int (*)()>(mapping->executable)(), 42);
  unmapDual(*mapping, false);
}
#endif

TEST(Files, ReadAndMap) {
  std::string path = testing::TempDir() + "gaur_platform_test.txt";
  std::string content(200'000, 'x');
  content += "end";
  std::ofstream(path) << content;
  auto text = readFile(path);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, content);
  auto mapped = MappedFile::open(path);
  ASSERT_TRUE(mapped);
  MappedFile moved = std::move(*mapped);
  EXPECT_EQ(moved.text(), content);
  std::ofstream(path, std::ios::trunc).flush();
  EXPECT_EQ(*readFile(path), "");
  EXPECT_EQ(MappedFile::open(path)->text(), "");
  std::remove(path.c_str());
  EXPECT_EQ(readFile(path).error().id, ErrorId::FileUnreadable);
  EXPECT_FALSE(MappedFile::open("/"));
  EXPECT_FALSE(readFile("/"));
}

TEST(Files, DevicesAreReadToTheEnd) { EXPECT_GT(readFile("/proc/self/maps")->size(), 100u); }

TEST(Clocks, GoForward) {
  std::uint64_t before = threadCpuTime(), start = monotonicTime();
  volatile unsigned sink = 0;
  for (unsigned i = 0; i < 1'000'000; ++i) sink = sink + i;
  EXPECT_GT(threadCpuTime(), before);
  EXPECT_GT(monotonicTime(), start);
  EXPECT_GE(processCpuTime(), threadCpuTime() - before);
  EXPECT_GT(residentSize(), 100u * 1024);
}

}  // namespace
}  // namespace gaur::platform
