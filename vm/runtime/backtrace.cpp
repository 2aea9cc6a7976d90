#include "vm/runtime/backtrace.h"

#include <cstdio>

#include "jit/code_map.h"
#include "vm/abi/function_record.h"
#include "vm/ir/program.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/thread.h"
#include "vm/runtime/transitions.h"

namespace gaur::runtime {

namespace {

constexpr std::size_t kMostFrames = 100'000;
constexpr std::size_t kShownFirst = 24;
constexpr std::size_t kShownLast = 8;

std::uintptr_t wordAt(std::uintptr_t address) { return *reinterpret_cast<const std::uintptr_t*>(address); }

/// Whether a frame pointer can be followed: native code need not keep any.
bool isPlausible(const MicroVm& vm, Thread& thread, std::uintptr_t framePointer) {
  constexpr std::uintptr_t kFrameBytes = 2 * sizeof(std::uintptr_t);
  if (framePointer % sizeof(std::uintptr_t) != 0 || framePointer < kFrameBytes) return false;
  gc::StackRange stack = vm.stacks().rangeAt(framePointer);
  if (!stack.isEmpty()) return framePointer >= stack.begin && framePointer + kFrameBytes <= stack.end;
  return thread.isNativeStack(framePointer) && thread.isNativeStack(framePointer + kFrameBytes);
}

}  // namespace

std::vector<BacktraceFrame> collectBacktrace(const MicroVm& vm, std::uintptr_t pc, std::uintptr_t framePointer) {
  std::vector<BacktraceFrame> frames;
  Thread* thread = Thread::current();
  if (!thread) return frames;
  bool inNative = false;
  // Stack pointer after the return to pc, where it is known.
  std::uintptr_t stackPointer = 0;
  while (frames.size() < kMostFrames) {
    if (stackPointer != 0 && pc == reinterpret_cast<std::uintptr_t>(&gaur_startReturn)) {
      const abi::SavedFrame* below = reinterpret_cast<const abi::StartFrame*>(stackPointer)->below;
      pc = reinterpret_cast<std::uintptr_t>(below->pc);
      framePointer = reinterpret_cast<std::uintptr_t>(below->framePointer);
      stackPointer = reinterpret_cast<std::uintptr_t>(below + 1);
      continue;
    }
    if (stackPointer != 0 && pc == reinterpret_cast<std::uintptr_t>(&gaur_resumeFrame))
      pc = reinterpret_cast<const abi::ResumeFrame*>(stackPointer - sizeof(abi::SavedFrame))->pc;
    if (pc == reinterpret_cast<std::uintptr_t>(&gaur_stackBottom)) break;
    jit::CodeSite site = vm.codeMap().findReturn(pc);
    if (site) {
      if (site.function->kind == abi::CodeKind::Undefined) frames.push_back({site.function->record->id, kNoId});
      if (site.function->version != kNoId) frames.push_back({site.function->version, site.row ? site.row->instruction : kNoId});
    } else if (!inNative && !frames.empty()) {
      frames.push_back({});
    }
    inNative = !site;
    if (!isPlausible(vm, *thread, framePointer)) break;
    std::uintptr_t returnPlace = framePointer + sizeof(std::uintptr_t);
    stackPointer = site ? framePointer + static_cast<std::uintptr_t>(std::int64_t{site.function->cfaOffset}) : 0;
#if defined(__x86_64__)
    if (site) returnPlace = framePointer + static_cast<std::uintptr_t>(std::int64_t{site.function->cfaOffset}) - sizeof(std::uintptr_t);
#endif
    pc = wordAt(returnPlace);
    framePointer = wordAt(framePointer);
  }
  // The host below the outermost call is no part of the program.
  while (!frames.empty() && frames.back().version == kNoId) frames.pop_back();
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
  const auto* entity = vm.program().entityOf<ir::Instruction>(instruction);
  if (!entity) return version == kNoId ? id : id + " in " + name(version);
  // Texts name the results of an instruction, seldom the instruction.
  std::string text = ir::describe(*entity);
  if (text.starts_with('#') && !entity->results.empty()) text = ir::describe(entity->results[0]);
  bool tellsVersion = version == kNoId || text.starts_with(name(version) + ".");
  text = text.starts_with('#') ? ir::word(*entity) + " (" + id + ")" : text + " (" + ir::word(*entity) + ", " + id + ")";
  // The frame's version is another than the instruction's where a call was inlined.
  return tellsVersion ? text : text + " in " + name(version);
}

std::string formatBacktrace(MicroVm& vm, const std::vector<BacktraceFrame>& frames) {
  std::string text;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    if (i == kShownFirst && frames.size() > kShownFirst + kShownLast + 1) {
      std::size_t hidden = frames.size() - kShownFirst - kShownLast;
      text += "    ... " + std::to_string(hidden) + " more ...\n";
      i += hidden;
    }
    const BacktraceFrame& frame = frames[i];
    text += "    " + (frame.version == kNoId ? "native code" : describeSite(vm, frame.version, frame.instruction)) + "\n";
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
