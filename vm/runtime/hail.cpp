// The objects of a script are kept by an array of references in the heap until it ends, to which the stack
// refers; so every address taken from it stays valid, whatever is collected meanwhile.
#include "vm/runtime/hail.h"

#include <algorithm>
#include <cstring>

#include "vm/abi/layout.h"
#include "vm/abi/runtime_entries.h"
#include "vm/runtime/allocation.h"
#include "vm/runtime/global_value.h"
#include "vm/support/check.h"

namespace gaur::runtime {

namespace {

using ir::HailExtent;
using ir::HailForm;
using ir::HailPlace;
using ir::HailValue;
using ir::Type;
using ir::TypeKind;

constexpr unsigned kWordBits = 64;
constexpr std::uint64_t kAllBits = ~std::uint64_t{0};

class Evaluation {
 public:
  Evaluation(Thread& thread, const ir::HailScript& script, Diagnostics& diagnostics)
      : thread_(thread), vm_(thread.vm()), script_(script), diagnostics_(diagnostics) {}

  bool run();

 private:
  // What can fail: false after an error.
  bool readGlobals();
  bool allocate();

  const abi::Layout& layoutOf(const Type* type) { return layouts_.of(type); }
  std::uint64_t offsetOf(const HailExtent& whole, std::uint64_t part);
  char* addressOf(const HailPlace& place);
  const char* bytesOf(const HailValue& global) const {
    return reinterpret_cast<const char*>(globalWords_.data() + globalPlaces_[global.payload]);
  }

  /// Writes the value and its items; returns the value that comes next.
  std::uint32_t write(const HailExtent& target, char* to, std::uint32_t number);
  void writeItems(const HailExtent& target, char* to, std::uint32_t number);
  void writeInteger(const Type* target, char* to, const HailValue& value);
  void writeReference(const Type* target, char* to, void* reference);
  void writeContent(const HailExtent& target, char* to, const HailPlace& source);
  std::uint64_t tagged(std::uint32_t number);

  bool holdsWeak(const abi::GcMap& map);
  void copy(const Type* type, char* to, const char* from);
  void copyElements(const Type* type, std::uint64_t count, char* to, const char* from);

