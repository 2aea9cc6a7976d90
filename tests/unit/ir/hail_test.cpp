// HAIL scripts as they are read: their structure, their types, and what of them is told in errors. What their
// evaluation does is in tests/conformance/hail.
#include "vm/ir/hail.h"
#include "tests/unit/ir/text_loader.h"
#include "vm/ir/formatter.h"

namespace gaur::ir {
namespace {

constexpr const char* kBundle =
    ".typedef @i8 = int<8> .typedef @i64 = int<64> .typedef @i128 = int<128> .typedef @void = void\n"
    ".typedef @pair = struct<@i8 @i64> .typedef @pairs = array<@pair 3> .typedef @ref = ref<@void>\n"
    ".typedef @text = hybrid<@i64 @i8> .typedef @bytes = hybrid<@i8> .typedef @rows = hybrid<@pairs>\n"
    ".typedef @deep = struct<@pairs @ref>\n"
    ".const @two <@i64> = 2 .const @minus <@i8> = -1 .const @big <@i128> = 0x10000000000000001\n"
    ".global @g <@pair> .global @n <@i64> .global @d <@deep> .global @r <@ref>\n";

struct Read {
  test::Loaded bundle = test::load(kBundle);
  std::string text;
  Diagnostics diagnostics{1000};
  std::optional<HailScript> script;

