#include "vm/runtime/osr.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "vm/ir/program.h"
#include "vm/runtime/code_registry.h"
#include "vm/runtime/hidden_frames.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/register_file.h"
#include "vm/runtime/resumption.h"
#include "vm/runtime/stack.h"
#include "vm/runtime/thread.h"

namespace gaur::runtime {

namespace {

constexpr std::uintptr_t kStackAlignment = 16;

/// Makes the frame resumable: what it needs lies below its own memory, where its callees were.
abi::SavedFrame* makeResumeFrame(const UnwindRegisters& registers, const ir::Signature* signature) {
  std::uintptr_t place = (registers.stackPointer - sizeof(abi::ResumeFrame)) & ~(kStackAlignment - 1);
  auto* frame = reinterpret_cast<abi::ResumeFrame*>(place);
  *frame = {};
  frame->saved = {reinterpret_cast<void*>(framePointerOf(registers)),
                  reinterpret_cast<void*>(&gaur_resumeFrame)};
  RegisterFile(registers).storeTo(*frame);
  frame->pc = registers.pc;
  frame->stackPointer = registers.stackPointer;
  frame->signature = signature;
  return &frame->saved;
}

/// Forgets the calls from native code whose frames lie below `end`. The outermost of them tells which cookie
/// is in force then; `exposed` is that of the outermost call of an exposed function.
void dropNativeCalls(abi::StackObject& object, std::uintptr_t end,
                     const std::optional<OuterCookie>& exposed) {
  auto* stack = static_cast<Stack*>(object.stack);
  std::optional<OuterCookie> outermost = exposed;
  for (; stack->guards && addressOf(stack->guards) < end; stack->guards = stack->guards->outer)
    if (!outermost || outermost->place < addressOf(stack->guards))
      outermost = OuterCookie{addressOf(stack->guards), stack->guards->cookie};
  if (!outermost) return;
  object.cookie = outermost->value;
  stack->forgetFrames();
}

Result<const StartAdapter*> startAdapterOf(Thread& thread, const abi::FunctionRecord& function) {
  CodeRegistry& code = thread.vm().code();
  if (const StartAdapter* known = code.knownStartAdapter(function.signatureIndex)) return known;
  Result<const StartAdapter*> made = makeError(ErrorId::NotAvailable);
  thread.onNativeStack([&] { made = code.startAdapter(function.function->signature->signature); });
  return made;
}

std::string textOf(std::span<const ir::Type* const> types) {
  std::string text = "(";
  for (const ir::Type* type : types) text += (text.size() > 1 ? " " : "") + ir::toString(type);
  return text + ")";
}

}  // namespace

Result<void> popFramesTo(Thread& thread, FrameCursor* cursor) {
  GAUR_TRY_ASSIGN(const FramePosition* position, frameOf(cursor));
  abi::StackObject& stack = *cursor->stack;
  const jit::CodeMap& map = thread.vm().codeMap();
  // Where the frame waits now, which may be another place than when the cursor came to it.
  FramePosition top{};
  FrameWalker walker(map, thread.unwindCache, top);
  walker.begin(stack);
  GAUR_TRY(walker.find(*position));
  // While the frames that go are whole: what makes the frame resumable is written over them.
  dropNativeCalls(stack, top.registers.stackPointer, walker.outerCookie());
  abi::SavedFrame* saved = top.saved;
  if (top.kind == FrameKind::Native) {
    // Its adapter goes on, which knows how C returns what it gets.
    const FrameWalker::Adapter& adapter = *walker.passedAdapter();
    if (!saved) saved = makeResumeFrame(adapter.registers, thread.vm().code().adapterSignature(adapter.code));
    stack.valueMemory = valueMemoryAt(map, adapter.registers);
  } else {
    if (!saved) saved = makeResumeFrame(top.registers, nullptr);
    stack.valueMemory = valueMemoryOf(map, top);
  }
  ++stack.edits;
  __atomic_store_n(&stack.savedPointer, saved, __ATOMIC_RELEASE);
  return {};
}

Result<void> pushFrame(Thread& thread, abi::StackObject* stack, abi::FunctionRecord* function) {
  if (!stack) return makeError(ErrorId::StackNull);
  if (!function) return makeError(ErrorId::PushedFunctionNull);
  GAUR_TRY_ASSIGN(TypeList expected, expectedTypes(thread.vm(), *stack));
  auto results = function->function->signature->signature->results;
  if (!std::equal(results.begin(), results.end(), expected.begin(), expected.end()))
    return makeError(ErrorId::PushedResults,
                     {ir::describe(*function->function), textOf(results), textOf(expected)});
  GAUR_TRY_ASSIGN(const StartAdapter* adapter, startAdapterOf(thread, *function));

  std::uintptr_t below = addressOf(stack->savedPointer);
  std::uint64_t needed = adapter->memoryBytes + sizeof(abi::StartFrame);
  if (below < stack->limit || below - stack->limit < needed)
    return makeError(ErrorId::StackFull, {ir::describe(*function->function)});
  char* memory = static_cast<char*>(stack->savedPointer) - adapter->memoryBytes;
  auto* frame = reinterpret_cast<abi::StartFrame*>(memory) - 1;
  auto* old = static_cast<abi::SavedFrame*>(stack->savedPointer);
  *frame = {{old->framePointer, reinterpret_cast<void*>(&gaur_startFrame)},
            adapter->code,
            function,
            memory,
            stack->valueMemory,
            old,
            nullptr};
  stack->valueMemory = memory;
  ++stack->edits;
  __atomic_store_n(&stack->savedPointer, static_cast<void*>(frame), __ATOMIC_RELEASE);
  return {};
}

}  // namespace gaur::runtime
