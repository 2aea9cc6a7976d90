#include "vm/runtime/native_call.h"

#include <ffi.h>

#include <vector>

#include "jit/code_slab.h"
#include "vm/abi/layout.h"

namespace gaur::runtime {

using ir::TypeKind;

struct NativeCall::Impl {
  ffi_cif interface = {};
  std::vector<ffi_type*> parameters;
  ffi_type* result = &ffi_type_void;
  /// Types made for this signature, and their lists of fields.
  std::vector<std::unique_ptr<ffi_type>> types;
  std::vector<std::unique_ptr<std::vector<ffi_type*>>> lists;

  /// Null for what C has no type for.
  ffi_type* typeOf(const ir::Type* type);
  ffi_type* structOf(std::vector<ffi_type*> fields);
};

namespace {

ffi_type* cScalar(const ir::Type* type) {
  switch (type->kind) {
    case TypeKind::Float: return &ffi_type_float;
    case TypeKind::Double: return &ffi_type_double;
    case TypeKind::Int:
      switch (type->length <= 64 ? abi::intBytes(type->length) : 0) {
        case 1: return &ffi_type_uint8;
        case 2: return &ffi_type_uint16;
        case 4: return &ffi_type_uint32;
        case 8: return &ffi_type_uint64;
        default: return nullptr;
      }
    case TypeKind::Vector:
    case TypeKind::Hybrid:
    case TypeKind::Void:
    case TypeKind::Tagref64: return nullptr;
    default: return &ffi_type_pointer;
  }
}

}  // namespace

ffi_type* NativeCall::Impl::structOf(std::vector<ffi_type*> fields) {
  fields.push_back(nullptr);
  lists.push_back(std::make_unique<std::vector<ffi_type*>>(std::move(fields)));
  types.push_back(std::make_unique<ffi_type>(ffi_type{0, 0, FFI_TYPE_STRUCT, lists.back()->data()}));
  return types.back().get();
}

ffi_type* NativeCall::Impl::typeOf(const ir::Type* type) {
  std::vector<ffi_type*> fields;
  if (type->is(TypeKind::Struct)) {
    for (const ir::Type* field : type->elements) fields.push_back(typeOf(field));
  } else if (type->is(TypeKind::Array)) {
    // C passes no arrays by value, but structs that hold one: libffi wants its elements one by one.
    ffi_type* element = typeOf(type->element());
    for (std::uint64_t i = 0; i < type->length; ++i) fields.push_back(element);
  } else {
    return cScalar(type);
  }
  for (ffi_type* field : fields)
    if (!field) return nullptr;
  return structOf(std::move(fields));
}

NativeCall::NativeCall(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NativeCall::~NativeCall() = default;

Result<std::unique_ptr<NativeCall>> NativeCall::make(const ir::Signature* signature) {
  auto impl = std::make_unique<Impl>();
  bool known = true;
  for (const ir::Type* type : signature->parameters) {
    impl->parameters.push_back(impl->typeOf(type));
    known = known && impl->parameters.back();
  }
  if (!signature->results.empty()) impl->result = impl->typeOf(signature->results[0]);
  known = known && impl->result;
  if (!known ||
      ffi_prep_cif(&impl->interface, FFI_DEFAULT_ABI, static_cast<unsigned>(impl->parameters.size()),
                   impl->result, impl->parameters.data()) != FFI_OK)
    return makeError(ErrorId::NotAvailable, {"a native call of signature " + ir::toString(signature)});
  return std::unique_ptr<NativeCall>(new NativeCall(std::move(impl)));
}

void NativeCall::call(void* function, void* result, void** values) {
  ffi_call(&impl_->interface, reinterpret_cast<void (*)()>(function), result, values);
}

Result<void**> NativeCallTable::slot(const ir::Signature* signature) {
  std::lock_guard lock(mutex_);
  Entry& entry = entries_[signature];
  if (entry.slot) return entry.slot;
  GAUR_TRY_ASSIGN(entry.call, NativeCall::make(signature));
  auto* slot = static_cast<void**>(slab_.allocateData(sizeof(void*), alignof(void*)));
  if (!slot) return makeError(ErrorId::OutOfMemory, {"data of the code slab"});
  *slot = entry.call.get();
  return entry.slot = slot;
}

Result<void> NativeCallTable::adopt(const ir::Signature* signature, void** slot) {
  std::lock_guard lock(mutex_);
  Entry& entry = entries_[signature];
  if (!entry.call) {
    GAUR_TRY_ASSIGN(entry.call, NativeCall::make(signature));
  }
  *slot = entry.call.get();
  entry.slot = slot;
  return {};
}

}  // namespace gaur::runtime
