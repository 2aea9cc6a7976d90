#include "vm/runtime/backtrace.h"

#include <ucontext.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <utility>

#include "jit/code_map.h"
#include "vm/abi/function_record.h"
#include "vm/ir/program.h"
#include "vm/runtime/hidden_frames.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/native_unwind.h"
#include "vm/runtime/register_file.h"
#include "vm/runtime/thread.h"

namespace gaur::runtime {

namespace {

constexpr std::size_t kMostSteps = 200'000;
/// A thread that was interrupted keeps the collector waiting while it walks.
constexpr std::size_t kMostStepsInterrupted = 5'000;

/// The frame pointer alone is known.
UnwindRegisters registersAt(std::uintptr_t pc, std::uintptr_t framePointer) {
  UnwindRegisters registers{};
  framePointerOf(registers) = framePointer;
  registers.pc = pc;
  return registers;
}

UnwindRegisters interruptedRegisters(const void* context) {
  const mcontext_t& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
  UnwindRegisters registers{};
#if defined(__x86_64__)
  auto get = [&](int index) { return static_cast<std::uintptr_t>(machine.gregs[index]); };
  registers = {get(REG_RBX), get(REG_RBP), get(REG_R12), get(REG_R13),
               get(REG_R14), get(REG_R15), get(REG_RSP), get(REG_RIP)};
#elif defined(__aarch64__)
  for (unsigned i = 0; i < 12; ++i) registers.x19to30[i] = machine.regs[19 + i];
  registers.stackPointer = machine.sp;
  registers.pc = machine.pc;
#endif
  return registers;
}

/// Whether the interrupted instruction returns, with the frame gone already.
bool isReturn([[maybe_unused]] std::uintptr_t pc) {
#if defined(__x86_64__)
  constexpr unsigned char kReturn = 0xc3, kReturnAndPop = 0xc2;
  const unsigned char opcode = *reinterpret_cast<const unsigned char*>(pc);
  return opcode == kReturn || opcode == kReturnAndPop;
#else
  return false;
#endif
}

/// Where a switch of stacks in compiled code goes that was interrupted when it had taken the frame pointer of
/// the frame there, and nothing more (jit/llvm/swap_sites.cpp); 0 where the thread is in the middle of
/// something else.
std::uintptr_t goalOfSwap([[maybe_unused]] const jit::CodeMap& map, [[maybe_unused]] const void* context) {
#if defined(__x86_64__)
  constexpr unsigned char kPop[] = {0x41, 0x5b};         // pop r11
  constexpr unsigned char kJump[] = {0x41, 0xff, 0xe3};  // jmp r11
  const greg_t* registers = static_cast<const ucontext_t*>(context)->uc_mcontext.gregs;
  const auto* code = reinterpret_cast<const unsigned char*>(registers[REG_RIP]);
  const bool hasToPop = std::equal(std::begin(kPop), std::end(kPop), code);
  if (hasToPop) code += sizeof kPop;
  if (!std::equal(std::begin(kJump), std::end(kJump), code)) return 0;
  const auto goal = static_cast<std::uintptr_t>(registers[REG_R11]);
  if (hasToPop) return wordAt(static_cast<std::uintptr_t>(registers[REG_RSP]));
  // Other code jumps like that, too, but to no place where a frame waits.
  return !map.findFunction(goal) || map.findReturn(goal).row ? goal : 0;
#else
  return 0;
#endif
}

BacktraceFrame frameOf(const jit::CodeSite& site) {
  if (site.function->kind == abi::CodeKind::Undefined) return {site.function->record->id, kNoId};
  return {site.function->version, site.row ? site.row->instruction : kNoId};
}

}  // namespace

BacktraceWalk::BacktraceWalk(const MicroVm& vm, const Thread* thread, const UnwindRegisters& at)
    : vm_(vm), thread_(thread), at_(at), mostSteps_(kMostSteps) {}

BacktraceWalk::BacktraceWalk(const MicroVm& vm, const Thread& thread, void* context)
    : vm_(vm), thread_(&thread), at_(interruptedRegisters(context)), mostSteps_(kMostStepsInterrupted) {
  const bool isCompiled = static_cast<bool>(vm.codeMap().findFunction(at_.pc));
  if (const std::uintptr_t goal = isCompiled ? goalOfSwap(vm.codeMap(), context) : 0) {
    // Hidden frames are found from the stack pointer.
    at_.stackPointer = (at_.stackPointer + sizeof(abi::SavedFrame) - 1) & ~(sizeof(abi::SavedFrame) - 1);
    at_.pc = goal;
    return;
  }
  isInterrupted_ = isCompiled;
  if (isCompiled) return;
  // Native code that the program called is its innermost frame.
  UnwindRegisters caller{};
  if (unwindFromSignal(vm.codeMap(), context, caller) == NativeEnd::CompiledCode) {
    at_ = caller;
    passedNative_ = hasShown_ = true;
  }
}

/// Whether words can be read there. What is taken for a frame need not be one: native code need not keep
/// frame pointers.
bool BacktraceWalk::isOnStack(std::uintptr_t address, std::size_t bytes) const {
  if (address % sizeof(std::uintptr_t) != 0 || address + bytes < address) return false;
  gc::StackRange stack = vm_.stacks().rangeAt(address);
  if (!stack.isEmpty()) return address >= stack.begin && address + bytes <= stack.end;
  return thread_ && thread_->isNativeStack(address) && thread_->isNativeStack(address + bytes);
}

/// Goes over the frames that resumption needs (vm/abi/stack_object.h) and that no function of the program
/// has.
bool BacktraceWalk::crossHiddenFrame() {
  const HiddenFrame hidden = hiddenFrameAt(at_.pc, at_.stackPointer);
  if (hidden.kind == HiddenFrame::Kind::Begun)
    return isOnStack(hidden.address, sizeof(abi::StartFrame)) && enter(hidden.start().below);
  if (hidden.kind != HiddenFrame::Kind::Uncovered || !isOnStack(hidden.address, sizeof(abi::ResumeFrame)))
    return false;
  readResumeFrame(hidden.uncovered(), at_);
  return true;
}

/// To a frame that waits for those above it to resume it.
bool BacktraceWalk::enter(const abi::SavedFrame* saved) {
  if (!isOnStack(addressOf(saved), sizeof *saved)) return false;
  readSavedFrame(saved, at_);
  return true;
}

/// From native code to whoever called it.
bool BacktraceWalk::leaveNative() {
  if (at_.stackPointer != 0) {
    UnwindRegisters caller = at_;
    NativeEnd end = tryUnwindNative(vm_.codeMap(), caller);
    if (end == NativeEnd::Host) return false;
    if (end == NativeEnd::CompiledCode) {
      at_ = caller;
      return true;
    }
  }
  // Our own native code keeps frame pointers, where nothing else is known of it.
  constexpr std::int64_t kFrameRecord = 2 * sizeof(std::uintptr_t);
  const bool left = leave(kFrameRecord);
#if defined(__aarch64__)
  // The frame record need not lie at the end of the frame.
  at_.stackPointer = 0;
#endif
  return left;
}

/// To the caller of a frame that has set its frame pointer.
bool BacktraceWalk::leave(std::int64_t cfaOffset) {
  const std::uintptr_t framePointer = framePointerOf(at_);
  const std::uintptr_t cfa = moved(framePointer, cfaOffset);
  constexpr std::size_t kFrameRecord = 2 * sizeof(std::uintptr_t);
  if (!isOnStack(framePointer, kFrameRecord) || !isOnStack(cfa - kFrameRecord, kFrameRecord)) return false;
  jit::CodeSite site = vm_.codeMap().findFunction(at_.pc);
  RegisterFile registers(at_);
  if (site)
    for (const abi::SavedRegister& saved :
         site.block->saved.subspan(site.function->firstSaved, site.function->savedCount))
      if (std::uintptr_t place = moved(cfa, saved.cfaOffset); isOnStack(place, sizeof place))
        registers[saved.dwarfNumber] = wordAt(place);
  registers[RegisterFile::kFramePointer] = wordAt(framePointer);
  registers.storeTo(at_);
  at_.pc = wordAt(returnPlace(framePointer, cfa));
  at_.stackPointer = cfa;
  return true;
}

/// To the caller of a function that was interrupted where its frame is not there yet or not any more; false
/// where that does not seem to be so.
bool BacktraceWalk::leavePrologue() {
  jit::CodeSite site = vm_.codeMap().findFunction(at_.pc);
  if (at_.pc >= site.block->begin + site.function->bodyOffset && !isReturn(at_.pc)) return false;
  const std::uintptr_t sp = at_.stackPointer;
  if (!isOnStack(sp, 2 * sizeof sp)) return false;
  if (std::uintptr_t caller = wordAt(sp); vm_.codeMap().findReturn(caller).row) {
    at_.pc = caller;
    at_.stackPointer = sp + sizeof(std::uintptr_t);
    return true;
  }
  // The frame pointer may have been saved already.
  if (std::uintptr_t caller = wordAt(sp + sizeof(std::uintptr_t)); vm_.codeMap().findReturn(caller).row) {
    framePointerOf(at_) = wordAt(sp);
    at_.pc = caller;
    at_.stackPointer = sp + 2 * sizeof(std::uintptr_t);
    return true;
  }
  return false;
}

bool BacktraceWalk::next(BacktraceFrame& frame) {
  while (!isOver_ && steps_++ < mostSteps_) {
    if (crossHiddenFrame()) continue;
    const HiddenFrame hidden = hiddenFrameAt(at_.pc, at_.stackPointer);
    if (hidden.kind == HiddenFrame::Kind::Bottom) return false;
    if (hidden.kind == HiddenFrame::Kind::NotBegun && isOnStack(hidden.address, sizeof(abi::StartFrame))) {
      const abi::StartFrame& start = hidden.start();
      const ir::FunctionVersion* version = start.record->function->current.load(std::memory_order_acquire);
      frame = {version ? version->id : start.record->id, kNoId};
      isOver_ = !enter(start.below);
      return hasShown_ = true;
    }
    jit::CodeSite site =
        isInterrupted_ ? vm_.codeMap().findFunction(at_.pc) : vm_.codeMap().findReturn(at_.pc);
    if (!site) {
      passedNative_ = true;
      isOver_ = !leaveNative();
      continue;
    }
    const bool shows =
        site.function->kind == abi::CodeKind::Function || site.function->kind == abi::CodeKind::Undefined;
    if (shows && std::exchange(passedNative_, false) && hasShown_) {
      frame = {};
      return true;
    }
    isOver_ = !(std::exchange(isInterrupted_, false) && leavePrologue()) && !leave(site.function->cfaOffset);
    if (!shows) continue;
    frame = frameOf(site);
    return hasShown_ = true;
  }
  return false;
}

std::vector<BacktraceFrame> collectBacktrace(const MicroVm& vm, std::uintptr_t pc,
                                             std::uintptr_t framePointer) {
  std::vector<BacktraceFrame> frames;
  if (!Thread::current()) return frames;
  BacktraceWalk walk(vm, Thread::current(), registersAt(pc, framePointer));
  for (BacktraceFrame frame; walk.next(frame);) frames.push_back(frame);
  return frames;
}

__attribute__((noinline)) std::vector<BacktraceFrame> collectBacktrace(const MicroVm& vm) {
  auto frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  return collectBacktrace(vm, wordAt(frame + sizeof(std::uintptr_t)), wordAt(frame));
}

std::string describeSite(MicroVm& vm, Id version, Id instruction) {
  auto name = [&](Id id) {
    const ir::Entity* entity = vm.program().entity(id);
    return entity ? ir::describe(*entity) : "#" + std::to_string(id);
  };
  if (instruction == kNoId) return name(version);
  std::string id = "#" + std::to_string(instruction);
  const auto* entity = vm.program().entityOfCode<ir::Instruction>(instruction);
  if (!entity) return version == kNoId ? id : id + " in " + name(version);
  // Texts name the results of an instruction, seldom the instruction.
  std::string text = ir::describe(*entity);
  if (text.starts_with('#') && !entity->results.empty()) text = ir::describe(entity->results[0]);
  bool tellsVersion = version == kNoId || text.starts_with(name(version) + ".");
  text = text.starts_with('#') ? ir::word(*entity) + " (" + id + ")"
                               : text + " (" + ir::word(*entity) + ", " + id + ")";
  // The frame's version is another than the instruction's where a call was inlined.
  return tellsVersion ? text : text + " in " + name(version);
}

std::string formatBacktrace(MicroVm& vm, const std::vector<BacktraceFrame>& frames) {
  BacktraceEnds ends;
  for (const BacktraceFrame& frame : frames) ends.add(frame);
  return formatBacktrace(vm, ends);
}

std::string formatBacktrace(MicroVm& vm, const BacktraceEnds& frames) {
  std::string text;
  std::size_t hidden = 0;
  for (std::size_t i = 0; i < frames.count(); ++i) {
    if (!frames.has(i)) {
      ++hidden;
      continue;
    }
    if (hidden != 0) text += "    ... " + std::to_string(hidden) + " more ...\n";
    hidden = 0;
    const BacktraceFrame& frame = frames[i];
    text += "    " +
            (frame.version == kNoId ? "native code" : describeSite(vm, frame.version, frame.instruction)) +
            "\n";
  }
  return text;
}

void printBugContext() {
  Thread* thread = Thread::current();
  if (!thread) return;
  auto frames = collectBacktrace(thread->vm());
  if (frames.empty()) return;
  std::fprintf(stderr, "  Mu backtrace:\n%s", formatBacktrace(thread->vm(), frames).c_str());
}

}  // namespace gaur::runtime
