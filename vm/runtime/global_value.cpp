#include "vm/runtime/global_value.h"

#include <algorithm>
#include <cstring>

#include "vm/abi/layout.h"
#include "vm/runtime/micro_vm.h"
#include "vm/support/check.h"

namespace gaur::runtime {

namespace {

Result<void> writeSequence(MicroVm& vm, const ir::Constant& constant, void* bytes) {
  const abi::Layout& layout = abi::LayoutTable::shared().of(constant.type);
  for (std::size_t i = 0; i < constant.elements.size(); ++i) {
    const std::uint64_t offset =
        constant.type->is(ir::TypeKind::Struct) ? layout.offsets[i] : i * layout.stride;
    GAUR_TRY(writeGlobalValue(vm, *constant.elements[i].target, static_cast<char*>(bytes) + offset));
  }
  return {};
}

Result<void> writeConstant(MicroVm& vm, const ir::Constant& constant, void* bytes) {
  const std::uint64_t size = abi::LayoutTable::shared().of(constant.type).size;
  switch (constant.kind) {
    case ir::ConstantKind::Int:
    case ir::ConstantKind::Float:
    case ir::ConstantKind::Double:
      std::memcpy(bytes, constant.words.data(), std::min<std::uint64_t>(constant.words.size_bytes(), size));
      return {};
    case ir::ConstantKind::Null: return {};
    case ir::ConstantKind::Sequence: return writeSequence(vm, constant, bytes);
    case ir::ConstantKind::Extern: {
      GAUR_TRY_ASSIGN(const abi::NativeSlot* slot, vm.nativeSymbols().slot(constant.symbol));
      std::memcpy(bytes, &slot->address, sizeof slot->address);
      return {};
    }
  }
  GAUR_UNREACHABLE("no such kind");
}

}  // namespace

Result<void> writeGlobalValue(MicroVm& vm, const ir::Value& value, void* bytes) {
  void* address = nullptr;
  switch (value.entityKind) {
    case ir::EntityKind::Constant: return writeConstant(vm, static_cast<const ir::Constant&>(value), bytes);
    case ir::EntityKind::Global:
      address = vm.entities().addressOf(static_cast<const ir::GlobalCell&>(value));
      break;
    case ir::EntityKind::Function:
      address = vm.entities().recordOf(static_cast<const ir::Function&>(value));
      break;
    case ir::EntityKind::ExposedFunction:
      address = *vm.entities().exposedSlot(static_cast<const ir::ExposedFunction&>(value));
      break;
    default: GAUR_UNREACHABLE("no global value");
  }
  std::memcpy(bytes, &address, sizeof address);
  return {};
}

}  // namespace gaur::runtime
