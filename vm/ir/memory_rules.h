// Which memory orders and types the operations on memory can have (chapters "Instruction set" and "Memory
// model"): one rule for the verifier and for the client interface.
#pragma once

#include <initializer_list>

#include "vm/ir/opcode.h"
#include "vm/ir/type.h"

namespace gaur::ir {

/// A set of memory orders.
class OrderSet {
 public:
  constexpr OrderSet(std::initializer_list<MemoryOrder> orders) {
    for (MemoryOrder order : orders) bits_ |= 1u << static_cast<unsigned>(order);
  }
  constexpr bool has(MemoryOrder order) const { return (bits_ >> static_cast<unsigned>(order) & 1) != 0; }

 private:
  unsigned bits_ = 0;
};

inline constexpr OrderSet kLoadOrders{MemoryOrder::NotAtomic, MemoryOrder::Relaxed, MemoryOrder::Consume,
                                      MemoryOrder::Acquire, MemoryOrder::SeqCst};
inline constexpr OrderSet kStoreOrders{MemoryOrder::NotAtomic, MemoryOrder::Relaxed, MemoryOrder::Release,
                                       MemoryOrder::SeqCst};
/// Of CMPXCHG that succeeds, and ATOMICRMW.
inline constexpr OrderSet kUpdateOrders{MemoryOrder::Relaxed, MemoryOrder::Acquire, MemoryOrder::Release,
                                        MemoryOrder::AcqRel, MemoryOrder::SeqCst};
/// Of CMPXCHG that fails.
inline constexpr OrderSet kFailureOrders{MemoryOrder::Relaxed, MemoryOrder::Acquire, MemoryOrder::SeqCst};
inline constexpr OrderSet kFenceOrders{MemoryOrder::Acquire, MemoryOrder::Release, MemoryOrder::AcqRel,
                                       MemoryOrder::SeqCst};

/// One machine word or a power-of-two part of it.
inline bool isWordInt(const Type* type) {
  return type->is(TypeKind::Int) &&
         (type->length == 8 || type->length == 16 || type->length == 32 || type->length == 64);
}
/// References, pointers and tagged references: one word, exchanged as a whole.
inline bool isWordReference(const Type* type) {
  return isGeneralReference(type) || isRawPointer(type) || type->is(TypeKind::Weakref) ||
         type->is(TypeKind::Tagref64);
}
/// What CMPXCHG and XCHG take.
inline bool isExchangeable(const Type* type) { return isWordInt(type) || isWordReference(type); }
/// What atomic loads and stores take.
inline bool isAtomic(const Type* type) { return isExchangeable(type) || isFloating(type); }

}  // namespace gaur::ir
