#include "vm/abi/native_arguments.h"

#include <algorithm>
#include <vector>

namespace gaur::abi {

using ir::TypeKind;

namespace {

constexpr std::uint64_t kWord = 8;
constexpr std::uint64_t kTwoWords = 16;
#if defined(__aarch64__)
constexpr unsigned kIntegerRegisters = 8;
/// Members of one floating-point type that travel in registers of their own.
constexpr std::size_t kMostHomogeneous = 4;
#else
constexpr unsigned kIntegerRegisters = 6;
#endif
constexpr unsigned kVectorRegisters = 8;

struct Member {
  const ir::Type* type;
  std::uint64_t offset;
};

bool isAggregate(const ir::Type* type) { return type->is(TypeKind::Struct) || type->is(TypeKind::Array); }
bool travelsAsVector(const ir::Type* type) {
  return type->is(TypeKind::Float) || type->is(TypeKind::Double) || type->is(TypeKind::Vector);
}

/// Counts registers and stack from left to right, as callers do.
class Counter {
 public:
  explicit Counter(LayoutTable& layouts) : layouts_(layouts) {}

  /// False where C has no such type.
  bool pass(const ir::Type* type) {
    const Layout& layout = layouts_.of(type);
    if (isAggregate(type)) return passAggregate(type, layout);
    if (type->is(TypeKind::Hybrid) || type->is(TypeKind::Void) || layout.size > kTwoWords) return false;
    if (travelsAsVector(type)) {
      take(0, 1, layout);
    } else {
      take(layout.size > kWord ? 2 : 1, 0, layout);
    }
    return true;
  }
  void passPointer() { ++integers_; }

  LastArgument last() const {
    const auto bytes = static_cast<std::uint32_t>((stack_ + kWord - 1) & ~(kWord - 1));
    return {integers_ < kIntegerRegisters ? integers_ : LastArgument::kOnStack, bytes};
  }

 private:
  /// In so many registers, all or none.
  void take(unsigned integers, unsigned vectors, const Layout& layout) {
#if defined(__aarch64__)
    // A pair begins at an even register; what does not fit leaves none to those behind it.
    if (integers == 2 && layout.alignment >= kTwoWords) integers_ = (integers_ + 1) & ~1U;
#endif
    if (integers_ + integers <= kIntegerRegisters && vectors_ + vectors <= kVectorRegisters) {
      integers_ += integers;
      vectors_ += vectors;
      return;
    }
#if defined(__aarch64__)
    (integers != 0 ? integers_ : vectors_) = integers != 0 ? kIntegerRegisters : kVectorRegisters;
#endif
    pushStack(layout);
  }
  void pushStack(const Layout& layout) {
    const std::uint64_t alignment = std::max<std::uint64_t>(kWord, layout.alignment);
    stack_ = ((stack_ + alignment - 1) & ~(alignment - 1)) + ((layout.size + kWord - 1) & ~(kWord - 1));
  }

  bool flatten(const ir::Type* type, std::uint64_t offset, std::vector<Member>& members) {
    const Layout& layout = layouts_.of(type);
    if (!isAggregate(type)) {
      members.push_back({type, offset});
      return !type->is(TypeKind::Vector);
    }
    const bool isStruct = type->is(TypeKind::Struct);
    const std::size_t count = isStruct ? type->elements.size() : type->length;
    for (std::size_t i = 0; i < count; ++i)
      if (!flatten(isStruct ? type->elements[i] : type->element(),
                   offset + (isStruct ? layout.offsets[i] : i * layout.stride), members))
        return false;
    return true;
  }

#if defined(__aarch64__)
  bool passAggregate(const ir::Type* type, const Layout& layout) {
    std::vector<Member> members;
    if (!flatten(type, 0, members)) return false;
    const bool isHomogeneous = !members.empty() && members.size() <= kMostHomogeneous &&
                               travelsAsVector(members[0].type) &&
                               std::all_of(members.begin(), members.end(),
                                           [&](const Member& m) { return m.type == members[0].type; });
    if (isHomogeneous) {
      take(0, static_cast<unsigned>(members.size()), layout);
    } else if (layout.size > kTwoWords) {
      Layout address{};
      address.size = address.alignment = kWord;
      take(1, 0, address);
    } else {
      take(static_cast<unsigned>((layout.size + kWord - 1) / kWord), 0, layout);
    }
    return true;
  }
#else
  bool passAggregate(const ir::Type* type, const Layout& layout) {
    std::vector<Member> members;
    if (!flatten(type, 0, members)) return false;
    if (layout.size > kTwoWords) {
      pushStack(layout);
      return true;
    }
    unsigned integers = 0;
    unsigned vectors = 0;
    for (std::uint64_t begin = 0; begin < layout.size; begin += kWord) {
      const bool isInteger = std::any_of(members.begin(), members.end(), [&](const Member& member) {
        return !travelsAsVector(member.type) && member.offset < begin + kWord &&
               member.offset + layouts_.of(member.type).size > begin;
      });
      ++(isInteger ? integers : vectors);
    }
    take(integers, vectors, layout);
    return true;
  }
#endif

  LayoutTable& layouts_;
  unsigned integers_ = 0;
  unsigned vectors_ = 0;
  std::uint64_t stack_ = 0;
};

}  // namespace

std::optional<LastArgument> lastArgument(LayoutTable& layouts, const ir::Signature& signature) {
  Counter counter(layouts);
#if !defined(__aarch64__)
  // The address of the memory for a result that does not travel in registers comes first.
  if (!signature.results.empty() && isAggregate(signature.results[0]) &&
      layouts.of(signature.results[0]).size > kTwoWords)
    counter.passPointer();
#endif
  for (const ir::Type* type : signature.parameters)
    if (!counter.pass(type)) return std::nullopt;
  return counter.last();
}

}  // namespace gaur::abi
