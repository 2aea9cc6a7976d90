// Allocation, addressing and access of memory, with the rules of the instructions of the same names.
#include <cstring>

#include "api/context.h"
#include "vm/abi/object.h"
#include "vm/abi/runtime_entries.h"

namespace gaur::api {

using ir::MemoryOrder;
using ir::RmwOperator;
using ir::TypeKind;

// --- Allocation --------------------------------------------------------------------------------------

Result<MuValue> Context::newFixed(MuID id) {
  GAUR_TRY_ASSIGN(const ir::TypeDef* definition, entity<ir::TypeDef>(id));
  const ir::Type* type = definition->type;
  if (type->is(TypeKind::Hybrid))
    return makeError(ErrorId::ApiTypeKind,
                     {ir::describe(*definition), ir::toString(type), "a type of fixed size"});
  const abi::Layout& layout = machine_.layoutOf(type);
  std::uint64_t payload = 0;
  void* object = nullptr;
  if (layout.payload(0, payload)) {
    const auto kind = layout.isPointerFree() ? abi::BlockKind::PointerFree : abi::BlockKind::Traced;
    object = gaur_allocate(abi::ObjectHeader::make(type->index, layout.isWide()).bits(),
                           abi::blockBytes(payload, layout.isWide()), static_cast<std::uint32_t>(kind));
  }
  if (!object) return makeError(ErrorId::OutOfMemory, {"an object of type " + ir::toString(type)});
  return add(types().ref(type), object);
}

Result<MuValue> Context::newHybrid(MuID id, MuValue length) {
  GAUR_TRY_ASSIGN(const ir::Type* type, typeWithId(id, TypeKind::Hybrid));
  GAUR_TRY_ASSIGN(const Handle* number, operand(length, "length", TypeKind::Int));
  machine_.layoutOf(type);
  void* object = gaur_allocateHybrid(type->index, unsignedNumber(*number));
  if (!object)
    return makeError(ErrorId::OutOfMemory, {"a " + ir::toString(type) + " with " +
                                            std::to_string(unsignedNumber(*number)) + " elements"});
  return add(types().ref(type), object);
}

// --- Addressing --------------------------------------------------------------------------------------

Result<MuValue> Context::getIref(MuValue ref) {
  GAUR_TRY_ASSIGN(const Handle* reference, operand(ref, "opnd", TypeKind::Ref));
  if (!reference->address()) return makeError(ErrorId::ApiNullReference, {"opnd"});
  return add(types().iref(reference->type()->referent()), reference->word());
}

Result<Context::Location> Context::location(MuValue iref) const {
  GAUR_TRY_ASSIGN(const Handle* reference, operand(iref, "the location", TypeKind::Iref));
  if (!reference->address()) return makeError(ErrorId::ApiNullReference, {"the location"});
  return Location{reference->type()->referent(), static_cast<char*>(reference->address())};
}

Result<MuValue> Context::getFieldIref(MuValue iref, int field) {
  GAUR_TRY_ASSIGN(Location whole, location(iref));
  const bool isHybrid = whole.type->is(TypeKind::Hybrid);
  if (!isHybrid && !whole.type->is(TypeKind::Struct))
    return makeError(ErrorId::ApiAccessType, {ir::toString(whole.type), "fields"});
  const std::size_t count = isHybrid ? whole.type->fixedFields().size() : whole.type->elements.size();
  if (field < 0 || static_cast<std::size_t>(field) >= count)
    return makeError(ErrorId::ApiField,
                     {ir::toString(whole.type), std::to_string(count), std::to_string(field)});
  const auto index = static_cast<std::size_t>(field);
  return add(types().iref(whole.type->elements[index]),
             whole.address + machine_.layoutOf(whole.type).offsets[index]);
}

Result<MuValue> Context::getElemIref(MuValue iref, MuValue index) {
  GAUR_TRY_ASSIGN(Location whole, location(iref));
  if (!whole.type->is(TypeKind::Array) && !whole.type->is(TypeKind::Vector))
    return makeError(ErrorId::ApiAccessType, {ir::toString(whole.type), "elements"});
  GAUR_TRY_ASSIGN(const Handle* number, operand(index, "index", TypeKind::Int));
  const auto stride = static_cast<std::int64_t>(machine_.layoutOf(whole.type).stride);
  return add(types().iref(whole.type->element()), whole.address + signedWord(*number) * stride);
}

Result<MuValue> Context::shiftIref(MuValue iref, MuValue offset) {
  GAUR_TRY_ASSIGN(Location element, location(iref));
  if (element.type->is(TypeKind::Void) || element.type->is(TypeKind::Hybrid))
    return makeError(ErrorId::ApiAccessType, {ir::toString(element.type), "neighbours"});
  GAUR_TRY_ASSIGN(const Handle* number, operand(offset, "offset", TypeKind::Int));
  const auto stride = static_cast<std::int64_t>(machine_.layoutOf(element.type).size);
  return add(types().iref(element.type), element.address + signedWord(*number) * stride);
}

Result<MuValue> Context::getVarPartIref(MuValue iref) {
  GAUR_TRY_ASSIGN(Location whole, location(iref));
  if (!whole.type->is(TypeKind::Hybrid))
    return makeError(ErrorId::ApiAccessType, {ir::toString(whole.type), "variable part"});
  return add(types().iref(whole.type->variablePart()), whole.address + machine_.layoutOf(whole.type).size);
}

// --- Access ------------------------------------------------------------------------------------------

Result<MemoryOrder> memoryOrder(MuMemOrd number, const ir::OrderSet& legal) {
  if (number > static_cast<MuMemOrd>(MemoryOrder::SeqCst))
    return makeError(ErrorId::ApiOperation, {"memory order", std::to_string(number)});
  const auto order = static_cast<MemoryOrder>(number);
  if (!legal.has(order)) return makeError(ErrorId::ApiOrder, {ir::text(order)});
  return order;
}

namespace {

int nativeOrder(MemoryOrder order) {
  switch (order) {
    case MemoryOrder::NotAtomic:
    case MemoryOrder::Relaxed: return __ATOMIC_RELAXED;
    case MemoryOrder::Consume:
    case MemoryOrder::Acquire: return __ATOMIC_ACQUIRE;
    case MemoryOrder::Release: return __ATOMIC_RELEASE;
    case MemoryOrder::AcqRel: return __ATOMIC_ACQ_REL;
    case MemoryOrder::SeqCst: return __ATOMIC_SEQ_CST;
  }
  GAUR_UNREACHABLE("no such operator");
}

/// Calls f with a null pointer to the unsigned type of this many bytes, 1 to 8.
template <class F>
auto withWordOf(std::uint64_t bytes, F f) {
  switch (bytes) {
    case 1: return f(static_cast<std::uint8_t*>(nullptr));
    case 2: return f(static_cast<std::uint16_t*>(nullptr));
    case 4: return f(static_cast<std::uint32_t*>(nullptr));
    default: return f(static_cast<std::uint64_t*>(nullptr));
  }
}

std::uint64_t atomicLoad(const char* address, std::uint64_t bytes, int order) {
  return withWordOf(bytes, [&](auto* word) -> std::uint64_t {
    return __atomic_load_n(reinterpret_cast<const std::remove_pointer_t<decltype(word)>*>(address), order);
  });
}

void atomicStore(char* address, std::uint64_t bytes, std::uint64_t value, int order) {
  withWordOf(bytes, [&](auto* word) {
    using Word = std::remove_pointer_t<decltype(word)>;
    __atomic_store_n(reinterpret_cast<Word*>(address), static_cast<Word>(value), order);
  });
}

template <class Word>
Word updated(RmwOperator operation, Word old, Word value) {
  using Signed = std::make_signed_t<Word>;
  const bool isLess = static_cast<Signed>(old) < static_cast<Signed>(value);
  switch (operation) {
    case RmwOperator::Xchg: return value;
    case RmwOperator::Add: return static_cast<Word>(old + value);
    case RmwOperator::Sub: return static_cast<Word>(old - value);
    case RmwOperator::And: return old & value;
    case RmwOperator::Nand: return static_cast<Word>(~(old & value));
    case RmwOperator::Or: return old | value;
    case RmwOperator::Xor: return old ^ value;
    case RmwOperator::Max: return isLess ? value : old;
    case RmwOperator::Min: return isLess ? old : value;
    case RmwOperator::UMax: return old < value ? value : old;
    case RmwOperator::UMin: return old < value ? old : value;
  }
  GAUR_UNREACHABLE("no such operator");
}

/// Orders are always SEQ_CST, which is at least what is asked for.
std::uint64_t atomicUpdate(char* address, std::uint64_t bytes, RmwOperator operation, std::uint64_t value) {
  return withWordOf(bytes, [&](auto* word) -> std::uint64_t {
    using Word = std::remove_pointer_t<decltype(word)>;
    auto* place = reinterpret_cast<Word*>(address);
    Word old = __atomic_load_n(place, __ATOMIC_SEQ_CST);
    while (!__atomic_compare_exchange_n(place, &old, updated(operation, old, static_cast<Word>(value)), true,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    }
    return old;
  });
}

}  // namespace

Result<Context::Location> Context::cell(MuValue iref) const {
  GAUR_TRY_ASSIGN(Location place, location(iref));
  if (ir::isSsa(types().strong(place.type))) return place;
  return makeError(ErrorId::ApiAccessType, {ir::toString(place.type), "value"});
}

Result<const Handle*> Context::storable(MuValue value, std::string_view name, const ir::Type* type) const {
  GAUR_TRY_ASSIGN(const Handle* handle, operand(value, name));
  const ir::Type* wanted = types().strong(type);
  const ir::Type* actual = handle->type();
  // A reference to void is a reference to anything.
  const bool isUniversal = wanted->kind == actual->kind &&
                           (wanted->is(TypeKind::Ref) || wanted->is(TypeKind::Iref)) &&
                           (wanted->referent()->is(TypeKind::Void) || actual->referent()->is(TypeKind::Void));
  if (isUniversal || ir::accepts(wanted, actual)) return handle;
  return makeError(ErrorId::ApiKind, {name, ir::toString(actual), ir::toString(wanted)});
}

Result<MuValue> Context::load(MuMemOrd order, MuValue iref) {
  GAUR_TRY_ASSIGN(Location place, cell(iref));
  GAUR_TRY_ASSIGN(MemoryOrder wanted, memoryOrder(order, ir::kLoadOrders));
  if (place.type->is(TypeKind::Weakref))
    return add(types().strong(place.type), gaur_weakLoad(reinterpret_cast<std::uint64_t*>(place.address)));
  const abi::Layout& layout = machine_.layoutOf(place.type);
  if (ir::isAtomic(place.type))
    return handles_.add(layout, atomicLoad(place.address, layout.size, nativeOrder(wanted)));
  if (wanted != MemoryOrder::NotAtomic)
    return makeError(ErrorId::ApiAccessType, {ir::toString(place.type), "atomic load"});
  return handles_.add(layout, place.address);
}

Result<void> Context::store(MuMemOrd order, MuValue iref, MuValue value) {
  GAUR_TRY_ASSIGN(Location place, cell(iref));
  GAUR_TRY_ASSIGN(MemoryOrder wanted, memoryOrder(order, ir::kStoreOrders));
  GAUR_TRY_ASSIGN(const Handle* stored, storable(value, "newval", place.type));
  const abi::Layout& layout = machine_.layoutOf(place.type);
  if (place.type->is(TypeKind::Weakref)) {
    gaur_weakStore(reinterpret_cast<std::uint64_t*>(place.address), stored->address());
  } else if (ir::isAtomic(place.type)) {
    atomicStore(place.address, layout.size, lowWord(*stored), nativeOrder(wanted));
  } else if (wanted != MemoryOrder::NotAtomic) {
    return makeError(ErrorId::ApiAccessType, {ir::toString(place.type), "atomic store"});
  } else {
    std::memcpy(place.address, stored->bytes(), layout.size);
  }
  return {};
}

Result<MuValue> Context::cmpxchg(MuMemOrd success, MuMemOrd failure, MuBool, MuValue iref, MuValue expected,
                                 MuValue desired, MuBool* isSuccess) {
  GAUR_TRY_ASSIGN(Location place, cell(iref));
  GAUR_TRY(memoryOrder(success, ir::kUpdateOrders));
  GAUR_TRY(memoryOrder(failure, ir::kFailureOrders));
  if (!ir::isExchangeable(place.type))
    return makeError(ErrorId::ApiAccessType, {ir::toString(place.type), "compare and exchange"});
  if (!isSuccess) return makeError(ErrorId::ApiNull, {"is_succ"});
  GAUR_TRY_ASSIGN(const Handle* old, storable(expected, "expected", place.type));
  GAUR_TRY_ASSIGN(const Handle* replacement, storable(desired, "desired", place.type));
  if (place.type->is(TypeKind::Weakref)) {
    std::uint8_t succeeded = 0;
    void* found = gaur_weakCompareExchange(reinterpret_cast<std::uint64_t*>(place.address), old->address(),
                                           replacement->address(), &succeeded);
    *isSuccess = succeeded;
    return add(types().strong(place.type), found);
  }
  const abi::Layout& layout = machine_.layoutOf(place.type);
  const std::uint64_t found = withWordOf(layout.size, [&](auto* word) -> std::uint64_t {
    using Word = std::remove_pointer_t<decltype(word)>;
    auto was = static_cast<Word>(lowWord(*old));
    *isSuccess = __atomic_compare_exchange_n(reinterpret_cast<Word*>(place.address), &was,
                                             static_cast<Word>(lowWord(*replacement)), false,
                                             __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return was;
  });
  return handles_.add(layout, found);
}

Result<MuValue> Context::atomicRmw(MuMemOrd order, MuAtomicRMWOptr operation, MuValue iref, MuValue value) {
  GAUR_TRY_ASSIGN(Location place, cell(iref));
  GAUR_TRY(memoryOrder(order, ir::kUpdateOrders));
  if (operation > static_cast<MuAtomicRMWOptr>(RmwOperator::UMin))
    return makeError(ErrorId::ApiOperation, {"operation of atomicrmw", std::to_string(operation)});
  const auto wanted = static_cast<RmwOperator>(operation);
  const bool fits = wanted == RmwOperator::Xchg ? ir::isExchangeable(place.type) : ir::isWordInt(place.type);
  if (!fits)
    return makeError(ErrorId::ApiAccessType,
                     {ir::toString(place.type), std::string("atomic ") + std::string(ir::text(wanted))});
  GAUR_TRY_ASSIGN(const Handle* stored, storable(value, "opnd", place.type));
  if (place.type->is(TypeKind::Weakref))
    return add(types().strong(place.type),
               gaur_weakExchange(reinterpret_cast<std::uint64_t*>(place.address), stored->address()));
  const abi::Layout& layout = machine_.layoutOf(place.type);
  return handles_.add(layout, atomicUpdate(place.address, layout.size, wanted, lowWord(*stored)));
}

Result<void> Context::fence(MuMemOrd order) {
  GAUR_TRY_ASSIGN(MemoryOrder wanted, memoryOrder(order, ir::kFenceOrders));
  __atomic_thread_fence(nativeOrder(wanted));
  return {};
}

}  // namespace gaur::api
