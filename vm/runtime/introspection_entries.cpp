// Work of the instructions about frames (vm/abi/runtime_entries.h): @uvm.meta.new_cursor to
// @uvm.meta.push_frame. A mistake is a guest failure.
#include <cstring>

#include "vm/abi/layout.h"
#include "vm/runtime/allocation.h"
#include "vm/runtime/frame_cursor.h"
#include "vm/runtime/guest_failure.h"
#include "vm/runtime/keepalives.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/osr.h"
#include "vm/runtime/thread.h"

using namespace gaur;
using namespace gaur::runtime;

namespace {

FrameCursor* cursorAt(void* object) { return static_cast<FrameCursor*>(object); }

template <class T>
T orFail(Result<T> result) {
  if (!result) failHere(result.error().message);
  if constexpr (!std::is_void_v<T>) return *result;
}

FrameIds idsAt(void* cursor) { return orFail(idsOf(*Thread::current(), cursorAt(cursor))); }

/// A new object that holds the value; null where there is no memory.
void* boxed(Thread& thread, const ir::Type* type, const void* value) {
  const abi::Layout& layout = abi::LayoutTable::shared().of(type);
  auto header = abi::ObjectHeader::make(type->index, layout.isWide());
  auto kind = layout.isPointerFree() ? abi::BlockKind::PointerFree : abi::BlockKind::Traced;
  void* box = allocateObject(thread, header, abi::blockBytes(layout.size, layout.isWide()), kind);
  if (box) std::memcpy(box, value, layout.size);
  return box;
}

}  // namespace

extern "C" {

void* gaur_newCursor(abi::StackObject* stack) { return orFail(newCursor(*Thread::current(), stack)); }
void gaur_nextFrame(void* cursor) { orFail(nextFrame(*Thread::current(), cursorAt(cursor))); }
void* gaur_copyCursor(void* cursor) { return orFail(copyCursor(*Thread::current(), cursorAt(cursor))); }
void gaur_closeCursor(void* cursor) { orFail(closeCursor(cursorAt(cursor))); }

std::uint32_t gaur_frameFunction(void* cursor) { return idsAt(cursor).function; }
std::uint32_t gaur_frameVersion(void* cursor) { return idsAt(cursor).version; }
std::uint32_t gaur_frameInstruction(void* cursor) { return idsAt(cursor).instruction; }

void* gaur_dumpKeepalives(void* cursor) {
  Thread& thread = *Thread::current();
  const FramePosition* position = orFail(frameOf(cursorAt(cursor)));
  auto values = readKeepalives(thread.vm(), *position);
  if (!values) failHere(values.error().message);
  // A hybrid<int<64> ref<void>>; it keeps the boxes alive while the next ones are made.
  auto* list =
      static_cast<std::uint64_t*>(allocateHybrid(thread, thread.vm().refsType()->index, values->size()));
  if (!list) failHere("out of memory");
  list[0] = values->size();
  for (std::size_t i = 0; i < values->size(); ++i) {
    void* box = boxed(thread, values->type(i), values->value(i));
    if (!box) failHere("out of memory");
    list[1 + i] = reinterpret_cast<std::uint64_t>(box);
  }
  return list;
}

void gaur_popFramesTo(void* cursor) { orFail(popFramesTo(*Thread::current(), cursorAt(cursor))); }

void gaur_pushFrame(abi::StackObject* stack, abi::FunctionRecord* function) {
  orFail(pushFrame(*Thread::current(), stack, function));
}

}  // extern "C"
