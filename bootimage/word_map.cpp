#include "bootimage/word_map.h"

#include <fmt/format.h>

#include "vm/abi/layout.h"

namespace gaur::bootimage {

using ir::Type;
using ir::TypeKind;

namespace {

/// Arrays with more words become repeats.
constexpr std::uint64_t kUnrolledWords = 64;

void append(WordMap& map, const WordMap& part, std::uint64_t offset) {
  for (WordMap::Word word : part.words) map.words.push_back({word.offset + offset, word.kind});
  for (WordMap::Repeat repeat : part.repeats) {
    repeat.offset += offset;
    map.repeats.push_back(repeat);
  }
}

}  // namespace

const char* text(WordKind kind) {
  switch (kind) {
    case WordKind::Ref: return "ref";
    case WordKind::Iref: return "iref";
    case WordKind::Weakref: return "weakref";
    case WordKind::Tagref: return "tagref64";
    case WordKind::Funcref: return "funcref";
    case WordKind::Uptr: return "uptr";
    case WordKind::Ufuncptr: return "ufuncptr";
    case WordKind::Stackref: return "stackref";
    case WordKind::Opaque: return "opaque reference";
  }
  return "";
}

const WordMaps::ObjectMap& WordMaps::of(const Type* type) {
  if (auto found = maps_.find(type); found != maps_.end()) return found->second;
  const abi::Layout& layout = abi::LayoutTable::shared().of(type);
  ObjectMap made;
  made.fixedBytes = layout.size;
  WordMap& words = made.fixed;
  auto word = [&](WordKind kind) { words.words.push_back({0, kind}); };
  auto fields = [&](std::span<const Type* const> types) {
    for (std::size_t i = 0; i < types.size(); ++i) append(words, of(types[i]).fixed, layout.offsets[i]);
  };
  switch (type->kind) {
    case TypeKind::Ref: word(WordKind::Ref); break;
    case TypeKind::Iref: word(WordKind::Iref); break;
    case TypeKind::Weakref: word(WordKind::Weakref); break;
    case TypeKind::Tagref64: word(WordKind::Tagref); break;
    case TypeKind::Funcref: word(WordKind::Funcref); break;
    case TypeKind::Uptr: word(WordKind::Uptr); break;
    case TypeKind::Ufuncptr: word(WordKind::Ufuncptr); break;
    case TypeKind::Stackref: word(WordKind::Stackref); break;
    case TypeKind::Threadref:
    case TypeKind::Framecursorref:
    case TypeKind::Irbuilderref: word(WordKind::Opaque); break;
    case TypeKind::Int:
    case TypeKind::Float:
    case TypeKind::Double:
    case TypeKind::Void: break;
    case TypeKind::Struct: fields(type->elements); break;
    case TypeKind::Hybrid:
      fields(type->fixedFields());
      made.stride = layout.stride;
      made.variable = &of(type->variablePart()).fixed;
      break;
    case TypeKind::Array:
    case TypeKind::Vector: {
      const WordMap& element = of(type->element()).fixed;
      if (element.isEmpty() || type->length == 0) break;
      if (element.repeats.empty() && type->length <= kUnrolledWords / element.words.size()) {
        for (std::uint64_t i = 0; i < type->length; ++i) append(words, element, i * layout.stride);
      } else {
        words.repeats.push_back({0, type->length, layout.stride, &element});
      }
      break;
    }
  }
  // Types nest by value to a finite depth, and entries of the table stay where they are.
  return maps_.emplace(type, std::move(made)).first->second;
}

std::string fieldPath(const Type* type, std::uint64_t offset) {
  std::string path;
  for (;;) {
    const abi::Layout& layout = abi::LayoutTable::shared().of(type);
    bool isSequence = type->is(TypeKind::Array) || type->is(TypeKind::Vector);
    bool inVariablePart = type->is(TypeKind::Hybrid) && offset >= layout.size;
    if (isSequence || inVariablePart) {
      if (inVariablePart) offset -= layout.size;
      if (layout.stride == 0) return path;
      path += fmt::format("[{}]", offset / layout.stride);
      offset %= layout.stride;
      type = inVariablePart ? type->variablePart() : type->element();
    } else if (type->is(TypeKind::Struct) || type->is(TypeKind::Hybrid)) {
      if (layout.offsets.empty()) return path;
      std::size_t field = layout.offsets.size() - 1;
      while (field > 0 && layout.offsets[field] > offset) --field;
      path += fmt::format(".{}", field);
      offset -= layout.offsets[field];
      type = type->elements[field];
    } else {
      return path;
    }
  }
}

}  // namespace gaur::bootimage
