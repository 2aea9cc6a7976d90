// The same walk as FrameWalker's, which however shows the program's frames alone, and not where what it found
// lies.
#include "vm/runtime/stack_code.h"

#include <array>

#include "vm/abi/function_record.h"
#include "vm/ir/entity.h"
#include "vm/runtime/hidden_frames.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/register_file.h"

namespace gaur::runtime {

namespace {

std::uintptr_t* wordAtPlace(std::uintptr_t address) { return reinterpret_cast<std::uintptr_t*>(address); }
std::uintptr_t* wordAtPlace(const void* address) { return wordAtPlace(addressOf(address)); }

class Walk {
 public:
  Walk(MicroVm& vm, const abi::StackObject& stack)
      : map_(vm.codeMap()), cache_(Thread::current()->unwindCache), head_(stack.savedPointer) {}

  Result<std::vector<CodeWord>> run() {
    while (head_) GAUR_TRY(enter(static_cast<const abi::SavedFrame*>(std::exchange(head_, nullptr))));
    return std::move(words_);
  }

 private:
  /// From where the stack stands, or stands READY below a frame that was pushed, to the next such place.
  Result<void> enter(const abi::SavedFrame* saved) {
    readSavedFrame(saved, registers_);
    const HiddenFrame hidden = hiddenFrameAt(saved);
    if (hidden.kind != HiddenFrame::Kind::None)
      words_.push_back({CodeWord::Kind::Stub, wordAtPlace(&saved->pc)});
    std::uintptr_t* place = wordAtPlace(&saved->pc);
    switch (hidden.kind) {
      case HiddenFrame::Kind::NotBegun:
        addStart(hidden.start());
        head_ = hidden.start().below;
        return {};
      case HiddenFrame::Kind::Uncovered:
        if (hidden.uncovered().signature) return nativeFrame();
        readResumeFrame(hidden.uncovered(), registers_);
        place = wordAtPlace(&hidden.uncovered().pc);
        break;
      case HiddenFrame::Kind::Bottom: return {};
      case HiddenFrame::Kind::Begun:
      case HiddenFrame::Kind::None: break;
    }
    return followReturns(place);
  }

  /// `place` holds the address at which the frame of the registers goes on.
  Result<void> followReturns(std::uintptr_t* place) {
    while (true) {
      const jit::UnwindStep& step = cache_.find(map_, registers_.pc);
      if (!step.site || !step.site.row || step.site.function->kind == abi::CodeKind::NativeAdapter)
        return nativeFrame();
      words_.push_back({CodeWord::Kind::Return, place, step.site});
      if (step.site.function->record) last_ = step.site.function->record;
      place = leave(step);
      const HiddenFrame hidden = hiddenFrameAt(registers_.pc, registers_.stackPointer);
      if (hidden.kind == HiddenFrame::Kind::None) continue;
      words_.push_back({CodeWord::Kind::Stub, place});
      if (hidden.kind == HiddenFrame::Kind::Begun) {
        // What returns there is the adapter.
        words_[words_.size() - 2].signature = hidden.start().record->function->signature->signature;
        addStart(hidden.start());
        head_ = hidden.start().below;
      }
      return {};
    }
  }

  void addStart(const abi::StartFrame& frame) {
    last_ = frame.record;
    words_.push_back({CodeWord::Kind::StartAdapter,
                      wordAtPlace(&frame.adapter),
                      {},
                      frame.record->function->signature->signature});
  }

  /// To the caller; returns where the address lies at which that goes on.
  std::uintptr_t* leave(const jit::UnwindStep& step) {
    const std::uintptr_t framePointer = framePointerOf(registers_);
    const std::uintptr_t cfa = moved(framePointer, step.cfaOffset);
    for (std::uint32_t i = 0; i < step.savedCount; ++i)
      calleeSaved(registers_, step.saved[i].dwarfNumber) = wordAt(moved(cfa, step.saved[i].cfaOffset));
    framePointerOf(registers_) = wordAt(framePointer);
    std::uintptr_t* place = wordAtPlace(returnPlace(framePointer, cfa));
    registers_.pc = *place;
    registers_.stackPointer = cfa;
    return place;
  }

  Error nativeFrame() const {
    return makeError(ErrorId::ImageFrame,
                     {last_ ? "the frame of native code that called " + ir::describe(*last_->function)
                            : "a frame of native code"});
  }

  const jit::CodeMap& map_;
  jit::UnwindCache& cache_;
  const void* head_;
  UnwindRegisters registers_ = {};
  const abi::FunctionRecord* last_ = nullptr;
  std::vector<CodeWord> words_;
};

}  // namespace

Result<std::vector<CodeWord>> codeWordsOf(MicroVm& vm, const abi::StackObject& stack) {
  return Walk(vm, stack).run();
}

std::span<void* const> stackStubs() {
  static const std::array<void*, 4> stubs{
      reinterpret_cast<void*>(&gaur_startFrame), reinterpret_cast<void*>(&gaur_startReturn),
      reinterpret_cast<void*>(&gaur_resumeFrame), reinterpret_cast<void*>(&gaur_stackBottom)};
  return stubs;
}

}  // namespace gaur::runtime