  /// "H0201@1:7 ...".
  std::string codes() const {
    std::string out;
    for (const Diagnostic& diagnostic : diagnostics.list()) {
      LineColumn at = lineColumn(text, diagnostic.pos);
      out += (out.empty() ? "" : " ") + std::string(errorInfo(diagnostic.id).code) + "@" +
             std::to_string(at.line) + ":" + std::to_string(at.column);
    }
    return out;
  }
};

Read read(std::string text) {
  Read read;
  read.text = std::move(text);
  read.script = readHail({"test.hail", read.text}, *read.bundle.program, read.diagnostics);
  return read;
}

TEST(Hail, ObjectsInOrderOfMention) {
  Read one = read(".init @r = $b .new $a <@pair> .newhybrid $b <@text> @two");
  ASSERT_TRUE(one.script) << one.codes();
  ASSERT_EQ(one.script->objects.size(), 2u);
  EXPECT_EQ(one.script->objects[0].name, "b");
  EXPECT_EQ(one.script->objects[0].length, 2u);
  EXPECT_EQ(one.script->objects[1].type, one.bundle.entity<TypeDef>("pair")->type);
}

TEST(Hail, ListsPrecedeTheirItems) {
  Read one = read(".init @d = { { { 1 -2 } {} } NULL }");
  ASSERT_TRUE(one.script) << one.codes();
  const auto& values = one.script->values;
  ASSERT_EQ(values.size(), 7u);
  EXPECT_EQ(values[0].items(), 2u);
  EXPECT_EQ(values[0].span(), 6u);
  EXPECT_EQ(values[1].items(), 2u);
  EXPECT_EQ(one.script->next(1), 6u);
  EXPECT_EQ(values[2].span(), 2u);
  EXPECT_TRUE(values[4].negative);
  EXPECT_EQ(values[4].payload, ~std::uint64_t{1});
  EXPECT_EQ(values[5].items(), 0u);
  EXPECT_EQ(values[6].form, HailForm::Null);
}

TEST(Hail, IntegersUpToTwoWords) {
  Read one = read(".init @n = 0xffffffffffffffff .init @n = 0x10000000000000000");
  ASSERT_TRUE(one.script) << one.codes();
  EXPECT_EQ(one.script->values[0].form, HailForm::Int);
  EXPECT_FALSE(one.script->values[0].negative);
  EXPECT_EQ(one.script->values[1].form, HailForm::LongInt);
  EXPECT_EQ(one.script->words, (std::vector<std::uint64_t>{2, 0, 1}));
}

TEST(Hail, ExtentsOfPlaces) {
  Read one = read(
      ".newhybrid $t <@text> 5 .init $t[1] = { 1 } .init $t = { 1 } .init $t[1][4] = 1 .init @d[0][2] = { 1 "
      "}");
  ASSERT_TRUE(one.script) << one.codes();
  const auto& places = one.script->places;
  EXPECT_TRUE(places[0].extent.isVariablePart);
  EXPECT_EQ(places[0].extent.length, 5u);
  EXPECT_EQ(places[0].extent.parts(), 5u);
  EXPECT_FALSE(places[1].extent.isVariablePart);
  EXPECT_EQ(places[1].extent.parts(), 2u);
  EXPECT_TRUE(isInt(places[2].extent.type, 8));
  EXPECT_EQ(places[3].extent.type, one.bundle.entity<TypeDef>("pair")->type);
}

TEST(Hail, GlobalsOnce) {
  Read one = read(".init @n = @two .init @g = { @minus @two } .init @n = @two");
  ASSERT_TRUE(one.script) << one.codes();
  ASSERT_EQ(one.script->globals.size(), 2u);
  EXPECT_EQ(one.script->globals[0].pos, 12u);
}

TEST(Hail, ElementsWithoutInnerBraces) {
  EXPECT_EQ(read(".newhybrid $b <@bytes> 3 .init $b = { 1 2 3 } .init $b = { { 1 2 3 } }").codes(), "");
  EXPECT_EQ(read(".newhybrid $b <@bytes> 3 .init $b = { 1 2 3 4 }").codes(), "H0305@1:45");
  // Rows are composites: the first inner list is the variable part.
  EXPECT_EQ(read(".newhybrid $r <@rows> 2 .init $r = { { { { 1 2 } } } }").codes(), "");
  EXPECT_EQ(read(".newhybrid $r <@rows> 2 .new $p <@pairs> .init $r = { *$p *$p }").codes(), "");
  EXPECT_EQ(read(".newhybrid $r <@rows> 2 .newhybrid $s <@rows> 2 .init $r = { *$s[0] }").codes(), "");
}

TEST(Hail, AllMistakesInOrder) {
  EXPECT_EQ(
      read(".init @n = NULL\n.new $x <@none>\n.init @g[2] = 1\n.init @g = { 1 2 3 }\n.init $y = 1\n).init")
          .codes(),
      "H0303@1:12 H0201@2:10 H0301@3:10 H0305@4:18 H0203@5:7 H0104@6:1 H0113@6:7");
}

TEST(Hail, WrongAllocationsCauseNoFurtherErrors) {
  EXPECT_EQ(read(".new $x <@text> .init $x[7] = { 5 } .init @r = $x .init @n = *$x[1]").codes(),
            "H0205@1:10");
  EXPECT_EQ(read(".init @n = $x .init @n = *$x").codes(), "H0203@1:12");
}

TEST(Hail, Nesting) {
  auto nested = [](unsigned depth) {
    return ".init @n = " + std::string(depth, '{') + std::string(depth, '}');
  };
  EXPECT_EQ(read(nested(kMaxHailNesting)).codes(), "H0304@1:12");
  EXPECT_EQ(read(nested(kMaxHailNesting + 1)).codes(), "H0118@1:" + std::to_string(12 + kMaxHailNesting));
  EXPECT_EQ(read(nested(3000000)).diagnostics.errorTotal(), 1u);

  // A deep type, to the last level.
  constexpr unsigned kDeep = 250;
  std::string types = ".typedef @i64 = int<64> .typedef @t0 = struct<@i64>\n";
  for (unsigned i = 1; i < kDeep; ++i)
    types += ".typedef @t" + std::to_string(i) + " = struct<@t" + std::to_string(i - 1) + ">\n";
  test::Loaded bundle = test::load(types + ".global @c <@t" + std::to_string(kDeep - 1) + ">");
  ASSERT_TRUE(bundle.bundle) << bundle.errors();
  const std::string text = ".init @c = " + std::string(kDeep, '{') + "5" + std::string(kDeep, '}');
  Diagnostics diagnostics;
  EXPECT_TRUE(readHail({"deep.hail", text}, *bundle.program, diagnostics));
}

TEST(Hail, BinaryForm) { EXPECT_EQ(read("\x7FHAI").codes(), "H0101@1:1"); }

TEST(Hail, TruncatedAnywhere) {
  const std::string whole =
      ".newhybrid $t <@text> 5 .new $p <@pair> .init $p = { 1 0x22 } .init $t = { 2 { 1 2 } }\n"
      ".init @g[1] = *$p[1] .init @r = $t .init @d = { { { @minus @two } } NULL } // end";
  ASSERT_TRUE(read(whole).script);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    Read one = read(whole.substr(0, length));
    EXPECT_EQ(one.script.has_value(), !one.diagnostics.failed()) << length;
  }
}

TEST(Hail, Formatted) {
  Diagnostics diagnostics;
  EXPECT_EQ(format({"x.hail", ".new$a<@pair>.init $a [ 0 ]=*  @g [0]// one\n.init @d={{{1 2.5d}\n{}}& $a}"},
                   diagnostics, TextLanguage::Hail),
            ".new $a <@pair>\n.init $a[0] = *@g[0]  // one\n.init @d = { { { 1 2.5 d }\n    { } } &$a }\n");
  EXPECT_FALSE(diagnostics.failed());
}

}  // namespace
}  // namespace gaur::ir
