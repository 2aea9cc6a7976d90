// The formatter works on tokens: it decides where lines break, how far they are indented, and which tokens a
// blank parts. Comments are pieces between the tokens.
#include "vm/ir/formatter.h"

#include <algorithm>
#include <vector>

#include "vm/ir/lexer.h"
#include "vm/ir/opcode.h"
#include "vm/ir/text_parser.h"

namespace gaur::ir {

namespace {

constexpr std::size_t kLabelIndent = 2;
constexpr std::size_t kInstructionIndent = 4;
constexpr std::size_t kCaseIndent = 6;
constexpr std::size_t kContinuationIndent = 8;
constexpr std::size_t kTopContinuationIndent = 4;

struct Comment {
  std::string_view text;
  bool isBlock = false;
  bool startsLine = false;
  bool blankBefore = false;
};

/// A token with what stands before it.
struct Piece {
  Token token;
  std::vector<Comment> comments;
  bool blankBefore = false;
  bool onNewLine = false;  // a line break stands between it and the last comment
};

struct Line {
  std::size_t indent = 0;
  std::string text;
  std::string comment;
  bool blankBefore = false;
};

class Formatter {
 public:
  Formatter(std::string_view text, TextLanguage language) : text_(text), language_(language) {}

  bool read(Diagnostics& diagnostics);
  std::string write();

 private:
  void readGap(std::size_t from, std::size_t to, Piece& piece);
  const Token& token(std::size_t i) const { return pieces_[std::min(i, pieces_.size() - 1)].token; }
  TokenKind kind(std::size_t i) const { return token(i).kind; }
  std::size_t skipGroup(std::size_t i) const;
  bool isLabel(std::size_t i) const;
  bool isResultList(std::size_t i) const;
  bool startsStatement(std::size_t i) const;
  bool needsBlank(std::size_t i) const;
  bool isCallArguments(std::size_t i) const;

  /// Puts a comment that stands after other things on its line there.
  bool attach(const Comment& comment);
  /// True where the token goes on in the line of the last comment.
  bool comments(std::size_t i);
  void track(std::size_t i);
  void endLine();
  void startLine(std::size_t indent, bool blankBefore);
  std::size_t indentOf(std::size_t i) const;
  void alignComments();

  std::string_view text_;
  TextLanguage language_;
  std::vector<Piece> pieces_;

