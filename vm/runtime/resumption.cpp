#include "vm/runtime/resumption.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "jit/code_map.h"
#include "vm/abi/value_passing.h"
#include "vm/ir/instruction.h"
#include "vm/runtime/hidden_frames.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/thread.h"
#include "vm/runtime/transitions.h"

namespace gaur::runtime {

namespace {

TypeList listOf(std::span<const ir::Type* const> types) { return TypeList(types); }

TypeList listOf(std::span<const ir::TypeUse> uses) {
  TypeList types;
  for (const ir::TypeUse& use : uses) types.push_back(use->type);
  return types;
}

/// What a frame that waits in the instruction gets.
Result<TypeList> resultTypes(const ir::Instruction& instruction) {
  switch (instruction.opcode) {
    case ir::Opcode::Call: return listOf(ir::as<ir::Call>(instruction).signature()->results);
    case ir::Opcode::CCall: return listOf(ir::as<ir::CCall>(instruction).signature()->results);
    case ir::Opcode::SwapStack: return listOf(ir::as<ir::SwapStack>(instruction).returnTypes());
    case ir::Opcode::Trap:
    case ir::Opcode::Watchpoint: return listOf(instruction.types);
    default: return makeError(ErrorId::NotResumable, {ir::describe(instruction)});
  }
}

/// Values that take more than this get a bigger stack.
constexpr std::uint64_t kSmallMemory = 16384;

}  // namespace

std::uint64_t startMemoryBytes(abi::LayoutTable& layouts, const ir::Signature* signature) {
  std::uint64_t in = abi::travelInRegisters(layouts, signature->parameters)
                         ? 0
                         : abi::memoryBytes(layouts, signature->parameters);
  std::uint64_t out =
      abi::travelInRegisters(layouts, signature->results) ? 0 : abi::memoryBytes(layouts, signature->results);
  return std::max(in, out);
}

abi::StackObject* newStack(Thread& thread, abi::FunctionRecord* function) {
  const StartAdapter* adapter = thread.vm().code().knownStartAdapter(function->signatureIndex);
  if (!adapter) {
    thread.onNativeStack([&] {
      auto made = thread.vm().code().startAdapter(function->function->signature->signature);
      adapter = made ? *made : nullptr;
    });
    if (!adapter) return nullptr;
  }
  abi::StackObject* stack = thread.makeStack(
      adapter->memoryBytes > kSmallMemory ? adapter->memoryBytes + StackArena::kSmallBytes : 0);
  if (!stack) return nullptr;
  auto* bottom = reinterpret_cast<abi::SavedFrame*>(stack->top) - 2;
  *bottom = {nullptr, reinterpret_cast<void*>(&gaur_stackBottom)};
  char* memory = reinterpret_cast<char*>(bottom) - adapter->memoryBytes;
  auto* frame = reinterpret_cast<abi::StartFrame*>(memory) - 1;
  *frame = {{nullptr, reinterpret_cast<void*>(&gaur_startFrame)},
            adapter->code,
            function,
            memory,
            memory,
            bottom,
            nullptr};
  stack->valueMemory = memory;
  // Whoever interrupts this thread finds the stack READY only with all of its frame.
  std::atomic_signal_fence(std::memory_order_release);
  stack->savedPointer = frame;
  return stack;
}

Result<TypeList> expectedTypes(MicroVm& vm, const abi::StackObject& stack) {
  if (!isReady(stack)) return makeError(ErrorId::StackNotReady);
  const auto* saved = static_cast<const abi::SavedFrame*>(stack.savedPointer);
  const HiddenFrame hidden = hiddenFrameAt(saved);
  if (hidden.kind == HiddenFrame::Kind::NotBegun)
    return listOf(hidden.start().record->function->signature->signature->parameters);
  const bool isUncovered = hidden.kind == HiddenFrame::Kind::Uncovered;
  const std::uintptr_t pc = isUncovered ? hidden.uncovered().pc : addressOf(saved->pc);
  jit::UnwindCache& cache = Thread::current()->unwindCache;
  const jit::CodeSite site = cache.find(vm.codeMap(), pc).site;
  if (site && site.function->kind == abi::CodeKind::Undefined) return TypeList{};
  if (isUncovered && hidden.uncovered().signature) return listOf(hidden.uncovered().signature->results);
  const auto* instruction =
      site.row ? vm.program().entityOfCode<ir::Instruction>(site.row->instruction) : nullptr;
  if (!instruction) return makeError(ErrorId::NotResumable, {"native code"});
  return resultTypes(*instruction);
}

void setValues(abi::LayoutTable& layouts, const abi::StackObject& stack,
               std::span<const ir::Type* const> types, std::span<const void* const> values,
               abi::ResumeImage& image) {
  image.throws = 0;
  if (!abi::travelInRegisters(layouts, types)) {
    auto* memory = static_cast<char*>(stack.valueMemory);
    for (std::size_t i = 0; i < types.size(); ++i) {
      const abi::Layout& layout = layouts.of(types[i]);
      std::memcpy(memory, values[i], layout.size);
      memory += abi::placeBytes(layout);
    }
    return;
  }
  std::size_t words = 0;
  std::size_t vectors = 0;
  for (std::size_t i = 0; i < types.size(); ++i) {
    std::uint64_t size = layouts.of(types[i]).size;
    switch (abi::registerClassOf(types[i])) {
      case abi::RegisterClass::Vector: std::memcpy(image.vectors[vectors++], values[i], size); break;
      case abi::RegisterClass::Word:
        image.words[words] = 0;
        std::memcpy(&image.words[words++], values[i], size);
        break;
      case abi::RegisterClass::TwoWords: std::memcpy(image.words, values[i], sizeof image.words); break;
    }
  }
}

}  // namespace gaur::runtime
