// Traps as they come, held against traps as they are written. Everything here runs on the native stack of the
// thread that trapped; its stack is READY meanwhile.
#include "tools/gaur/trap_player.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "vm/runtime/allocation.h"
#include "vm/runtime/frame_cursor.h"
#include "vm/runtime/keepalives.h"
#include "vm/runtime/osr.h"
#include "vm/runtime/resumption.h"

namespace gaur::tool {

namespace {

constexpr std::size_t kShownErrors = 20;
constexpr std::chrono::seconds kPatience{10};

std::string nameOf(const ir::Program& program, Id id) {
  std::string name = program.nameOf(id);
  return name.empty() ? "#" + std::to_string(id) : name;
}

/// The frame as a directive would name it.
std::string describe(const ir::Program& program, const runtime::FrameIds& ids) {
  if (ids.function == kNoId) return "native";
  if (ids.version == kNoId) return "undefined " + nameOf(program, ids.function);
  return nameOf(program, ids.instruction != kNoId ? ids.instruction : ids.version);
}

/// Reads the literals that fill the memory, and nothing else.
Mistake readValues(const std::string& literals, CallMemory& memory) {
  Cursor cursor{literals};
  for (std::size_t i = 0; i < memory.count(); ++i) {
    if (i > 0) cursor.take(",");
    if (auto read = readLiteral(cursor, memory.type(i), memory.at(i)); !read) return read.error().message;
  }
  if (!cursor.atEnd()) return "too many values: '" + std::string(cursor.rest) + "'";
  return {};
}

}  // namespace

/// A trap that waits for its answer.
struct TrapPlayer::Trap {
  runtime::Thread& thread;
  abi::StackObject& stack;
  std::uint32_t watchpoint;
  runtime::TrapAnswer& answer;