  // State of writing.
  std::vector<Line> lines_;
  bool lineOpen_ = false;
  bool inBody_ = false;
  bool expectsBody_ = false;  // in a .funcdef before its '{'
  unsigned braces_ = 0;       // besides those of the body
  int group_ = 0;             // open ( < [
  std::size_t statement_ = 0;
};

bool Formatter::read(Diagnostics& diagnostics) {
  Lexer lexer(text_, diagnostics, language_);
  std::size_t end = 0;
  for (;;) {
    Piece piece;
    piece.token = lexer.next();
    std::size_t start = piece.token.pos - 1;
    readGap(end, start, piece);
    end = start + piece.token.text.size();
    bool isLast = piece.token.kind == TokenKind::End;
    pieces_.push_back(std::move(piece));
    if (isLast) return !diagnostics.failed();
  }
}

void Formatter::readGap(std::size_t from, std::size_t to, Piece& piece) {
  unsigned newLines = from == 0 ? 1 : 0;
  bool isFirst = from == 0;
  std::size_t i = from;
  while (i < to) {
    if (text_[i] == '\n') ++newLines;
    if (text_[i] != '/') {
      ++i;
      continue;
    }
    bool isBlock = text_[i + 1] == '*';
    // A block comment without an end, reported by the lexer, reaches to the end of the text.
    std::size_t close = text_.find(isBlock ? "*/" : "\n", isBlock ? i + 2 : i);
    std::size_t end = close == std::string_view::npos ? text_.size() : isBlock ? close + 2 : close;
    std::string_view comment = text_.substr(i, end - i);
    while (!isBlock && !comment.empty() &&
           (comment.back() == ' ' || comment.back() == '\t' || comment.back() == '\r')) {
      comment.remove_suffix(1);
    }
    piece.comments.push_back({comment, isBlock, newLines > 0, newLines > 1 && !isFirst});
    newLines = 0;
    isFirst = false;
    i = end;
  }
  piece.blankBefore = newLines > 1 && !isFirst;
  piece.onNewLine = newLines > 0;
}

std::size_t Formatter::skipGroup(std::size_t i) const {
  int depth = 0;
  for (; i < pieces_.size(); ++i) {
    if (kind(i) == TokenKind::LeftParen) ++depth;
    if (kind(i) == TokenKind::RightParen && --depth == 0) return i + 1;
    if (kind(i) == TokenKind::Directive) break;
  }
  return pieces_.size() - 1;
}

bool Formatter::isLabel(std::size_t i) const {
  if (!token(i).isName() || (kind(i + 1) != TokenKind::LeftParen && kind(i + 1) != TokenKind::Colon))
    return false;
  std::size_t next = kind(i + 1) == TokenKind::Colon ? i + 1 : skipGroup(i + 1);
  if (kind(next) == TokenKind::LeftBracket && kind(next + 2) == TokenKind::RightBracket) next += 3;
  return kind(next) == TokenKind::Colon;
}

bool Formatter::isResultList(std::size_t i) const {
  return kind(i) == TokenKind::LeftParen && kind(skipGroup(i)) == TokenKind::Equals;
}

bool Formatter::startsStatement(std::size_t i) const {
  if (group_ > 0 || braces_ > 0) return false;
  if (token(i).isName() && kind(i + 1) == TokenKind::Equals) return true;
  if (isLabel(i) || isResultList(i)) return true;
  TokenKind before = kind(i - 1);
  if (before == TokenKind::Equals) return false;
  bool namesInstruction = kind(i) == TokenKind::LeftBracket && kind(i + 2) == TokenKind::RightBracket &&
                          kind(i + 3) == TokenKind::Word;
  if (namesInstruction) return kind(i + 1) != TokenKind::Flag;
  if (kind(i) != TokenKind::Word || !instructionWord(token(i).text)) return false;
  if (before == TokenKind::RightBracket) return false;
  // The operator of ATOMICRMW follows its order, which may follow PTR.
  std::size_t word = i - 2;
  if (kind(word) == TokenKind::Word && token(word).text == "PTR") --word;
  bool isOperator = before == TokenKind::Word && memoryOrder(token(i - 1).text) &&
                    kind(word) == TokenKind::Word && token(word).text == "ATOMICRMW";
  return !isOperator;
}

/// The parentheses of call arguments stand apart from the callee, those of destinations and clauses close to
/// their name.
bool Formatter::isCallArguments(std::size_t i) const {
  std::size_t word = statement_;
  while (word < i && !(kind(word) == TokenKind::Word && instructionWord(token(word).text))) ++word;
  if (word == i) return false;
  std::string_view text = token(word).text;
  bool isCall = text == "CALL" || text == "TAILCALL" || text == "CCALL" || text == "COMMINST";
  if (!isCall) return word + 1 == i;
  for (std::size_t k = word; k < i; ++k) {
    bool isClause = kind(k) == TokenKind::Word && (token(k).text == "EXC" || token(k).text == "KEEPALIVE");
    if (isClause) return false;
  }
  return true;
}

bool Formatter::needsBlank(std::size_t i) const {
  TokenKind before = kind(i - 1);
  switch (before) {
    case TokenKind::LeftParen:
    case TokenKind::Less:
    case TokenKind::LeftBracket:
    case TokenKind::LessBracket:
    case TokenKind::Ampersand:
    case TokenKind::Star: return false;
    default: break;
  }
  switch (kind(i)) {
    case TokenKind::RightParen:
    case TokenKind::Greater:
    case TokenKind::RightBracket:
    case TokenKind::BracketGreater:
    case TokenKind::Colon: return false;
    // In HAIL it begins an index, in the IR the name of an instruction.
    case TokenKind::LeftBracket: return language_ == TextLanguage::Ir;
    case TokenKind::Less: return before != TokenKind::Word || !typeKind(token(i - 1).text);
    case TokenKind::LeftParen:
      if (!token(i - 1).isName()) return true;
      return inBody_ && braces_ == 0 && group_ == 0 && isCallArguments(i);
    default: return true;
  }
}

std::size_t Formatter::indentOf(std::size_t i) const {
  if (!inBody_) return i == statement_ || kind(i) == TokenKind::RightBrace ? 0 : kTopContinuationIndent;
  if (braces_ > 0) return kind(i) == TokenKind::RightBrace ? kInstructionIndent : kCaseIndent;
  if (kind(i) == TokenKind::RightBrace) return 0;
  if (i != statement_) return kContinuationIndent;
  return isLabel(i) ? kLabelIndent : kInstructionIndent;
}

void Formatter::endLine() { lineOpen_ = false; }

void Formatter::startLine(std::size_t indent, bool blankBefore) {
  bool isAfterBrace = !lines_.empty() && lines_.back().text.ends_with('{') && inBody_;
  lines_.push_back({indent, {}, {}, blankBefore && !lines_.empty() && !isAfterBrace});
  lineOpen_ = true;
}

bool Formatter::attach(const Comment& comment) {
  if (comment.startsLine || lines_.empty()) return false;
  Line& line = lines_.back();
  if (comment.isBlock) {
    if (!lineOpen_) return false;
    line.text += ' ';
    line.text += comment.text;
    return true;
  }
  if (!line.comment.empty()) return false;
  line.comment = comment.text;
  endLine();
  return true;
}

bool Formatter::comments(std::size_t i) {
  bool isJoinable = false;
  // A comment before the closing brace of a body belongs to the instructions.
  bool closesBody = inBody_ && braces_ == 0 && kind(i) == TokenKind::RightBrace;
  for (const Comment& comment : pieces_[i].comments) {
    if (attach(comment)) continue;
    startLine(closesBody ? kInstructionIndent : indentOf(i), comment.blankBefore);
    lines_.back().text = comment.text;
    isJoinable = comment.isBlock;
    if (!isJoinable) endLine();
  }
  return isJoinable && !pieces_[i].onNewLine;
}

void Formatter::track(std::size_t i) {
  switch (kind(i)) {
    case TokenKind::Directive:
      inBody_ = false;
      braces_ = 0;
      group_ = 0;
      expectsBody_ = token(i).text == ".funcdef";
      break;
    case TokenKind::LeftParen:
    case TokenKind::Less:
    case TokenKind::LeftBracket:
    case TokenKind::LessBracket: ++group_; break;
    case TokenKind::RightParen:
    case TokenKind::Greater:
    case TokenKind::RightBracket:
    case TokenKind::BracketGreater: group_ = std::max(0, group_ - 1); break;
    case TokenKind::LeftBrace:
      if (expectsBody_) {
        inBody_ = true;
        expectsBody_ = false;
        group_ = 0;
        endLine();
      } else {
        ++braces_;
      }
      break;
    case TokenKind::RightBrace:
      if (braces_ > 0) {
        --braces_;
      } else {
        inBody_ = false;
        endLine();
      }
      break;
    case TokenKind::Colon:
      if (inBody_ && group_ == 0) endLine();
      break;
    default: break;
  }
}

std::string Formatter::write() {
  const bool isHail = language_ == TextLanguage::Hail;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    bool isStatement =
        kind(i) == TokenKind::Directive || kind(i) == TokenKind::End || (inBody_ && startsStatement(i));
    if (isStatement) statement_ = i;
    bool closesBody = inBody_ && braces_ == 0 && kind(i) == TokenKind::RightBrace;
    bool isContinued = token(i).atLineStart && (isHail || kind(i) != TokenKind::LeftBrace);
    bool joinsComment = comments(i);
    if (!joinsComment && (isStatement || closesBody || isContinued)) endLine();
    if (kind(i) == TokenKind::End) break;
    if (!lineOpen_) startLine(indentOf(i), pieces_[i].blankBefore && kind(i) != TokenKind::RightBrace);
    std::string& line = lines_.back().text;
    if (!line.empty() && (needsBlank(i) || line.ends_with("*/"))) line += ' ';
    line += token(i).text;
    track(i);
  }
  alignComments();
  std::string out;
  for (const Line& line : lines_) {
    if (line.blankBefore) out += '\n';
    out += std::string(line.text.empty() ? 0 : line.indent, ' ') + line.text;
    out += line.comment;
    out += '\n';
  }
  return out;
}

void Formatter::alignComments() {
  for (std::size_t first = 0; first < lines_.size();) {
    std::size_t last = first;
    std::size_t width = 0;
    while (last < lines_.size() && !lines_[last].comment.empty() &&
           (last == first || !lines_[last].blankBefore)) {
      width = std::max(width, lines_[last].indent + lines_[last].text.size());
      ++last;
    }
    for (std::size_t i = first; i < last; ++i) {
      Line& line = lines_[i];
      std::size_t own = line.indent + line.text.size();
      line.comment.insert(0, width - own + 2, ' ');
    }
    first = std::max(last, first + 1);
  }
}

}  // namespace

std::optional<std::string> format(const SourceText& source, Diagnostics& diagnostics, TextLanguage language) {
  Formatter formatter(source.text, language);
  if (!formatter.read(diagnostics)) return std::nullopt;
  return formatter.write();
}

}  // namespace gaur::ir
