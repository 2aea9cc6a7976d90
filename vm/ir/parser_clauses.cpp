// What may follow the operands of an instruction: EXC, WPEXC, KEEPALIVE, THREADLOCAL and the clauses about
// stacks.
#include "vm/ir/text_parser.h"

namespace gaur::ir {

void TextParser::clauses(Instr i) {
  if (!resultsEntered_) enterResults(&i);
  bool hasKeepalive = false;
  while (at(TokenKind::Word) && !failed()) {
    if (token_.text == "EXC") {
      if (!has(info(i.opcode).properties, Property::ExcClause))
        return failAt(token_.pos, ErrorId::ParseExcNotAllowed, {word_});
      if (i.hasExc) return failAt(token_.pos, ErrorId::ParseExcTwice, {word_});
      if (hasKeepalive) return failAt(token_.pos, ErrorId::ParseClauseOrder, {word_});
      excClause(i);
    } else if (token_.text == "KEEPALIVE") {
      if (!has(info(i.opcode).properties, Property::Keepalive))
        return failAt(token_.pos, ErrorId::ParseKeepaliveNotAllowed, {word_});
      if (hasKeepalive) return failAt(token_.pos, ErrorId::ParseKeepaliveTwice, {word_});
      hasKeepalive = true;
      keepaliveClause(i);
    } else {
      return wrongClause(i);
    }
  }
}

void TextParser::wrongClause(Instr) {
  if (token_.text == "WPEXC" && peek().kind == TokenKind::LeftParen)
    return failAt(token_.pos, ErrorId::ParseWpExcNotAllowed, {word_});
  for (std::string_view word : {"THREADLOCAL", "PASS_VALUES", "THROW_EXC", "RET_WITH", "KILL_OLD"}) {
    if (token_.text == word && peek().kind != TokenKind::Equals)
      return fail(ErrorId::ParseClauseNotAllowed, word_);
  }
}

void TextParser::excClause(Instr i) {
  advance();
  expect(TokenKind::LeftParen, ErrorId::ParseClauseOpen, "EXC");
  dest(i);
  dest(i);
  i.hasExc = true;
  expect(TokenKind::RightParen, ErrorId::ParseClauseClose, "EXC");
}

void TextParser::wpExcClause(Instr i) {
  if (!acceptWord("WPEXC")) return;
  expect(TokenKind::LeftParen, ErrorId::ParseClauseOpen, "WPEXC");
  dest(i);
  i.hasExc = true;
  expect(TokenKind::RightParen, ErrorId::ParseClauseClose, "WPEXC");
}

void TextParser::keepaliveClause(Instr) {
  advance();
  expect(TokenKind::LeftParen, ErrorId::ParseClauseOpen, "KEEPALIVE");
  while (!at(TokenKind::RightParen) && !failed()) {
    if (!token_.isName()) return fail(ErrorId::ParseKeepaliveValue);
    Token name = token_;
    advance();
    if (name.kind == TokenKind::Word && !locals_.find(name.text) && !localsPoisoned_) {
      complain(name.pos, ErrorId::ParseKeepaliveGlobal, {describe(name)});
      continue;
    }
    // A global name may be that of a local value; the verifier knows.
    keepalives_.push_back(name.kind == TokenKind::GlobalName ? globalUse(name) : localValue(name));
  }
  accept(TokenKind::RightParen);
}

void TextParser::newStackClause(Instr i) {
  if (acceptWord("THROW_EXC")) {
    i.throwExc = true;
    return operands(i, {"the exception"});
  }
  if (!acceptWord("PASS_VALUES")) return fail(ErrorId::ParseNewStackExpected, word_);
  typeList(i, types_);
  expect(TokenKind::LeftParen, ErrorId::ParseArgumentsOpen, "PASS_VALUES");
  arguments(operands_, "PASS_VALUES");
}

}  // namespace gaur::ir