  /// A cursor at the N-th frame from the top.
  Result<runtime::FrameCursor*> cursorAt(std::uint32_t frame) const {
    auto cursor = runtime::newCursor(thread, &stack);
    for (; cursor && frame > 0; --frame) GAUR_TRY(runtime::nextFrame(thread, *cursor));
    return cursor;
  }
};

TrapPlayer::TrapPlayer(Machine& machine, const TestCase& test, const Step& step)
    : machine_(machine), test_(test), step_(step) {
  for (const ExpectedTrap& trap : step.traps) left_.push_back(trap.times);
  machine.vm().trapHandlers().set(handle, this);
}

std::vector<std::string> TrapPlayer::stop() {
  std::unique_lock lock(mutex_);
  auto isOver = [&] {
    return std::all_of(left_.begin(), left_.end(), [](auto times) { return times == 0; });
  };
  auto end = std::chrono::steady_clock::now() + kPatience;
  // Other threads may trap after the call has returned.
  while (!isOver() && machine_.vm().threads().hasStarted() && std::chrono::steady_clock::now() < end)
    played_.wait_for(lock, std::chrono::milliseconds(10));
  machine_.vm().trapHandlers().set(nullptr, nullptr);
  for (std::size_t i = 0; i < left_.size(); ++i)
    if (left_[i] > 0)
      fail(step_.traps[i].line, "this trap is still to come " + std::to_string(left_[i]) + " times");
  return std::move(failures_);
}

void TrapPlayer::handle(runtime::Thread& thread, abi::StackObject& stack, std::uint32_t watchpoint,
                        runtime::TrapAnswer& answer, void* player) {
  Trap trap{thread, stack, watchpoint, answer};
  static_cast<TrapPlayer*>(player)->play(trap);
}

void TrapPlayer::fail(unsigned line, const std::string& what) {
  failures_.push_back("line " + std::to_string(line) + ": " + what);
}

void TrapPlayer::play(Trap& trap) {
  std::lock_guard lock(mutex_);
  played_.notify_all();
  Mistake mistake = "no `trap:` line is left for it";
  const ExpectedTrap* expected = match(trap, mistake);
  if (expected) mistake = answerTo(*expected, trap);
  if (!mistake) return;
  auto cursor = trap.cursorAt(0);
  auto ids = cursor ? runtime::idsOf(trap.thread, *cursor) : cursor.error();
  std::string place = ids ? describe(machine_.vm().program(), *ids) : "(" + ids.error().message + ")";
  if (trap.watchpoint != 0) place = "watchpoint " + std::to_string(trap.watchpoint) + " " + place;
  fail(expected ? expected->line : step_.line, "trap at " + place + ": " + *mistake);
  trap.answer.stack = nullptr;
}

const ExpectedTrap* TrapPlayer::match(Trap& trap, Mistake& mistake) {
  for (std::size_t i = 0; i < left_.size(); ++i) {
    if (left_[i] == 0) continue;
    const ExpectedTrap& expected = step_.traps[i];
    mistake = compare(expected, trap);
    if (mistake && step_.trapsInAnyOrder) continue;
    if (mistake) mistake = "line " + std::to_string(expected.line) + " expects another trap: " + *mistake;
    if (mistake) return nullptr;
    --left_[i];
    return &expected;
  }
  return nullptr;
}

Mistake TrapPlayer::compare(const ExpectedTrap& expected, const Trap& trap) {
  if (expected.watchpoint != trap.watchpoint)
    return "the watchpoint is " + std::to_string(trap.watchpoint) + ", not " +
           std::to_string(expected.watchpoint);
  auto cursor = trap.cursorAt(0);
  for (std::size_t i = 0; i < expected.frames.size(); ++i) {
    if (i > 0)
      if (auto next = runtime::nextFrame(trap.thread, *cursor); !next) return next.error().message;
    if (!cursor) return cursor.error().message;
    if (Mistake mistake = compareFrame(expected.frames[i], trap.thread, **cursor))
      return "frame " + std::to_string(i) + ": " + *mistake;
  }
  return {};
}

Mistake TrapPlayer::compareFrame(const ExpectedFrame& expected, runtime::Thread& thread,
                                 runtime::FrameCursor& cursor) {
  auto ids = runtime::idsOf(thread, &cursor);
  if (!ids) return ids.error().message;
  bool isSame = false;
  std::string wanted = "native";
  if (expected.kind == ExpectedFrame::Kind::Native) {
    isSame = ids->function == kNoId;
  } else {
    wanted = (expected.kind == ExpectedFrame::Kind::Undefined ? "undefined @" : "@") + expected.name;
    Id id = machine_.vm().program().idOf(expected.name);
    if (id == kNoId) return wanted + " is no name of this program";
    isSame =
        expected.kind == ExpectedFrame::Kind::Undefined
            ? id == ids->function && ids->version == kNoId
            : ids->version != kNoId && (id == ids->function || id == ids->version || id == ids->instruction);
  }
  if (!isSame) return "it is " + describe(machine_.vm().program(), *ids) + ", not " + wanted;
  return expected.keepalives ? compareKeepalives(*expected.keepalives, cursor) : Mistake();
}

Mistake TrapPlayer::compareKeepalives(const std::string& expected, runtime::FrameCursor& cursor) {
  auto values = runtime::readKeepalives(machine_.vm(), cursor.position);
  if (!values) return values.error().message;
  Cursor literals{expected};
  std::string found;
  bool equal = true;
  for (std::size_t i = 0; i < values->size(); ++i) {
    if (i > 0) literals.take(",");
    auto* value = static_cast<const std::byte*>(values->value(i));
    found += (i > 0 ? ", " : "") + printLiteral(values->type(i), value);
    if (literals.atEnd()) {
      equal = false;
      continue;
    }
    auto same = matchLiteral(literals, values->type(i), value);
    if (!same) return same.error().message;
    equal = equal && *same;
  }
  if (equal && literals.atEnd()) return {};
  return "KEEPALIVE is (" + found + "), not (" + expected + ")";
}

Mistake TrapPlayer::answerTo(const ExpectedTrap& expected, Trap& trap) {
  for (const TrapAction& action : expected.answer.actions)
    if (Mistake mistake = act(action, trap)) return mistake;
  const TrapAnswer& answer = expected.answer;
  if (answer.kind == TrapAnswer::Kind::Exit) {
    trap.answer.stack = nullptr;
    return {};
  }
  if (!answer.freshStack.empty()) {
    abi::FunctionRecord* function = functionNamed(answer.freshStack);
    if (!function) return "there is no function @" + answer.freshStack;
    trap.answer.stack = runtime::newStack(trap.thread, function);
    if (!trap.answer.stack) return "no memory for a stack of @" + answer.freshStack;
  }
  if (answer.kind == TrapAnswer::Kind::Pass) return pass(answer.values, trap.answer);
  bool isNull = answer.kind == TrapAnswer::Kind::ThrowNull;
  void* exception =
      isNull ? nullptr : runtime::allocateHybrid(trap.thread, machine_.vm().bytesType()->index, 0);
  if (!isNull && !exception) return "no memory for an exception";
  runtime::setException(exception, trap.answer.image);
  return {};
}

abi::FunctionRecord* TrapPlayer::functionNamed(const std::string& name) {
  const ir::Program& program = machine_.vm().program();
  const auto* function = program.entityOf<ir::Function>(program.idOf(name));
  return function ? machine_.vm().entities().recordOf(*function) : nullptr;
}

Mistake TrapPlayer::load(const std::string& file) {
  auto path = std::filesystem::path(test_.path).parent_path() / file;
  // Nothing may be thrown through the frames of the machine below.
  try {
    Source source(path.string(), kShownErrors);
    return machine_.loadFile(source) ? Mistake() : render(source.diagnostics, source.view());
  } catch (const Exit& exit) {
    return exit.message;
  }
}

Mistake TrapPlayer::act(const TrapAction& action, Trap& trap) {
  if (!action.load.empty()) return load(action.load);
  if (!action.push.empty()) {
    abi::FunctionRecord* function = functionNamed(action.push);
    if (!function) return "there is no function @" + action.push;
    auto pushed = runtime::pushFrame(trap.thread, &trap.stack, function);
    return pushed ? Mistake() : pushed.error().message;
  }
  auto cursor = trap.cursorAt(action.pop);
  if (!cursor) return cursor.error().message;
  auto popped = runtime::popFramesTo(trap.thread, *cursor);
  return popped ? Mistake() : popped.error().message;
}

Mistake TrapPlayer::pass(const std::string& literals, runtime::TrapAnswer& answer) {
  auto types = runtime::expectedTypes(machine_.vm(), *answer.stack);
  if (!types) return types.error().message;
  CallMemory memory(*types);
  if (Mistake mistake = readValues(literals, memory)) return mistake;
  std::vector<const void*> values;
  for (std::size_t i = 0; i < memory.count(); ++i) values.push_back(memory.at(i));
  runtime::setValues(abi::LayoutTable::shared(), *answer.stack, *types, values, answer.image);
  return {};
}

}  // namespace gaur::tool
