#include "vm/abi/value_passing.h"

#include <bit>

namespace gaur::abi {

using ir::TypeKind;

namespace {

constexpr std::uint64_t kWordBits = 64;

/// A vector whose lanes lie in a register as they lie in memory.
bool isRegisterVector(const ir::Type* type, const Layout& layout) {
  const ir::Type* lane = type->element();
  bool wholeBytes = !lane->is(TypeKind::Int) ||
                    (lane->length >= 8 && lane->length <= kWordBits && std::has_single_bit(lane->length));
  return layout.size <= 16 && std::has_single_bit(type->length) && wholeBytes;
}

bool travelsInRegister(const ir::Type* type, const Layout& layout, bool alone) {
  switch (type->kind) {
    case TypeKind::Struct:
    case TypeKind::Array: return false;
    case TypeKind::Vector: return alone && isRegisterVector(type, layout);
    case TypeKind::Int: return type->length <= (alone ? 2 * kWordBits : kWordBits);
    default: return true;
  }
}

}  // namespace

RegisterClass registerClassOf(const ir::Type* type) {
  switch (type->kind) {
    case TypeKind::Float:
    case TypeKind::Double:
    case TypeKind::Vector: return RegisterClass::Vector;
    case TypeKind::Int: return type->length > kWordBits ? RegisterClass::TwoWords : RegisterClass::Word;
    default: return RegisterClass::Word;
  }
}

bool travelInRegisters(LayoutTable& layouts, std::span<const ir::Type* const> types) {
  if (types.size() > 2) return false;
  for (const ir::Type* type : types)
    if (!travelsInRegister(type, layouts.of(type), types.size() == 1)) return false;
  return true;
}

bool nativeArgumentsInRegisters(LayoutTable& layouts, const ir::Signature& signature) {
  // Those of System V; AArch64 has more.
  int words = 6;
  int vectors = 8;
  for (const ir::Type* type : signature.results)
    if (type->is(TypeKind::Struct) || type->is(TypeKind::Array)) --words;
  for (const ir::Type* type : signature.parameters) {
    const Layout& layout = layouts.of(type);
    if (!travelsInRegister(type, layout, false) &&
        !(type->is(TypeKind::Vector) && isRegisterVector(type, layout)))
      return false;
    --(registerClassOf(type) == RegisterClass::Vector ? vectors : words);
  }
  return words >= 0 && vectors >= 0;
}

std::uint64_t memoryBytes(LayoutTable& layouts, std::span<const ir::Type* const> types) {
  std::uint64_t bytes = 0;
  for (const ir::Type* type : types) bytes += placeBytes(layouts.of(type));
  return bytes;
}

std::uint64_t writtenBytes(LayoutTable& layouts, std::span<const ir::Type* const> types) {
  if (types.empty()) return 0;
  return memoryBytes(layouts, types.first(types.size() - 1)) + layouts.of(types.back()).size;
}

}  // namespace gaur::abi
