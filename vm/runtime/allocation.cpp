#include "vm/runtime/allocation.h"

namespace gaur::runtime {

void* allocateHybrid(Thread& thread, std::uint32_t typeIndex, std::uint64_t length) {
  const abi::Layout& layout = abi::LayoutTable::shared().byIndex(typeIndex);
  std::uint64_t payload = 0;
  if (!layout.payload(length, payload)) return nullptr;
  auto kind = layout.isPointerFree() ? abi::BlockKind::PointerFree : abi::BlockKind::Traced;
  auto header = abi::ObjectHeader::make(typeIndex, layout.isWide(), length);
  return allocateObject(thread, header, abi::blockBytes(payload, layout.isWide()), kind);
}

}  // namespace gaur::runtime
