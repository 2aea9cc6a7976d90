// The types of HAIL: what lies at a location, and which values it can be initialised with (map, HA-idx,
// HA-list, HA-type). Lengths of hybrids are known, since only objects of the script are named.
#include <algorithm>

#include "vm/ir/hail.h"

namespace gaur::ir {

namespace {

/// Of the list { reference tag }.
constexpr std::uint32_t kTagrefParts = 2;

bool isReference(const Type* type) { return type->is(TypeKind::Ref) || type->is(TypeKind::Weakref); }

bool isSequence(const Type* type) { return type->is(TypeKind::Array) || type->is(TypeKind::Vector); }

bool isComposite(const HailExtent& extent) {
  return extent.isVariablePart || isSequence(extent.type) || extent.type->is(TypeKind::Struct) ||
         extent.type->is(TypeKind::Hybrid);
}

bool isTaggable(const Type* type) {
  if (type->is(TypeKind::Struct))
    return type->elements.size() == kTagrefParts && type->elements[0]->is(TypeKind::Ref) &&
           isInt(type->elements[1], kTagrefTagBits);
  return type->is(TypeKind::Tagref64) || type->is(TypeKind::Double) || isInt(type, kTagrefIntBits);
}

/// Whether a value of type `source` may be stored in a location of the scalar type `target`, with the casts
/// that go without saying.
bool fits(const Type* target, const Type* source) {
  switch (target->kind) {
    case TypeKind::Ref:
    case TypeKind::Weakref: return isReference(source);
    case TypeKind::Iref:
    case TypeKind::Funcref:
    case TypeKind::Uptr:
    case TypeKind::Ufuncptr: return source->kind == target->kind;
    case TypeKind::Tagref64: return isTaggable(source);
    default: return source == target;
  }
}

std::string counted(std::uint64_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

/// "4 elements", "2 fields and a variable part".
std::string countOfParts(const HailExtent& extent) {
  if (extent.isVariablePart) return counted(extent.length, "element");
  if (extent.type->is(TypeKind::Hybrid))
    return counted(extent.type->fixedFields().size(), "field") + " and a variable part";
  return counted(extent.parts(), extent.type->is(TypeKind::Struct) ? "field" : "element");
}

std::string describe(const HailExtent& extent) {
  return extent.isVariablePart ? "a variable part of " + toString(extent.type) : toString(extent.type);
}

/// "a location of type int<64>".
std::string locationOf(const HailExtent& extent) {
  return (extent.isVariablePart ? "" : "a location of type ") + describe(extent);
}

constexpr std::string_view kContentOfCell = "* before it makes the content of the cell";

/// What would have been right, where a mistake is likely.
std::string_view adviceFor(const Type* target, const HailScript& script, const HailValue& value) {
  const TypeKind kind = target->kind;
  switch (value.form) {
    case HailForm::Int:
    case HailForm::LongInt:
      return isFloating(target) ? "floating point numbers have a point and a suffix, as in 1.0 f" : "";
    case HailForm::Float: return kind == TypeKind::Double ? "the suffix of double is d" : "";
    case HailForm::Double: return kind == TypeKind::Float ? "the suffix of float is f" : "";
    case HailForm::Null:
      if (isRawPointer(target)) return "the null pointer is 0";
      return kind == TypeKind::Tagref64 ? "{ NULL 0 } is the NULL reference with tag 0" : "";
    case HailForm::Object:
      if (kind == TypeKind::Iref) return "& before it makes its address, an iref";
      return kind == TypeKind::Tagref64 ? "{ reference tag } is a reference with its tag" : "";
    case HailForm::Address:
      return isReference(target) ? "a ref refers to a whole object: leave & and indices out" : "";
    case HailForm::Global: {
      const EntityKind entity = script.globals[value.payload].value->entityKind;
      if (entity == EntityKind::Global) return kContentOfCell;
      if (entity == EntityKind::Function && kind == TypeKind::Ufuncptr)
        return "bundles make pointers to functions with .expose";
      return "";
    }
    default: return "";
  }
}

class HailChecker {
 public:
  HailChecker(HailScript& script, Program& program, Diagnostics& diagnostics)
      : script_(script), types_(program.types()), diagnostics_(diagnostics) {}

  void run() {
    for (HailPlace& place : script_.places) findExtent(place);
    for (const HailInit& init : script_.inits) check(script_.places[init.place].extent, init.value);
  }

 private:
  void findExtent(HailPlace& place);
  void select(HailPlace& place, const HailIndex& index);

  /// The value and its items against a location; a null type stands for a wrong one. Returns the value that
  /// comes next.
  std::uint32_t check(const HailExtent& target, std::uint32_t number);
  void checkList(const HailExtent& target, std::uint32_t number);
  void checkItems(const HailExtent& target, std::uint32_t number);
  void checkTagrefList(std::uint32_t number);
  void checkComposite(const HailExtent& target, const HailValue& value);
  void checkScalar(const Type* target, const HailValue& value);
  bool isFit(const Type* target, const HailValue& value);
  const Type* valueType(const HailValue& value);
  void mismatch(const HailExtent& target, const HailValue& value, std::string_view advice);

  HailScript& script_;
  TypeTable& types_;
  Diagnostics& diagnostics_;
};

// --- Locations ---------------------------------------------------------------------------------------

void HailChecker::findExtent(HailPlace& place) {
  if (place.cell) {
    place.extent = {place.cell->cellType->type, false, 0};
  } else if (place.object != HailPlace::kNoObject) {
    const HailObject& object = script_.objects[place.object];
    place.extent = {object.type, false, object.length};
  }
  for (std::uint32_t i = 0; i < place.indexCount && place.extent.type; ++i)
    select(place, script_.indices[place.firstIndex + i]);
}

void HailChecker::select(HailPlace& place, const HailIndex& index) {
  HailExtent& extent = place.extent;
  if (!isComposite(extent)) {
    diagnostics_.report(ErrorId::HailNoParts, index.pos, {describe(extent)});
  } else if (index.value >= extent.parts()) {
    diagnostics_.report(ErrorId::HailPartRange, index.pos,
                        {describe(extent), countOfParts(extent), std::to_string(index.value)});
  } else {
    extent = extent.part(index.value);
    return;
  }
  extent.type = nullptr;
}

// --- Values ------------------------------------------------------------------------------------------

std::uint32_t HailChecker::check(const HailExtent& target, std::uint32_t number) {
  const HailValue& value = script_.values[number];
  const std::uint32_t next = script_.next(number);
  if (!target.type || value.form == HailForm::Wrong) return next;
  if (value.form == HailForm::List)
    checkList(target, number);
  else if (isComposite(target))
    checkComposite(target, value);
  else
    checkScalar(target.type, value);
  return next;
}

void HailChecker::checkList(const HailExtent& target, std::uint32_t number) {
  const HailValue& list = script_.values[number];
  if (!isComposite(target)) {
    if (target.type->is(TypeKind::Tagref64)) return checkTagrefList(number);
    diagnostics_.report(ErrorId::HailListOfScalar, list.pos, {toString(target.type)});
    return;
  }
  const bool isHybrid = target.type->is(TypeKind::Hybrid) && !target.isVariablePart;
  const bool isElements = isHybrid && listsElements(script_, target.type, number);
  checkItems(isElements ? target.part(0) : target, number);
}

void HailChecker::checkItems(const HailExtent& target, std::uint32_t number) {
  const std::uint32_t items = script_.values[number].items();
  const std::uint64_t parts = target.parts();
  std::uint32_t item = number + 1;
  for (std::uint32_t i = 0; i < items; ++i) {
    if (i == parts) {
      diagnostics_.report(ErrorId::HailListTooLong, script_.values[item].pos,
                          {describe(target), countOfParts(target), std::to_string(items)});
    }
    item = check(i < parts ? target.part(i) : HailExtent{}, item);
  }
}

void HailChecker::checkTagrefList(std::uint32_t number) {
  const HailValue& list = script_.values[number];
  if (list.items() != kTagrefParts) {
    diagnostics_.report(ErrorId::HailTagrefTag, list.pos, {std::to_string(list.items())});
    return;
  }
  const std::uint32_t tag = check({types_.ref(types_.voidType())}, number + 1);
  check({types_.intType(kTagrefTagBits)}, tag);
}

void HailChecker::mismatch(const HailExtent& target, const HailValue& value, std::string_view advice) {
  diagnostics_.report(ErrorId::HailValueType, value.pos,
                      {locationOf(target), ir::describe(script_, value), advice});
}

/// Of what is no list: the content of a location, or a constant.
void HailChecker::checkComposite(const HailExtent& target, const HailValue& value) {
  constexpr std::string_view kAdvice = "composites are initialised with { values }";
  if (value.form == HailForm::Global && !target.isVariablePart) {
    const Value& global = *script_.globals[value.payload].value;
    const bool isCell = global.entityKind == EntityKind::Global;
    if (global.type != target.type) mismatch(target, value, isCell ? kContentOfCell : kAdvice);
    return;
  }
  if (value.form != HailForm::Content) return mismatch(target, value, kAdvice);
  HailExtent source = script_.places[value.payload].extent;
  if (!source.type) return;
  HailExtent wanted = target;
  // An array can be copied to a variable part and the other way round: that is an array too.
  if (source.isVariablePart != wanted.isVariablePart) {
    HailExtent& whole = source.isVariablePart ? wanted : source;
    if (whole.type->is(TypeKind::Array)) whole = {whole.type->element(), true, whole.type->length};
  }
  if (source.type != wanted.type || source.isVariablePart != wanted.isVariablePart)
    return mismatch(target, value, "");
  if (source.length > wanted.length)
    diagnostics_.report(ErrorId::HailContentLength, value.pos,
                        {counted(source.length, "element"), counted(wanted.length, "element")});
}

const Type* HailChecker::valueType(const HailValue& value) {
  switch (value.form) {
    case HailForm::Global: return script_.globals[value.payload].value->type;
    case HailForm::Content: {
      const HailExtent& source = script_.places[value.payload].extent;
      return source.isVariablePart ? nullptr : source.type;
    }
    default: return nullptr;
  }
}

void HailChecker::checkScalar(const Type* target, const HailValue& value) {
  if (target->is(TypeKind::Void)) {
    diagnostics_.report(ErrorId::HailVoid, value.pos);
  } else if (!isFit(target, value)) {
    mismatch({target}, value, adviceFor(target, script_, value));
  }
}

bool HailChecker::isFit(const Type* target, const HailValue& value) {
  const TypeKind kind = target->kind;
  const bool isTagref = kind == TypeKind::Tagref64;
  switch (value.form) {
    case HailForm::Int:
    case HailForm::LongInt: return kind == TypeKind::Int || isRawPointer(target) || isTagref;
    case HailForm::Float: return kind == TypeKind::Float;
    case HailForm::Double: return kind == TypeKind::Double || isTagref;
    case HailForm::Null: return isGeneralReference(target) || kind == TypeKind::Weakref;
    case HailForm::Object:
      // A name that nothing defines is reported already.
      return isReference(target) || !script_.objects[value.payload].isDefined;
    case HailForm::Address: return kind == TypeKind::Iref;
    case HailForm::Content:
      // A wrong source is reported already.
      if (!script_.places[value.payload].extent.type) return true;
      [[fallthrough]];
    case HailForm::Global: {
      const Type* source = valueType(value);
      return source && fits(target, source);
    }
    case HailForm::List:
    case HailForm::Wrong: break;
  }
  return true;
}

}  // namespace

// --- Shared with the evaluation ----------------------------------------------------------------------

std::uint64_t HailExtent::parts() const {
  if (isVariablePart) return length;
  switch (type->kind) {
    case TypeKind::Struct:
    case TypeKind::Hybrid: return type->elements.size();
    case TypeKind::Array:
    case TypeKind::Vector: return type->length;
    default: return 0;
  }
}

HailExtent HailExtent::part(std::uint64_t index) const {
  if (isVariablePart) return {type, false, 0};
  switch (type->kind) {
    case TypeKind::Struct: return {type->elements[index], false, 0};
    case TypeKind::Hybrid: {
      const bool isVariable = index == type->fixedFields().size();
      return {type->elements[index], isVariable, isVariable ? length : 0};
    }
    default: return {type->element(), false, 0};
  }
}

bool listsElements(const HailScript& script, const Type* hybrid, std::uint32_t list) {
  if (!hybrid->fixedFields().empty() || script.values[list].items() == 0) return false;
  const HailValue& first = script.values[list + 1];
  if (first.form != HailForm::Content) return first.form != HailForm::List;
  const HailExtent& source = script.places[first.payload].extent;
  const bool isWhole = source.isVariablePart || (source.type && source.type->is(TypeKind::Array) &&
                                                 source.type->element() == hybrid->variablePart());
  return !isWhole;
}

const Type* typeInTagref(const HailScript& script, const HailValue& value, TypeTable& types) {
  switch (value.form) {
    case HailForm::Int:
    case HailForm::LongInt: return types.intType(kTagrefIntBits);
    case HailForm::Double: return types.get(TypeKind::Double);
    case HailForm::Global: return script.globals[value.payload].value->type;
    case HailForm::Content: return script.places[value.payload].extent.type;
    default: return nullptr;
  }
}

std::string describe(const HailScript& script, const HailValue& value) {
  switch (value.form) {
    case HailForm::Int:
      return "the integer " + (value.negative ? std::to_string(static_cast<std::int64_t>(value.payload))
                                              : std::to_string(value.payload));
    case HailForm::LongInt: return "a long integer";
    case HailForm::Float: return "a float";
    case HailForm::Double: return "a double";
    case HailForm::Null: return "NULL";
    case HailForm::Global: {
      const Value& global = *script.globals[value.payload].value;
      return "the " + std::string(text(global.entityKind)) + " " + describe(global) + " of type " +
             toString(global.type);
    }
    case HailForm::Object: {
      const HailObject& object = script.objects[value.payload];
      return "$" + std::string(object.name) + ", a ref<" + (object.type ? toString(object.type) : "?") + ">";
    }
    case HailForm::Address: return "the address of a location, an iref";
    case HailForm::Content: {
      const HailExtent& source = script.places[value.payload].extent;
      return "the content of " + locationOf(source);
    }
    case HailForm::List: return "a list";
    case HailForm::Wrong: break;
  }
  return "a wrong value";
}

void checkHail(HailScript& script, Program& program, Diagnostics& diagnostics) {
  HailChecker(script, program, diagnostics).run();
}

}  // namespace gaur::ir
