// Tokens, their places, and malformed ones.
#include <gtest/gtest.h>

#include "vm/ir/lexer.h"
#include "vm/ir/literal.h"

namespace gaur::ir {
namespace {

struct Lexed {
  std::string tokens;  // texts with a blank between
  std::vector<TokenKind> kinds;
  std::vector<Token> list;
  std::string codes;
};

Lexed lex(std::string_view text) {
  Diagnostics diagnostics(1000);
  Lexer lexer(text, diagnostics);
  Lexed lexed;
  for (;;) {
    Token token = lexer.next();
    if (token.kind == TokenKind::End) break;
    if (!lexed.tokens.empty()) lexed.tokens += ' ';
    lexed.tokens += token.text;
    lexed.kinds.push_back(token.kind);
    lexed.list.push_back(token);
  }
  for (const Diagnostic& diagnostic : diagnostics.list()) {
    if (!lexed.codes.empty()) lexed.codes += ' ';
    lexed.codes += std::string(errorInfo(diagnostic.id).name) + "@" + std::to_string(diagnostic.pos);
  }
  return lexed;
}

TEST(Lexer, Names) {
  Lexed lexed = lex("@a.b-c_1 %-0.a5-1_5 @0 uvm.current_stack .typedef");
  EXPECT_EQ(lexed.kinds, (std::vector{TokenKind::GlobalName, TokenKind::LocalName, TokenKind::GlobalName,
                                      TokenKind::Word, TokenKind::Directive}));
  EXPECT_EQ(lexed.list[1].content(), "-0.a5-1_5");
  EXPECT_EQ(lexed.codes, "");
}

TEST(Lexer, Numbers) {
  Lexed lexed = lex("0 42 -42 +7 0x1fF 017 1.5 -1.5e10 1.0e+3 1.0E-3 +inf -inf");
  std::vector<TokenKind> expected(6, TokenKind::Int);
  expected.insert(expected.end(), 6, TokenKind::Float);
  EXPECT_EQ(lexed.kinds, expected);
  EXPECT_EQ(lexed.tokens, "0 42 -42 +7 0x1fF 017 1.5 -1.5e10 1.0e+3 1.0E-3 +inf -inf");
}

TEST(Lexer, FloatSuffixIsATokenOfItsOwn) {
  EXPECT_EQ(lex("0.0f 3.14 d 1.0e06d +inff").tokens, "0.0 f 3.14 d 1.0e06 d +inf f");
}

TEST(Lexer, SignatureListBrackets) {
  Lexed lexed = lex("<[()->()]>[#N]<@a>");
  EXPECT_EQ(lexed.tokens, "<[ ( ) -> ( ) ]> [ #N ] < @a >");
  EXPECT_EQ(lexed.kinds.front(), TokenKind::LessBracket);
  EXPECT_EQ(lexed.kinds[6], TokenKind::BracketGreater);
}

TEST(Lexer, CommentsAndLineStarts) {
  Lexed lexed = lex("a // b\n/* c\n */ d /**/ e\n  f");
  EXPECT_EQ(lexed.tokens, "a d e f");
  std::vector<bool> starts;
  for (const Token& token : lexed.list) starts.push_back(token.atLineStart);
  EXPECT_EQ(starts, (std::vector{true, true, false, true}));
}

TEST(Lexer, PositionsAreOffsetsFromOne) {
  Lexed lexed = lex("\n  @a=%b");
  EXPECT_EQ(lexed.list[0].pos, 4u);
  EXPECT_EQ(lexed.list[1].pos, 6u);
  EXPECT_EQ(lexed.list[2].pos, 7u);
}

TEST(Lexer, MalformedNumbers) {
  EXPECT_EQ(lex("0x 09 1. 1e5 12abc 1.5x - 1.0e").codes,
            "ParseHexMalformed@1 ParseOctalMalformed@4 ParseFloatMalformed@7 ParseFloatMalformed@10 "
            "ParseNumberMalformed@14 "
            "ParseNumberMalformed@20 ParseNumberMalformed@25 ParseFloatMalformed@27");
}

TEST(Lexer, MalformedNamesFlagsAndStrings) {
  EXPECT_EQ(lex("@ % # #low #A_B #A1").codes,
            "ParseGlobalNameMissing@1 ParseLocalNameMissing@3 ParseFlagMalformed@5 ParseFlagMalformed@7 "
            "ParseFlagMalformed@17");
  EXPECT_EQ(lex("\"ok\" \"a b\" \"a\\n\" \"\" \"open\n").codes,
            "ParseStringCharacter@6 ParseStringEscape@12 ParseStringEmpty@18 ParseStringUnterminated@21");
}

TEST(Lexer, BadCharactersOneErrorARun) {
  EXPECT_EQ(lex(std::string_view("a\0\0\0b \xC3\xA4\xC3 , ; ! /", 17)).codes,
            "ParseNulByte@2 ParseNotAscii@7 ParseCommaInText@11 ParseSemicolonInText@13 "
            "ParseCharacterUnexpected@15 "
            "ParseCharacterUnexpected@17");
  EXPECT_EQ(lex("a /* open").codes, "ParseCommentUnterminated@3");
}

TEST(Lexer, QuietReportsNothing) {
  Diagnostics diagnostics;
  Lexer lexer("! ! !", diagnostics);
  lexer.setQuiet(true);
  EXPECT_EQ(lexer.next().kind, TokenKind::Error);
  EXPECT_FALSE(diagnostics.failed());
  lexer.setQuiet(false);
  lexer.next();
  EXPECT_EQ(diagnostics.errorTotal(), 1u);
}

std::vector<std::uint64_t> integer(std::string_view text) {
  std::vector<std::uint64_t> words;
  EXPECT_TRUE(parseInteger(text, words)) << text;
  return words;
}

TEST(Literal, IntegersInTwosComplement) {
  constexpr std::uint64_t kOnes = ~std::uint64_t{0};
  EXPECT_EQ(integer("0"), (std::vector<std::uint64_t>{0}));
  EXPECT_EQ(integer("-1"), (std::vector<std::uint64_t>{kOnes}));
  EXPECT_EQ(integer("-0"), (std::vector<std::uint64_t>{0}));
  EXPECT_EQ(integer("0777"), (std::vector<std::uint64_t>{511}));
  EXPECT_EQ(integer("9223372036854775807"), (std::vector<std::uint64_t>{0x7FFFFFFFFFFFFFFF}));
  // The last word always has the number's sign.
  EXPECT_EQ(integer("0xffffffffffffffff"), (std::vector<std::uint64_t>{kOnes, 0}));
  EXPECT_EQ(integer("-9223372036854775808"), (std::vector<std::uint64_t>{0x8000000000000000}));
  EXPECT_EQ(integer("-9223372036854775809"), (std::vector<std::uint64_t>{0x7FFFFFFFFFFFFFFF, kOnes}));
  EXPECT_EQ(integer("340282366920938463463374607431768211456"), (std::vector<std::uint64_t>{0, 0, 1}));
  EXPECT_EQ(integer("-0x100000000000000000000000000000000"), (std::vector<std::uint64_t>{0, 0, kOnes}));
}

TEST(Literal, IntegersOfAnyLengthButNotWithoutEnd) {
  std::vector<std::uint64_t> words;
  EXPECT_TRUE(parseInteger("0x" + std::string(4096, 'f'), words));
  EXPECT_EQ(words.size(), 257u);
  EXPECT_FALSE(parseInteger(std::string(1000000, '9'), words));
  std::uint64_t value = 0;
  EXPECT_TRUE(parseUnsigned("18446744073709551615", value));
  EXPECT_EQ(value, ~std::uint64_t{0});
  EXPECT_FALSE(parseUnsigned("18446744073709551616", value));
  EXPECT_FALSE(parseUnsigned("-1", value));
}

TEST(Literal, FloatingPointBits) {
  EXPECT_EQ(parseDoubleBits("1.5"), 0x3FF8000000000000u);
  EXPECT_EQ(parseDoubleBits("-0.0"), 0x8000000000000000u);
  EXPECT_EQ(parseDoubleBits("+inf"), 0x7FF0000000000000u);
  EXPECT_EQ(parseDoubleBits("nan"), 0x7FF8000000000000u);
  EXPECT_EQ(parseDoubleBits("4.9406564584124654e-324"), 1u);
  EXPECT_EQ(parseDoubleBits("1.0e400"), 0x7FF0000000000000u);
  EXPECT_EQ(parseDoubleBits("-1.0e-400"), 0x8000000000000000u);
  EXPECT_EQ(parseDoubleBits("0.0000000001e999999999999999999999"), 0x7FF0000000000000u);
  EXPECT_EQ(parseFloatBits("3.4028235677973367e38"), 0x7F800000u);
  EXPECT_EQ(parseFloatBits("1.401298464324817e-45"), 1u);
  // Rounded once from the decimal digits, not by way of double.
  EXPECT_EQ(parseFloatBits("1.00000005960464477550"), 0x3F800001u);
}

TEST(Literal, FloatingPointTextGivesTheSameBits) {
  std::uint64_t state = 1;
  for (int i = 0; i < 2000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    std::uint64_t bits = state ^ (state >> 29);
    std::string text = doubleLiteral(bits);
    if (text.starts_with("bits")) continue;
    EXPECT_EQ(parseDoubleBits(text.substr(0, text.size() - 2)), bits) << text;
    auto narrow = static_cast<std::uint32_t>(bits);
    text = floatLiteral(narrow);
    if (text.starts_with("bits")) continue;
    EXPECT_EQ(parseFloatBits(text.substr(0, text.size() - 2)), narrow) << text;
  }
  EXPECT_EQ(doubleLiteral(0x7FF8000000000000u), "nan d");
  EXPECT_EQ(doubleLiteral(0x7FF0000000000001u), "bitsd(0x7ff0000000000001)");
  EXPECT_EQ(floatLiteral(0x7F800000u), "+inf f");
  EXPECT_EQ(doubleLiteral(0x7FE1CCF385EBC8A0u), "1.0e+308 d");
}

TEST(Literal, IntegerText) {
  const std::uint64_t minusOne[] = {~std::uint64_t{0}};
  const std::uint64_t wide[] = {0x0123456789ABCDEF, 0x1F};
  EXPECT_EQ(integerLiteral(minusOne, 64), "-1");
  EXPECT_EQ(integerLiteral(minusOne, 1), "1");
  const std::uint64_t byte[] = {0x80};
  EXPECT_EQ(integerLiteral(byte, 8), "-128");
  EXPECT_EQ(integerLiteral(wide, 128), "0x1f0123456789abcdef");
}

}  // namespace
}  // namespace gaur::ir