  Thread& thread_;
  MicroVm& vm_;
  const ir::HailScript& script_;
  Diagnostics& diagnostics_;
  abi::LayoutTable& layouts_ = abi::LayoutTable::shared();
  /// References to the objects, in an object of the heap.
  void** objects_ = nullptr;
  /// Values of constants and other global entities, and where each begins.
  std::vector<std::uint64_t> globalWords_;
  std::vector<std::size_t> globalPlaces_;
};

bool Evaluation::run() {
  if (!readGlobals() || !allocate()) return false;
  for (const ir::HailInit& init : script_.inits) {
    const HailPlace& place = script_.places[init.place];
    write(place.extent, addressOf(place), init.value);
  }
  return true;
}

bool Evaluation::readGlobals() {
  for (const ir::HailGlobal& global : script_.globals) {
    const std::uint64_t size = layoutOf(global.value->type).size;
    globalPlaces_.push_back(globalWords_.size());
    globalWords_.resize(globalWords_.size() + (size + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t));
    if (auto written = writeGlobalValue(vm_, *global.value, globalWords_.data() + globalPlaces_.back());
        !written)
      diagnostics_.report(written.error().id, global.pos).message = written.error().message;
  }
  return !diagnostics_.failed();
}

bool Evaluation::allocate() {
  const std::size_t count = script_.objects.size();
  void* table = allocateHybrid(thread_, vm_.refsType()->index, count);
  if (!table) {
    diagnostics_.report(ErrorId::OutOfMemory, 0, {"the objects of a HAIL script"});
    return false;
  }
  *static_cast<std::uint64_t*>(table) = count;
  objects_ = reinterpret_cast<void**>(static_cast<char*>(table) + layoutOf(vm_.refsType()).size);
  for (std::size_t i = 0; i < count; ++i) {
    const ir::HailObject& object = script_.objects[i];
    const abi::Layout& layout = layoutOf(object.type);
    objects_[i] = allocateHybrid(thread_, object.type->index, object.length);
    if (objects_[i]) continue;
    std::string what = "$" + std::string(object.name) + " of type " + ir::toString(object.type);
    if (layout.isHybrid()) what += " with " + std::to_string(object.length) + " elements";
    diagnostics_.report(ErrorId::OutOfMemory, object.pos, {what});
    return false;
  }
  return true;
}

// --- Locations ---------------------------------------------------------------------------------------

std::uint64_t Evaluation::offsetOf(const HailExtent& whole, std::uint64_t part) {
  const abi::Layout& layout = layoutOf(whole.type);
  if (whole.isVariablePart) return part * layout.size;
  switch (whole.type->kind) {
    case TypeKind::Struct: return layout.offsets[part];
    case TypeKind::Hybrid: return part < layout.offsets.size() ? layout.offsets[part] : layout.size;
    default: return part * layout.stride;
  }
}

char* Evaluation::addressOf(const HailPlace& place) {
  HailExtent extent;
  char* address = nullptr;
  if (place.cell) {
    extent.type = place.cell->cellType->type;
    address = static_cast<char*>(vm_.entities().addressOf(*place.cell));
  } else {
    extent = {script_.objects[place.object].type, false, script_.objects[place.object].length};
    address = static_cast<char*>(objects_[place.object]);
  }
  for (std::uint32_t i = 0; i < place.indexCount; ++i) {
    const std::uint64_t index = script_.indices[place.firstIndex + i].value;
    address += offsetOf(extent, index);
    extent = extent.part(index);
  }
  return address;
}

// --- Values ------------------------------------------------------------------------------------------

std::uint32_t Evaluation::write(const HailExtent& target, char* to, std::uint32_t number) {
  const HailValue& value = script_.values[number];
  const Type* type = target.type;
  const bool isScalar = !target.isVariablePart;
  if (isScalar && type->is(TypeKind::Tagref64)) {
    const std::uint64_t bits = tagged(number);
    std::memcpy(to, &bits, sizeof bits);
    return script_.next(number);
  }
  switch (value.form) {
    case HailForm::Int:
    case HailForm::LongInt: writeInteger(type, to, value); break;
    case HailForm::Float:
    case HailForm::Double: std::memcpy(to, &value.payload, layoutOf(type).size); break;
    case HailForm::Null: writeReference(type, to, nullptr); break;
    case HailForm::Object: writeReference(type, to, objects_[value.payload]); break;
    case HailForm::Address: writeReference(type, to, addressOf(script_.places[value.payload])); break;
    case HailForm::Content: writeContent(target, to, script_.places[value.payload]); break;
    case HailForm::Global:
      if (type->is(TypeKind::Weakref))
        writeReference(type, to, nullptr);  // no other constant has a reference type
      else
        std::memcpy(to, bytesOf(value), layoutOf(type).size);
      break;
    case HailForm::List: writeItems(target, to, number); break;
    case HailForm::Wrong: GAUR_UNREACHABLE("evaluating a wrong script");
  }
  return script_.next(number);
}

void Evaluation::writeItems(const HailExtent& target, char* to, std::uint32_t number) {
  const bool isHybrid = target.type->is(TypeKind::Hybrid) && !target.isVariablePart;
  if (isHybrid && ir::listsElements(script_, target.type, number))
    return writeItems(target.part(0), to + offsetOf(target, 0), number);
  const std::uint32_t items = script_.values[number].items();
  std::uint32_t item = number + 1;
  for (std::uint32_t i = 0; i < items; ++i) item = write(target.part(i), to + offsetOf(target, i), item);
}

void Evaluation::writeInteger(const Type* target, char* to, const HailValue& value) {
  const std::uint64_t* words = &value.payload;
  std::uint64_t count = 1;
  bool isNegative = value.negative;
  if (value.form == HailForm::LongInt) {
    words = script_.words.data() + value.payload + 1;
    count = script_.words[value.payload];
    isNegative = words[count - 1] >> (kWordBits - 1) != 0;
  }
  const std::uint64_t bits = target->is(TypeKind::Int) ? target->length : kWordBits;
  const std::uint64_t size = layoutOf(target).size;
  for (std::uint64_t i = 0; i * sizeof(*words) < size; ++i) {
    std::uint64_t word = i < count ? words[i] : isNegative ? kAllBits : 0;
    const std::uint64_t below = i * kWordBits;
    if (below >= bits)
      word = 0;
    else if (bits - below < kWordBits)
      word &= (std::uint64_t{1} << (bits - below)) - 1;
    std::memcpy(to + i * sizeof word, &word, std::min<std::uint64_t>(sizeof word, size - i * sizeof word));
  }
}

void Evaluation::writeReference(const Type* target, char* to, void* reference) {
  if (target->is(TypeKind::Weakref))
    gaur_weakStore(reinterpret_cast<std::uint64_t*>(to), reference);
  else
    std::memcpy(to, &reference, sizeof reference);
}

std::uint64_t Evaluation::tagged(std::uint32_t number) {
  const HailValue& value = script_.values[number];
  ir::TypeTable& types = vm_.program().types();
  struct {
    std::uint64_t first = 0;
    std::uint64_t tag = 0;
  } untagged;
  char* bytes = reinterpret_cast<char*>(&untagged);
  if (value.form == HailForm::List) {
    const std::uint32_t tag = write({types.ref(types.voidType())}, bytes, number + 1);
    write({types.intType(ir::kTagrefTagBits)}, bytes + offsetof(decltype(untagged), tag), tag);
    return abi::tagrefFromRef(untagged.first, untagged.tag);
  }
  const Type* type = ir::typeInTagref(script_, value, types);
  if (value.form == HailForm::Content)
    std::memcpy(bytes, addressOf(script_.places[value.payload]), layoutOf(type).size);
  else
    write({type}, bytes, number);
  switch (type->kind) {
    case TypeKind::Double: return abi::tagrefFromDouble(untagged.first);
    case TypeKind::Int: return abi::tagrefFromInt(untagged.first);
    case TypeKind::Struct: return abi::tagrefFromRef(untagged.first, untagged.tag);
    default: return untagged.first;
  }
}

// --- Contents of other locations ---------------------------------------------------------------------

void Evaluation::writeContent(const HailExtent& target, char* to, const HailPlace& source) {
  const char* from = addressOf(source);
  const Type* type = source.extent.type;
  if (target.isVariablePart || source.extent.isVariablePart) {
    // One of the two may be an array.
    const bool isArray = !source.extent.isVariablePart;
    const std::uint64_t count = isArray ? type->length : source.extent.length;
    copyElements(isArray ? type->element() : type, count, to, from);
  } else if (type->is(TypeKind::Hybrid)) {
    for (std::size_t i = 0; i < type->fixedFields().size(); ++i) {
      const std::uint64_t offset = offsetOf(target, i);
      copy(type->elements[i], to + offset, from + offset);
    }
    const std::uint64_t fixed = layoutOf(type).size;
    copyElements(type->variablePart(), source.extent.length, to + fixed, from + fixed);
  } else if (type->is(TypeKind::Weakref)) {
    // What is loaded is a ref, and may be stored as one.
    auto* location = reinterpret_cast<std::uint64_t*>(const_cast<char*>(from));
    writeReference(target.type, to, gaur_weakLoad(location));
  } else if (target.type->is(TypeKind::Weakref)) {
    void* reference = nullptr;
    std::memcpy(&reference, from, sizeof reference);
    writeReference(target.type, to, reference);
  } else {
    copy(type, to, from);
  }
}

bool Evaluation::holdsWeak(const abi::GcMap& map) {
  const auto isWeak = [](const abi::GcSlot& slot) { return slot.kind == abi::SlotKind::Weak; };
  return std::any_of(map.slots.begin(), map.slots.end(), isWeak) ||
         std::any_of(map.repeats.begin(), map.repeats.end(),
                     [this](const abi::GcRepeat& repeat) { return holdsWeak(*repeat.element); });
}

/// Weak references go through a form that the collector sees: it could clear the source, but not the copy,
/// between loading and storing.
void Evaluation::copy(const Type* type, char* to, const char* from) {
  const abi::Layout& layout = layoutOf(type);
  if (!holdsWeak(layout.map)) {
    std::memmove(to, from, layout.size);
  } else if (type->is(TypeKind::Struct)) {
    for (std::size_t i = 0; i < type->elements.size(); ++i)
      copy(type->elements[i], to + layout.offsets[i], from + layout.offsets[i]);
  } else if (type->is(TypeKind::Array)) {
    copyElements(type->element(), type->length, to, from);
  } else {
    auto* location = reinterpret_cast<std::uint64_t*>(const_cast<char*>(from));
    writeReference(type, to, gaur_weakLoad(location));
  }
}

void Evaluation::copyElements(const Type* type, std::uint64_t count, char* to, const char* from) {
  const abi::Layout& layout = layoutOf(type);
  if (!holdsWeak(layout.map)) {
    std::memmove(to, from, count * layout.size);
    return;
  }
  for (std::uint64_t i = 0; i < count; ++i) copy(type, to + i * layout.size, from + i * layout.size);
}

}  // namespace

bool evaluateHail(Thread& thread, const ir::HailScript& script, Diagnostics& diagnostics) {
  return Evaluation(thread, script, diagnostics).run();
}

}  // namespace gaur::runtime
