// The handles of one context: typed values in chunks that grow, named by opaque words. A handle's word has
// its place, how often that place was used before, and the tag of the context, so that any word a client
// passes can be told to be good or not without following it.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "api/mu/muapi.h"
#include "gc/roots.h"
#include "vm/abi/layout.h"

namespace gaur::api {

/// A value of some type, in the form it has in memory.
class Handle {
 public:
  const ir::Type* type() const { return layout_->type; }
  const abi::Layout& layout() const { return *layout_; }
  void* bytes() { return layout_->size <= kInlineBytes ? inline_ : memory_; }
  const void* bytes() const { return const_cast<Handle*>(this)->bytes(); }
  /// Requires: a value of 8 bytes.
  std::uint64_t word() const { return word_; }
  void* address() const { return reinterpret_cast<void*>(word_); }

 private:
  friend class HandleTable;
  static constexpr std::size_t kInlineBytes = 16;

  /// Null where the handle is free.
  const abi::Layout* layout_;
  std::uint16_t generation_;
  std::uint32_t nextFree_;
  union {
    alignas(16) unsigned char inline_[kInlineBytes];
    std::uint64_t word_;
    /// Of values that do not fit.
    void* memory_;
  };
};
static_assert(sizeof(Handle) == 32);

/// Used by one thread at a time; the collector may look at it whenever threads are stopped.
class HandleTable {
 public:
  HandleTable() = default;
  ~HandleTable();
  HandleTable(const HandleTable&) = delete;
  HandleTable& operator=(const HandleTable&) = delete;

  /// Begins a life of the table, in which it names its handles with this tag, not 0.
  void open(std::uint16_t tag) { tag_ = tag; }
  /// Gives all handles up.
  void clear();

  /// A new handle with a copy of the value. Throws std::bad_alloc.
  MuValue add(const abi::Layout& layout, const void* value);
  /// The same for a value that fills one word.
  MuValue add(const abi::Layout& layout, std::uint64_t word);
  /// A new handle with zeros, and where its bytes are.
  MuValue addZero(const abi::Layout& layout, void*& bytes);

  /// Null where the word is no handle of this table.
  Handle* find(MuValue value) const {
    auto word = reinterpret_cast<std::uintptr_t>(value);
    if (static_cast<std::uint16_t>(word >> kTagShift) != tag_) return nullptr;
    auto index = static_cast<std::uint32_t>(word);
    if (index >= used_) return nullptr;
    Handle& handle = at(index);
    bool isGood =
        handle.layout_ && handle.generation_ == static_cast<std::uint16_t>(word >> kGenerationShift);
    return isGood ? &handle : nullptr;
  }
  /// Requires: found under this word.
  void remove(MuValue value, Handle& handle);

  /// In a collection.
  void push(gc::RootSink& sink) const;

 private:
  // A word: tag, generation, index.
  static constexpr unsigned kGenerationShift = 32;
  static constexpr unsigned kTagShift = 48;
  // Chunk n has 64 << n handles.
  static constexpr unsigned kFirstShift = 6;
  static constexpr unsigned kChunks = 26;
  static constexpr std::uint32_t kNoIndex = ~std::uint32_t{0};

  static unsigned chunkOf(std::uint32_t index) {
    return static_cast<unsigned>(std::bit_width((index >> kFirstShift) + 1)) - 1;
  }
  static std::uint32_t firstOf(unsigned chunk) { return ((1u << chunk) - 1) << kFirstShift; }
  Handle& at(std::uint32_t index) const {
    unsigned chunk = chunkOf(index);
    return chunks_[chunk][index - firstOf(chunk)];
  }
  std::uint32_t take();
  MuValue publish(std::uint32_t index, const abi::Layout& layout);

  std::uint16_t tag_ = 0;
  std::uint32_t used_ = 0;
  std::uint32_t firstFree_ = kNoIndex;
  std::array<Handle*, kChunks> chunks_{};
};

}  // namespace gaur::api
