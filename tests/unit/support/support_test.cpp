// Small tools of vm/support: arena, ID table, edit distance, diagnostics.
#include <gtest/gtest.h>

#include <cstdint>
#include <set>

#include "vm/support/arena.h"
#include "vm/support/id_table.h"
#include "vm/support/near_name.h"
#include "vm/support/source.h"

namespace gaur {
namespace {

TEST(Arena, AlignsAndGrows) {
  Arena arena;
  for (int i = 0; i < 1000; ++i) {
    arena.allocate(1, 1);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(arena.allocate(24, 16)) % 16, 0u);
  }
  auto big = arena.makeArray<std::uint64_t>(1'000'000);
  EXPECT_EQ(big.size(), 1'000'000u);
  EXPECT_EQ(big[999'999], 0u);
  EXPECT_GE(arena.bytes(), 8'000'000u);
}

TEST(Arena, CopiesText) {
  Arena arena;
  std::string text = "name";
  std::string_view copy = arena.copy(std::string_view(text));
  text = "gone";
  EXPECT_EQ(copy, "name");
}

TEST(IdTable, HoldsWhatWasSet) {
  IdTable<int> table;
  int first = 1, last = 2;
  EXPECT_EQ(table.get(0), nullptr);
  table.set(65536, &first);
  table.set(0xffff'ffff, &last);
  EXPECT_EQ(table.get(65536), &first);
  EXPECT_EQ(table.get(65537), nullptr);
  EXPECT_EQ(table.get(0xffff'ffff), &last);
  table.set(65536, &last);
  EXPECT_EQ(table.get(65536), &last);
}

TEST(IdTable, IsEmptyAfterClear) {
  IdTable<int> table;
  int value = 1;
  for (Id last : {Id{700}, Id{100'000}}) {
    for (Id id = 1; id < last; id += 3) table.set(id, &value);
    table.set(0xffff'ffff, &value);
    table.clear();
    for (Id id = 1; id < last; ++id) ASSERT_EQ(table.get(id), nullptr);
    EXPECT_EQ(table.get(0xffff'ffff), nullptr);
  }
  table.set(7, &value);
  EXPECT_EQ(table.get(7), &value);
}

TEST(EditDistance, CountsEdits) {
  EXPECT_EQ(editDistance("kitten", "sitting", 5), 3u);
  EXPECT_EQ(editDistance("same", "same", 5), 0u);
  EXPECT_EQ(editDistance("", "abc", 5), 3u);
  EXPECT_EQ(editDistance("abcdefgh", "xxxxxxxx", 2), 3u);
}

TEST(NearName, FindsTheNearest) {
  NearName finder("counter");
  for (const char* name : {"encounter", "countr", "couner", "conter2", "other"}) finder.offer(name);
  EXPECT_EQ(finder.best(), "countr");
  NearName hopeless("x");
  hopeless.offer("entirely");
  EXPECT_EQ(hopeless.best(), "");
}

TEST(Errors, CodesAreUnique) {
  std::set<std::string_view> codes;
  for (std::size_t i = 0; i < errorCount(); ++i) {
    const ErrorInfo info = errorInfo(static_cast<ErrorId>(i));
    EXPECT_TRUE(codes.insert(info.code).second) << info.code;
    EXPECT_EQ(info.code.size(), 5u) << info.code;
  }
}

TEST(Errors, ArgumentsAreReplaced) {
  EXPECT_EQ(substitute("{0} and {1}, {0}", {"a", "b"}), "a and b, a");
  EXPECT_EQ(substitute("{2}{x}{", {"a"}), "{x}{");
}

TEST(Diagnostics, RenderShowsLineAndCaret) {
  SourceText source{"file.uir", "first line\n  .typedef @x\nlast"};
  Diagnostics diagnostics;
  diagnostics.report(ErrorId::LinkUndefined, 23, {"type", "@x"});
  std::string text = render(diagnostics, source);
  EXPECT_NE(text.find("file.uir:2:12: error[L0001]: there is no type @x"), std::string::npos) << text;
  EXPECT_NE(text.find("    2 |   .typedef @x\n"), std::string::npos) << text;
  EXPECT_NE(text.find("      |            ^~\n"), std::string::npos) << text;
}

TEST(Diagnostics, ErrorsBeyondTheLimitAreCounted) {
  Diagnostics diagnostics(2);
  for (int i = 0; i < 5; ++i) diagnostics.report(ErrorId::LinkUndefined, 0, {"type", "@x"}).subject = "s";
  EXPECT_EQ(diagnostics.list().size(), 2u);
  EXPECT_EQ(diagnostics.errorTotal(), 5u);
  EXPECT_NE(render(diagnostics, {"f", ""}).find("and 3 more"), std::string::npos);
}

TEST(Diagnostics, WarningsDoNotFail) {
  Diagnostics diagnostics;
  diagnostics.warn(ErrorId::LinkUndefined, 0, {"type", "@x"});
  EXPECT_FALSE(diagnostics.failed());
  EXPECT_EQ(diagnostics.list().size(), 1u);
}

}  // namespace
}  // namespace gaur
