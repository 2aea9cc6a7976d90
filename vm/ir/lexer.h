// Text to tokens, for the parsers of bundles and of HAIL, and the formatter. Decides what a name, a number
// and a comment are; reports malformed tokens itself and hands them on as TokenKind::Error, so that its users
// only have to skip them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vm/support/source.h"

namespace gaur::ir {

enum class TokenKind : std::uint8_t {
  End,
  Error,       // reported already
  GlobalName,  // @x
  LocalName,   // %x
  ObjectName,  // $x, in HAIL
  Word,        // x: instruction words, type constructors, and names of the later dialect
  Directive,   // .typedef
  Int,
  Float,  // without its suffix, which is the Word `f` or `d` that follows; also +inf and -inf
  Flag,   // #DEFAULT
  String,
  LeftParen,
  RightParen,
  Less,
  Greater,
  LeftBracket,
  RightBracket,
  LeftBrace,
  RightBrace,
  LessBracket,     // <[
  BracketGreater,  // ]>
  Equals,
  Colon,
  Arrow,
  Ampersand,  // in HAIL
  Star,       // in HAIL
};

/// The two languages share everything but a few tokens of HAIL's own.
enum class TextLanguage : std::uint8_t { Ir, Hail };

struct Token {
  TokenKind kind = TokenKind::End;
  /// Nothing but blanks and comments stands before it on its line.
  bool atLineStart = false;
  SourcePos pos = 0;
  /// As written, a part of the source text.
  std::string_view text;

  /// Name without sigil, flag without '#', string without quotes.
  std::string_view content() const {
    switch (kind) {
      case TokenKind::GlobalName:
      case TokenKind::LocalName:
      case TokenKind::ObjectName:
      case TokenKind::Flag: return text.substr(1);
      case TokenKind::String: return text.substr(1, text.size() - 2);
      default: return text;
    }
  }
  bool isName() const {
    return kind == TokenKind::GlobalName || kind == TokenKind::LocalName || kind == TokenKind::Word;
  }
};

/// "'%x'" or "the end of the text", for messages.
std::string describe(const Token& token);

/// Copyable: a copy looks ahead without consuming.
class Lexer {
 public:
  /// `text` must be shorter than 4 GB and outlive the tokens.
  Lexer(std::string_view text, Diagnostics& diagnostics, TextLanguage language = TextLanguage::Ir);

  Token next();
  /// Malformed tokens are not reported while quiet.
  void setQuiet(bool quiet) { quiet_ = quiet; }

 private:
  bool skipBlanks();
  void skipBlockComment();
  Token name(TokenKind kind, ErrorId missing);
  Token word();
  Token directive();
  bool isHail() const { return language_ == TextLanguage::Hail; }
  Token number();
  Token flag();
  Token string();
  Token badCharacter();
  Token take(TokenKind kind, std::size_t length);
  Token error(ErrorId id, std::size_t length, std::string_view argument);

  std::size_t offset() const { return static_cast<std::size_t>(cursor_ - start_); }
  char at(std::size_t ahead) const {
    return static_cast<std::size_t>(end_ - cursor_) > ahead ? cursor_[ahead] : '\0';
  }

  const char* start_;
  const char* cursor_;
  const char* end_;
  Diagnostics* diagnostics_;
  TextLanguage language_;
  bool quiet_ = false;
};

/// True for what may stand in a name.
bool isNameCharacter(char c);

}  // namespace gaur::ir
