// From C values and program entities to handles, and back.
#include <bit>
#include <cstring>
#include <vector>

#include "api/context.h"
#include "vm/runtime/global_value.h"

namespace gaur::api {

using ir::TypeKind;

namespace {

constexpr unsigned kWordBits = 64;
constexpr std::uint64_t kAllBits = ~std::uint64_t{0};

constexpr std::uint64_t lowMask(std::uint64_t bits) {
  return bits >= kWordBits ? kAllBits : (std::uint64_t{1} << bits) - 1;
}

}  // namespace

// --- Integers ----------------------------------------------------------------------------------------

Result<const abi::Layout*> Context::intLayout(int bits) {
  if (bits >= 1 && static_cast<std::uint64_t>(bits) <= ir::kMaxIntBits)
    return &machine_.intLayout(static_cast<std::uint64_t>(bits));
  return makeError(ErrorId::ApiIntLength, {std::to_string(bits), std::to_string(ir::kMaxIntBits)});
}

Result<MuValue> Context::handleFromWord(std::uint64_t word, std::uint64_t high, int bits) {
  GAUR_TRY_ASSIGN(const abi::Layout* layout, intLayout(bits));
  const auto length = static_cast<std::uint64_t>(bits);
  if (length <= kWordBits) return handles_.add(*layout, word & lowMask(length));
  std::vector<std::uint64_t> words((length + kWordBits - 1) / kWordBits, high);
  words[0] = word;
  return handleFromWords(words.data(), words.size(), bits);
}

Result<MuValue> Context::handleFromWords(std::uint64_t* words, MuArraySize count, int bits) {
  GAUR_TRY_ASSIGN(const abi::Layout* layout, intLayout(bits));
  if (!words && count != 0) return makeError(ErrorId::ApiNull, {"nums"});
  const auto length = static_cast<std::uint64_t>(bits);
  void* bytes = nullptr;
  MuValue handle = handles_.addZero(*layout, bytes);
  for (std::uint64_t i = 0; i < count && i * kWordBits < length; ++i) {
    const std::uint64_t word = words[i] & lowMask(length - i * kWordBits);
    std::memcpy(static_cast<char*>(bytes) + i * sizeof word, &word,
                std::min<std::uint64_t>(sizeof word, layout->size));
  }
  return handle;
}

std::uint64_t Context::lowWord(const Handle& number) {
  std::uint64_t word = 0;
  std::memcpy(&word, number.bytes(), std::min<std::uint64_t>(sizeof word, number.layout().size));
  return word;
}

std::int64_t Context::signedWord(const Handle& number) {
  const std::uint64_t bits = number.type()->length;
  const std::uint64_t word = lowWord(number);
  if (bits >= kWordBits) return static_cast<std::int64_t>(word);
  const unsigned shift = kWordBits - static_cast<unsigned>(bits);
  return static_cast<std::int64_t>(word << shift) >> shift;
}

std::uint64_t Context::unsignedNumber(const Handle& number) {
  const auto* bytes = static_cast<const unsigned char*>(number.bytes());
  for (std::uint64_t i = sizeof(std::uint64_t); i < number.layout().size; ++i)
    if (bytes[i] != 0) return kAllBits;
  return lowWord(number);
}

// --- Floating point and pointers ---------------------------------------------------------------------

Result<MuValue> Context::handleFromFloat(float number) {
  return add(TypeKind::Float, std::bit_cast<std::uint32_t>(number));
}

Result<MuValue> Context::handleFromDouble(double number) {
  return add(TypeKind::Double, std::bit_cast<std::uint64_t>(number));
}

Result<MuValue> Context::handleFromPointer(MuID type, MuCPtr pointer) {
  GAUR_TRY_ASSIGN(const ir::Type* wanted, typeWithId(type, TypeKind::Uptr));
  return add(wanted, pointer);
}

Result<MuValue> Context::handleFromFunctionPointer(MuID type, MuCFP pointer) {
  GAUR_TRY_ASSIGN(const ir::Type* wanted, typeWithId(type, TypeKind::Ufuncptr));
  return add(wanted, reinterpret_cast<void*>(pointer));
}

Result<float> Context::handleToFloat(MuValue value) {
  GAUR_TRY_ASSIGN(const Handle* number, operand(value, "opnd", TypeKind::Float));
  return std::bit_cast<float>(static_cast<std::uint32_t>(lowWord(*number)));
}

Result<double> Context::handleToDouble(MuValue value) {
  GAUR_TRY_ASSIGN(const Handle* number, operand(value, "opnd", TypeKind::Double));
  return std::bit_cast<double>(lowWord(*number));
}

Result<MuCPtr> Context::handleToPointer(MuValue value) {
  GAUR_TRY_ASSIGN(const Handle* pointer, operand(value, "opnd", TypeKind::Uptr));
  return pointer->address();
}

Result<MuCFP> Context::handleToFunctionPointer(MuValue value) {
  GAUR_TRY_ASSIGN(const Handle* pointer, operand(value, "opnd", TypeKind::Ufuncptr));
  return reinterpret_cast<MuCFP>(pointer->address());
}

// --- What bundles define -----------------------------------------------------------------------------

Result<MuValue> Context::handleFromConstant(MuID id) {
  GAUR_TRY_ASSIGN(const ir::Constant* constant, entity<ir::Constant>(id));
  void* bytes = nullptr;
  MuValue handle = handles_.addZero(machine_.layoutOf(constant->type), bytes);
  if (auto written = runtime::writeGlobalValue(machine_.vm(), *constant, bytes); !written) {
    handles_.remove(handle, *handles_.find(handle));
    return written.error();
  }
  return handle;
}

Result<MuValue> Context::handleFromGlobal(MuID id) {
  GAUR_TRY_ASSIGN(const ir::GlobalCell* cell, entity<ir::GlobalCell>(id));
  return add(cell->type, machine_.vm().entities().addressOf(*cell));
}

Result<MuValue> Context::handleFromFunction(MuID id) {
  GAUR_TRY_ASSIGN(const ir::Function* function, entity<ir::Function>(id));
  return add(function->type, machine_.vm().entities().recordOf(*function));
}

Result<MuValue> Context::handleFromExposed(MuID id) {
  GAUR_TRY_ASSIGN(const ir::ExposedFunction* exposed, entity<ir::ExposedFunction>(id));
  return add(exposed->type, *machine_.vm().entities().exposedSlot(*exposed));
}

Result<void> Context::deleteValue(MuValue value) {
  GAUR_TRY_ASSIGN(Handle * handle, operand(value, "opnd"));
  handles_.remove(value, *handle);
  return {};
}

}  // namespace gaur::api
