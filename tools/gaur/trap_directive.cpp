// The grammar of `trap:` lines (tests/conformance/README.md).
#include "tools/gaur/trap_directive.h"

#include <charconv>

namespace gaur::tool {

namespace {

class TrapReader {
 public:
  TrapReader(Cursor cursor, ExpectedTrap& trap) : cursor_(cursor), trap_(trap) {}

  const char* read() {
    if (const char* mistake = readPlace()) return mistake;
    if (!cursor_.take("->")) return "behind the frames of a trap comes -> and the answer";
    if (const char* mistake = readAnswer()) return mistake;
    return cursor_.atEnd() ? nullptr : "something stands behind the answer to the trap";
  }

 private:
  const char* readPlace() {
    if (auto times = takeNumber(cursor_)) {
      if (*times == 0 || !cursor_.take("times")) return "a number before a trap is: N times";
      trap_.times = *times;
    }
    if (cursor_.take("watchpoint")) {
      auto id = takeNumber(cursor_);
      if (!id || *id == 0) return "watchpoint ID @place";
      trap_.watchpoint = *id;
    }
    do {
      if (const char* mistake = readFrame()) return mistake;
    } while (cursor_.take(","));
    return nullptr;
  }

  const char* readFrame() {
    ExpectedFrame frame;
    if (cursor_.take("native")) {
      frame.kind = ExpectedFrame::Kind::Native;
    } else {
      if (cursor_.take("undefined")) frame.kind = ExpectedFrame::Kind::Undefined;
      if (!takeName(frame.name))
        return "a frame is @function, @function.version.block.instruction, undefined @function or native";
      cursor_.skipBlanks();
      if (cursor_.rest.starts_with('(')) {
        frame.keepalives = takeBrackets(cursor_);
        if (!frame.keepalives) return "the list of KEEPALIVE values has no end";
      }
    }
    trap_.frames.push_back(std::move(frame));
    return nullptr;
  }

  const char* readAnswer() {
    for (TrapAnswer& answer = trap_.answer;;) {
      TrapAction action;
      if (cursor_.take("pop")) {
        auto count = takeNumber(cursor_);
        if (!count || *count == 0) return "pop N, the number of frames";
        action.pop = *count;
      } else if (cursor_.take("push")) {
        if (!takeName(action.push)) return "push @function";
      } else if (cursor_.take("load")) {
        action.load = cursor_.word();
        if (action.load.empty()) return "load FILE";
      } else {
        return readEnd(answer);
      }
      answer.actions.push_back(std::move(action));
      if (!cursor_.take(",")) return "behind pop, push and load comes a comma and what happens then";
    }
  }

  const char* readEnd(TrapAnswer& answer) {
    if (cursor_.take("exit")) {
      answer.kind = TrapAnswer::Kind::Exit;
      return nullptr;
    }
    if (cursor_.take("pass")) {
      cursor_.skipBlanks();
      if (cursor_.rest.starts_with('(')) {
        auto values = takeBrackets(cursor_);
        if (!values) return "the list of values to pass has no end";
        answer.values = *values;
      }
    } else if (cursor_.take("throw")) {
      answer.kind = cursor_.take("NULL") ? TrapAnswer::Kind::ThrowNull : TrapAnswer::Kind::Throw;
    } else {
      return "the answer to a trap is pass, throw, throw NULL or exit, after any number of pop, push and "
             "load";
    }
    if (cursor_.take("to") && !takeName(answer.freshStack)) return "to @function, on a fresh stack";
    return nullptr;
  }

  bool takeName(std::string& name) {
    if (!cursor_.take("@")) return false;
    name = cursor_.word();
    return !name.empty();
  }

  Cursor cursor_;
  ExpectedTrap& trap_;
};

}  // namespace

std::optional<std::string> takeBrackets(Cursor& cursor) {
  cursor.skipBlanks();
  if (!cursor.rest.starts_with('(')) return {};
  std::size_t close = 1;
  for (int depth = 1; close < cursor.rest.size(); ++close) {
    depth += cursor.rest[close] == '(' ? 1 : cursor.rest[close] == ')' ? -1 : 0;
    if (depth == 0) break;
  }
  if (close >= cursor.rest.size()) return {};
  std::string inside(cursor.rest.substr(1, close - 1));
  cursor.rest.remove_prefix(close + 1);
  return inside;
}

std::optional<std::uint32_t> takeNumber(Cursor& cursor) {
  cursor.skipBlanks();
  std::uint32_t number = 0;
  const char* begin = cursor.rest.data();
  auto [end, error] = std::from_chars(begin, begin + cursor.rest.size(), number);
  if (error != std::errc()) return {};
  cursor.rest.remove_prefix(static_cast<std::size_t>(end - begin));
  return number;
}

const char* readTrap(Cursor cursor, ExpectedTrap& trap) { return TrapReader(cursor, trap).read(); }

}  // namespace gaur::tool
