#include "api/handle_table.h"

#include <cstdlib>
#include <cstring>
#include <new>

namespace gaur::api {

namespace {

/// The collector stops this thread between any two instructions: what it sees must be complete.
void inOrder() { std::atomic_signal_fence(std::memory_order_seq_cst); }

}  // namespace

HandleTable::~HandleTable() {
  clear();
  std::free(chunks_[0]);
}

void HandleTable::clear() {
  const std::uint32_t used = used_;
  for (std::uint32_t i = 0; i < used; ++i) {
    Handle& handle = at(i);
    if (!handle.layout_) continue;
    const bool isOutside = handle.layout_->size > Handle::kInlineBytes;
    handle.layout_ = nullptr;
    inOrder();
    if (isOutside) std::free(handle.memory_);
  }
  used_ = 0;
  firstFree_ = kNoIndex;
  inOrder();
  // The first chunk stays: most contexts need no more.
  const unsigned last = used == 0 ? 0 : chunkOf(used - 1);
  for (unsigned i = 1; i <= last; ++i) {
    std::free(chunks_[i]);
    chunks_[i] = nullptr;
  }
}

std::uint32_t HandleTable::take() {
  if (firstFree_ != kNoIndex) {
    const std::uint32_t index = firstFree_;
    firstFree_ = at(index).nextFree_;
    return index;
  }
  const std::uint32_t index = used_;
  const unsigned chunk = chunkOf(index);
  if (chunk >= kChunks) throw std::bad_alloc();
  if (!chunks_[chunk]) {
    void* memory = std::calloc(std::size_t{1} << (kFirstShift + chunk), sizeof(Handle));
    if (!memory) throw std::bad_alloc();
    chunks_[chunk] = static_cast<Handle*>(memory);
  }
  at(index).layout_ = nullptr;
  inOrder();
  used_ = index + 1;
  return index;
}

MuValue HandleTable::publish(std::uint32_t index, const abi::Layout& layout) {
  Handle& handle = at(index);
  inOrder();
  handle.layout_ = &layout;
  std::uintptr_t word =
      std::uintptr_t{tag_} << kTagShift | std::uintptr_t{handle.generation_} << kGenerationShift | index;
  return reinterpret_cast<MuValue>(word);
}

MuValue HandleTable::add(const abi::Layout& layout, std::uint64_t word) {
  const std::uint32_t index = take();
  at(index).word_ = word;
  return publish(index, layout);
}

MuValue HandleTable::add(const abi::Layout& layout, const void* value) {
  void* bytes = nullptr;
  // References that are in neither place while they are copied are still in the caller's.
  MuValue handle = addZero(layout, bytes);
  std::memcpy(bytes, value, layout.size);
  return handle;
}

MuValue HandleTable::addZero(const abi::Layout& layout, void*& bytes) {
  void* outside = nullptr;
  if (layout.size > Handle::kInlineBytes && !(outside = std::calloc(1, layout.size))) throw std::bad_alloc();
  std::uint32_t index = 0;
  try {
    index = take();
  } catch (...) {
    std::free(outside);
    throw;
  }
  Handle& handle = at(index);
  std::memset(handle.inline_, 0, sizeof handle.inline_);
  if (outside) handle.memory_ = outside;
  bytes = outside ? outside : handle.inline_;
  return publish(index, layout);
}

void HandleTable::remove(MuValue value, Handle& handle) {
  const bool isOutside = handle.layout_->size > Handle::kInlineBytes;
  handle.layout_ = nullptr;
  inOrder();
  if (isOutside) std::free(handle.memory_);
  ++handle.generation_;
  handle.nextFree_ = firstFree_;
  firstFree_ = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(value));
}

void HandleTable::push(gc::RootSink& sink) const {
  for (std::uint32_t i = 0; i < used_; ++i) {
    Handle& handle = at(i);
    if (handle.layout_ && !handle.layout_->map.isEmpty()) sink.cell(handle.layout_->map, handle.bytes());
  }
}

}  // namespace gaur::api
