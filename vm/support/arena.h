// Bump allocation for objects that die together (the entities of one bundle). Destructors never run, so only
// trivially destructible things may live here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gaur {

class Arena {
 public:
  Arena() = default;
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  void* allocate(std::size_t size, std::size_t alignment) {
    std::uintptr_t start = (cursor_ + alignment - 1) & ~(std::uintptr_t{alignment} - 1);
    if (start + size > end_) return allocateSlow(size, alignment);
    cursor_ = start + size;
    return reinterpret_cast<void*>(start);
  }

  template <class T, class... Args>
  T* make(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (allocate(sizeof(T), alignof(T))) T{std::forward<Args>(args)...};
  }

  /// A value-initialised array.
  template <class T>
  std::span<T> makeArray(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (count == 0) return {};
    T* data = static_cast<T*>(allocate(sizeof(T) * count, alignof(T)));
    for (std::size_t i = 0; i < count; ++i) new (data + i) T{};
    return {data, count};
  }

  template <class T>
  std::span<T> copy(std::span<const T> source) {
    auto array = makeArray<T>(source.size());
    for (std::size_t i = 0; i < source.size(); ++i) array[i] = source[i];
    return array;
  }

  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* data = static_cast<char*>(allocate(text.size(), 1));
    std::memcpy(data, text.data(), text.size());
    return {data, text.size()};
  }

  /// Bytes taken from the system.
  std::size_t bytes() const { return bytes_; }
  /// Calls f(begin, bytes) for all memory that is in use.
  template <class F>
  void forEachChunk(F&& f) const {
    for (const Chunk& chunk : chunks_) f(chunk.memory.get(), chunk.bytes);
  }

 private:
  void* allocateSlow(std::size_t size, std::size_t alignment);

  std::uintptr_t cursor_ = 0;
  std::uintptr_t end_ = 0;
  std::size_t bytes_ = 0;
  struct Chunk {
    std::unique_ptr<std::byte[]> memory;
    std::size_t bytes;
  };
  std::vector<Chunk> chunks_;
};

}  // namespace gaur
