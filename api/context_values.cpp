// Operations on values: references, composites, tagged references.
#include <cstring>

#include "api/context.h"
#include "vm/abi/object.h"

namespace gaur::api {

using ir::TypeKind;

// --- References --------------------------------------------------------------------------------------

Result<MuBool> Context::refEq(MuValue a, MuValue b) {
  GAUR_TRY_ASSIGN(const Handle* lhs, operand(a, "lhs"));
  if (!ir::isGeneralReference(lhs->type()))
    return makeError(ErrorId::ApiKind, {"lhs", ir::toString(lhs->type()), "a reference"});
  GAUR_TRY_ASSIGN(const Handle* rhs, operand(b, "rhs", lhs->type()->kind));
  return lhs->word() == rhs->word();
}

Result<MuBool> Context::refUlt(MuValue a, MuValue b) {
  GAUR_TRY_ASSIGN(const Handle* lhs, operand(a, "lhs", TypeKind::Iref));
  GAUR_TRY_ASSIGN(const Handle* rhs, operand(b, "rhs", TypeKind::Iref));
  return lhs->word() < rhs->word();
}

Result<MuValue> Context::refcast(MuValue value, MuID type) {
  GAUR_TRY_ASSIGN(const Handle* reference, operand(value, "opnd"));
  const TypeKind kind = reference->type()->kind;
  if (kind != TypeKind::Ref && kind != TypeKind::Iref && kind != TypeKind::Funcref)
    return makeError(ErrorId::ApiKind, {"opnd", ir::toString(reference->type()), "a ref, iref or funcref"});
  GAUR_TRY_ASSIGN(const ir::Type* wanted, typeWithId(type, kind));
  return add(wanted, reference->word());
}

// --- Composites --------------------------------------------------------------------------------------

namespace {

/// A part of a composite value.
struct Part {
  const ir::Type* type;
  std::uint64_t offset;
};

Result<Part> fieldOf(const Handle& whole, int index) {
  const auto& fields = whole.type()->elements;
  if (index < 0 || static_cast<std::size_t>(index) >= fields.size())
    return makeError(ErrorId::ApiField,
                     {ir::toString(whole.type()), std::to_string(fields.size()), std::to_string(index)});
  const auto field = static_cast<std::size_t>(index);
  return Part{fields[field], whole.layout().offsets[field]};
}

Result<Part> elementOf(const Handle& whole, const Handle& index) {
  const std::uint64_t number = Context::unsignedNumber(index);
  if (number >= whole.type()->length)
    return makeError(ErrorId::ApiElement, {ir::toString(whole.type()), std::to_string(whole.type()->length),
                                           std::to_string(number)});
  return Part{whole.type()->element(), number * whole.layout().stride};
}

Result<void> isSequence(const Handle& value) {
  if (value.type()->is(TypeKind::Array) || value.type()->is(TypeKind::Vector)) return {};
  return makeError(ErrorId::ApiKind, {"str", ir::toString(value.type()), "an array or vector"});
}

MuValue extracted(Context& context, const Handle& whole, const Part& part) {
  return context.addCopy(part.type, static_cast<const char*>(whole.bytes()) + part.offset);
}

Result<MuValue> inserted(Context& context, const Handle& whole, const Part& part, MuValue newValue) {
  GAUR_TRY_ASSIGN(const Handle* value, context.operand(newValue, "newval"));
  if (!ir::accepts(part.type, value->type()))
    return makeError(ErrorId::ApiKind, {"newval", ir::toString(value->type()), ir::toString(part.type)});
  MuValue result = context.addCopy(whole.type(), whole.bytes());
  GAUR_TRY_ASSIGN(Handle * copy, context.operand(result, "result"));
  std::memcpy(static_cast<char*>(copy->bytes()) + part.offset, value->bytes(), value->layout().size);
  return result;
}

}  // namespace

Result<MuValue> Context::extractValue(MuValue value, int index) {
  GAUR_TRY_ASSIGN(const Handle* whole, operand(value, "str", TypeKind::Struct));
  GAUR_TRY_ASSIGN(Part part, fieldOf(*whole, index));
  return extracted(*this, *whole, part);
}

Result<MuValue> Context::insertValue(MuValue value, int index, MuValue field) {
  GAUR_TRY_ASSIGN(const Handle* whole, operand(value, "str", TypeKind::Struct));
  GAUR_TRY_ASSIGN(Part part, fieldOf(*whole, index));
  return inserted(*this, *whole, part, field);
}

Result<MuValue> Context::extractElement(MuValue value, MuValue index) {
  GAUR_TRY_ASSIGN(const Handle* whole, operand(value, "str"));
  GAUR_TRY(isSequence(*whole));
  GAUR_TRY_ASSIGN(const Handle* number, operand(index, "index", TypeKind::Int));
  GAUR_TRY_ASSIGN(Part part, elementOf(*whole, *number));
  return extracted(*this, *whole, part);
}

Result<MuValue> Context::insertElement(MuValue value, MuValue index, MuValue element) {
  GAUR_TRY_ASSIGN(const Handle* whole, operand(value, "str"));
  GAUR_TRY(isSequence(*whole));
  GAUR_TRY_ASSIGN(const Handle* number, operand(index, "index", TypeKind::Int));
  GAUR_TRY_ASSIGN(Part part, elementOf(*whole, *number));
  return inserted(*this, *whole, part, element);
}

// --- Tagged references (map, 1.4; vm/abi/object.h has their bits) ------------------------------------

namespace {

constexpr std::uint64_t kIntBits = abi::kTagrefIntLowBits + 1;
constexpr std::uint64_t kTagBits = 6;

bool holdsInt(std::uint64_t bits) { return (bits & abi::kTagrefIntMask) == abi::kTagrefIntMask; }

std::string formOf(std::uint64_t bits) {
  if (holdsInt(bits)) return "an integer";
  return abi::tagrefHoldsRef(bits) ? "a reference" : "a double";
}

Result<void> isForm(const Handle& value, bool holds, std::string_view wanted) {
  if (holds) return {};
  return makeError(ErrorId::ApiTagrefForm, {formOf(value.word()), wanted});
}

Result<void> hasBits(const Handle& number, std::string_view name, std::uint64_t bits) {
  if (number.type()->length == bits) return {};
  return makeError(ErrorId::ApiKind,
                   {name, ir::toString(number.type()), "int<" + std::to_string(bits) + ">"});
}

}  // namespace

Result<MuBool> Context::tagrefIsFloat(MuValue value) {
  GAUR_TRY_ASSIGN(const Handle* tagref, operand(value, "value", TypeKind::Tagref64));
  return !holdsInt(tagref->word()) && !abi::tagrefHoldsRef(tagref->word());
}

Result<MuBool> Context::tagrefIsInt(MuValue value) {
  GAUR_TRY_ASSIGN(const Handle* tagref, operand(value, "value", TypeKind::Tagref64));
  return holdsInt(tagref->word());
}

Result<MuBool> Context::tagrefIsRef(MuValue value) {
  GAUR_TRY_ASSIGN(const Handle* tagref, operand(value, "value", TypeKind::Tagref64));
  return abi::tagrefHoldsRef(tagref->word());
}

Result<MuValue> Context::tagrefToFloat(MuValue value) {
  GAUR_TRY_ASSIGN(const Handle* tagref, operand(value, "value", TypeKind::Tagref64));
  const std::uint64_t bits = tagref->word();
  GAUR_TRY(isForm(*tagref, !holdsInt(bits) && !abi::tagrefHoldsRef(bits), "a double"));
  return add(TypeKind::Double, bits);
}

Result<MuValue> Context::tagrefToInt(MuValue value) {
  GAUR_TRY_ASSIGN(const Handle* tagref, operand(value, "value", TypeKind::Tagref64));
  const std::uint64_t bits = tagref->word();
  GAUR_TRY(isForm(*tagref, holdsInt(bits), "an integer"));
  const std::uint64_t low = bits >> abi::kTagrefIntShift & ((std::uint64_t{1} << abi::kTagrefIntLowBits) - 1);
  const std::uint64_t sign = (bits & abi::kTagrefSign) != 0 ? std::uint64_t{1} << abi::kTagrefIntLowBits : 0;
  return handles_.add(machine_.intLayout(kIntBits), low | sign);
}

Result<MuValue> Context::tagrefToRef(MuValue value) {
  GAUR_TRY_ASSIGN(const Handle* tagref, operand(value, "value", TypeKind::Tagref64));
  GAUR_TRY(isForm(*tagref, abi::tagrefHoldsRef(tagref->word()), "a reference"));
  return add(types().ref(types().voidType()), abi::tagrefAddress(tagref->word()));
}

Result<MuValue> Context::tagrefToTag(MuValue value) {
  GAUR_TRY_ASSIGN(const Handle* tagref, operand(value, "value", TypeKind::Tagref64));
  const std::uint64_t bits = tagref->word();
  GAUR_TRY(isForm(*tagref, abi::tagrefHoldsRef(bits), "a reference"));
  const std::uint64_t high = bits >> abi::kTagrefTagHighShift & abi::kTagrefTagHighMask;
  const std::uint64_t low = bits >> abi::kTagrefTagLowShift & 1;
  return handles_.add(machine_.intLayout(kTagBits), high | low);
}

Result<MuValue> Context::tagrefFromFloat(MuValue value) {
  GAUR_TRY_ASSIGN(const Handle* number, operand(value, "value", TypeKind::Double));
  return add(TypeKind::Tagref64, abi::tagrefFromDouble(number->word()));
}

Result<MuValue> Context::tagrefFromInt(MuValue value) {
  GAUR_TRY_ASSIGN(const Handle* number, operand(value, "value", TypeKind::Int));
  GAUR_TRY(hasBits(*number, "value", kIntBits));
  return add(TypeKind::Tagref64, abi::tagrefFromInt(lowWord(*number)));
}

Result<MuValue> Context::tagrefFromRef(MuValue ref, MuValue tag) {
  GAUR_TRY_ASSIGN(const Handle* reference, operand(ref, "ref", TypeKind::Ref));
  GAUR_TRY_ASSIGN(const Handle* number, operand(tag, "tag", TypeKind::Int));
  GAUR_TRY(hasBits(*number, "tag", kTagBits));
  return add(TypeKind::Tagref64, abi::tagrefFromRef(reference->word(), lowWord(*number)));
}

}  // namespace gaur::api
