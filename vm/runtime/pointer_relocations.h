// Fields of type uptr and ufuncptr that images are to give the address of a symbol to (add_ptr_reloc). The
// running machine takes no notice of them: this file alone decides which entries there are when an image is
// built.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gaur::runtime {

/// One field, and what it is to hold in a process that starts from an image.
struct PointerRelocation {
  std::uintptr_t field = 0;
  std::string symbol;
  std::int64_t addend = 0;
  /// NULL where the symbol does not exist; otherwise such a process does not start.
  bool isWeak = false;
  /// Where to look for the symbol first; empty for everywhere.
  std::string library;
};

/// As clients write a symbol: with ? behind its name it is weak.
inline PointerRelocation relocationTo(std::uintptr_t field, std::string_view symbol) {
  const bool isWeak = symbol.ends_with('?');
  return {field, std::string(symbol.substr(0, symbol.size() - (isWeak ? 1 : 0))), 0, isWeak, {}};
}

class PointerRelocations {
 public:
  PointerRelocations() = default;
  ~PointerRelocations();
  PointerRelocations(const PointerRelocations&) = delete;
  PointerRelocations& operator=(const PointerRelocations&) = delete;

  /// An earlier entry for the field is replaced. `object` is the object that the field is part of: the entry
  /// goes when it dies; null for a field of a global cell, which does not. Thread-safe.
  void add(const void* object, PointerRelocation relocation);
  /// What the image has that the machine started from: fields of its objects and cells, which are for ever.
  /// It is asked when entries() is, so that a start need not make them; entries that were added since replace
  /// them.
  using Source = std::function<std::vector<PointerRelocation>()>;
  void inherit(Source source);
  /// All entries, by address of the field. Thread-safe.
  std::vector<PointerRelocation> entries();

  /// As gc::RootProvider::afterMarking: other threads may be stopped in the middle of `add`.
  void afterMarking(bool (*isReachable)(const void* object));

 private:
  enum class State : std::uint8_t { Free, ForEver, Live, Dead };
  struct Entry {
    /// Written last where an entry comes into use, so that the collector, which may find it half made, sees
    /// whole ones.
    std::atomic<State> state{State::Free};
    const void* object = nullptr;
    PointerRelocation relocation;
  };
  struct Chunk {
    std::array<Entry, 64> entries;
    Chunk* next = nullptr;
  };

  Entry& freeEntry();
  /// Takes back the entries of objects that died.
  void sweep();

  std::mutex mutex_;
  std::vector<Source> inherited_;
  std::unordered_map<std::uintptr_t, Entry*> byField_;
  std::vector<Entry*> free_;
  std::atomic<Chunk*> chunks_{nullptr};
  std::atomic<bool> hasDead_{false};
};

}  // namespace gaur::runtime
