// Walking the frames of a READY stack, innermost first, with the registers that each frame will find when
// control comes back to it. Adapters between conventions are passed over, so what shows is the program's own.
// vm/abi/README.md tells what lies on a stack.
#pragma once

#include <cstdint>
#include <optional>

#include "jit/code_map.h"
#include "vm/abi/stack_object.h"
#include "vm/runtime/transitions.h"
#include "vm/support/ids.h"
#include "vm/support/result.h"

namespace gaur::runtime {

enum class FrameKind : std::uint64_t {
  /// Beyond the outermost frame.
  End,
  /// Waits in an instruction of a version.
  Compiled,
  /// Of a function without a version, which has trapped.
  Undefined,
  /// Of a function that has not begun (abi::StartFrame).
  NotBegun,
  /// Of native code that has called back in; adjacent native frames are one.
  Native,
};

/// A frame of a READY stack.
struct FramePosition {
  /// Those that the frame finds when control comes back to it. Of a frame that `saved` can resume, the frame
  /// pointer may be all that is known.
  UnwindRegisters registers;
  /// Where the frame stands READY, as top of the stack or below a frame that was pushed; null where it waits
  /// for the return of a frame of this stack.
  abi::SavedFrame* saved;
  FrameKind kind;
};

/// A cookie that was in force before a call from native code.
struct OuterCookie {
  /// Address in the frame of that call.
  std::uintptr_t place;
  std::uint64_t value;
};

class FrameWalker {
 public:
  /// Walks `position`. The references have to live as long as the walker; the cache is that of the calling
  /// thread.
  FrameWalker(const jit::CodeMap& map, jit::UnwindCache& cache, FramePosition& position)
      : map_(map), cache_(cache), position_(position) {}

  /// Goes to the innermost frame. Requires: the stack is READY.
  void begin(const abi::StackObject& stack);
  /// Goes outwards to a frame that may have been seen before. An error where the stack has no such frame.
  Result<void> find(const FramePosition& wanted);
  /// Goes one frame outwards. An error where there is none, or where native frames cannot be passed; then it
  /// stays.
  Result<void> next();

  /// Of the call of an exposed function that was passed last; nothing where none was passed.
  const std::optional<OuterCookie>& outerCookie() const { return outerCookie_; }
  /// The adapter that was passed last, if any: by what it can be resumed, in place of the function that it
  /// called.
  struct Adapter {
    UnwindRegisters registers;
    const void* code;
  };
  const std::optional<Adapter>& passedAdapter() const { return passedAdapter_; }

 private:
  void enter(abi::SavedFrame* saved);
  void settle();
  void passAdapter(const jit::UnwindStep& step);
  void leave(const jit::UnwindStep& step);

  const jit::CodeMap& map_;
  jit::UnwindCache& cache_;
  FramePosition& position_;
  std::optional<OuterCookie> outerCookie_;
  std::optional<Adapter> passedAdapter_;
};

/// The frame that `saved` is the head of: for positions of kind NotBegun.
inline const abi::StartFrame& startFrameOf(const FramePosition& position) {
  return *reinterpret_cast<const abi::StartFrame*>(position.saved);
}

/// A value that a call site tells, in the low bits. The frame waits there, and `framePointer` is its own.
std::uint64_t valueAt(const jit::CodeSite& site, std::uintptr_t framePointer,
                      const abi::KeepaliveLocation& location);

/// Where whoever resumes the frame stores values that do not travel in registers; null where they do.
void* valueMemoryOf(const jit::CodeMap& map, const FramePosition& position);
/// The same of a frame that waits in a call, with these registers.
void* valueMemoryAt(const jit::CodeMap& map, const UnwindRegisters& registers);

}  // namespace gaur::runtime
