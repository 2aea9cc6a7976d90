// What an image must treat word by word: abi::GcMap knows what the collector looks at; this also knows
// functions and raw pointers, and tells kinds of references apart that are one to the collector.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "vm/ir/type.h"

namespace gaur::bootimage {

enum class WordKind : std::uint8_t {
  Ref,
  Iref,
  Weakref,
  Tagref,
  Funcref,
  Uptr,
  Ufuncptr,
  Stackref,
  /// References that no image can hold: threads, frame cursors, IR builders.
  Opaque,
};
/// "ref", "weakref", ... for messages.
const char* text(WordKind kind);

struct WordMap {
  struct Word {
    std::uint64_t offset;
    WordKind kind;
  };
  /// `count` copies of `element`, `stride` bytes apart.
  struct Repeat {
    std::uint64_t offset;
    std::uint64_t count;
    std::uint64_t stride;
    const WordMap* element;
  };
  std::vector<Word> words;
  std::vector<Repeat> repeats;
  bool isEmpty() const { return words.empty() && repeats.empty(); }
};

/// Calls f(word, WordKind) for every word of the map in the memory at `base`, a pointer to std::byte or to
/// const of it; likewise the word's.
template <class Byte, class F>
void forEachWord(const WordMap& map, Byte* base, F&& f) {
  using Memory = std::conditional_t<std::is_const_v<Byte>, const std::uint64_t, std::uint64_t>;
  for (const WordMap::Word& word : map.words) f(reinterpret_cast<Memory*>(base + word.offset), word.kind);
  for (const WordMap::Repeat& repeat : map.repeats)
    for (std::uint64_t i = 0; i < repeat.count; ++i)
      forEachWord(*repeat.element, base + repeat.offset + i * repeat.stride, f);
}

/// The maps of types, made when they are first asked for. Not thread-safe.
class WordMaps {
 public:
  /// Of an object: the fixed part, and for hybrids an element of the variable part.
  struct ObjectMap {
    WordMap fixed;
    const WordMap* variable = nullptr;
    std::uint64_t fixedBytes = 0;
    std::uint64_t stride = 0;
    bool isEmpty() const { return fixed.isEmpty() && (!variable || variable->isEmpty()); }
  };
  /// Requires: a verified type.
  const ObjectMap& of(const ir::Type* type);

 private:
  std::unordered_map<const ir::Type*, ObjectMap> maps_;
};

/// The way to a word in an object of the type, `offset` bytes from field 0: ".1[5].0", indexes of fields and
/// of elements; for a hybrid's variable part the element alone.
std::string fieldPath(const ir::Type* type, std::uint64_t offset);

}  // namespace gaur::bootimage
