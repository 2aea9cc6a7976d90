#include "bootimage/same_code.h"

#include <algorithm>
#include <vector>

namespace gaur::bootimage {

namespace {

/// Before a distance that linking stores may be an opcode that it has chosen, and at a watchpoint a word that
/// is patched as a whole.
constexpr std::size_t kBeforeDistance = 3;
constexpr std::size_t kDistanceBytes = 4;
constexpr std::size_t kSiteBytes = 8;

bool same(const abi::FunctionCode& a, const abi::FunctionCode& b) {
  return a.beginOffset == b.beginOffset && a.endOffset == b.endOffset && a.bodyOffset == b.bodyOffset &&
         a.cfaOffset == b.cfaOffset && a.version == b.version && a.kind == b.kind &&
         a.firstRow == b.firstRow && a.rowCount == b.rowCount && a.firstSaved == b.firstSaved &&
         a.savedCount == b.savedCount;
}

bool same(const abi::CallSiteRow& a, const abi::CallSiteRow& b) {
  return a.returnOffset == b.returnOffset && a.landingPadOffset == b.landingPadOffset &&
         a.instruction == b.instruction && a.firstKeepalive == b.firstKeepalive &&
         a.keepaliveCount == b.keepaliveCount && a.frameSize == b.frameSize &&
         a.argumentBytes == b.argumentBytes && a.calleePops == b.calleePops &&
         a.hasResultMemory == b.hasResultMemory;
}

bool same(const abi::SavedRegister& a, const abi::SavedRegister& b) {
  return a.dwarfNumber == b.dwarfNumber && a.cfaOffset == b.cfaOffset;
}

bool same(const abi::KeepaliveLocation& a, const abi::KeepaliveLocation& b) {
  return a.kind == b.kind && a.size == b.size && a.offset == b.offset && a.constant == b.constant;
}

bool same(const abi::WatchpointSite& a, const abi::WatchpointSite& b) {
  return a.watchpoint == b.watchpoint && a.siteOffset == b.siteOffset && a.targetOffset == b.targetOffset;
}

bool sameRows(const abi::CodeBlock& a, const abi::CodeBlock& b) {
  auto equal = [](const auto& first, const auto& second) {
    return std::equal(first.begin(), first.end(), second.begin(), second.end(),
                      [](const auto& x, const auto& y) { return same(x, y); });
  };
  return equal(a.functions, b.functions) && equal(a.rows, b.rows) && equal(a.saved, b.saved) &&
         equal(a.keepalives, b.keepalives) && equal(a.watchpoints, b.watchpoints);
}

}  // namespace

bool isSameCode(const abi::CodeBlock& original, const jit::CodeUnit& again) {
  const abi::CodeBlock& block = again.block();
  if (!sameRows(original, block)) return false;
  std::vector<bool> differs(block.end - block.begin);
  auto ignore = [&differs](std::size_t from, std::size_t bytes) {
    for (std::size_t i = from; i < std::min(from + bytes, differs.size()); ++i) differs[i] = true;
  };
  for (std::uintptr_t place : again.linkedPlaces()) {
    const std::size_t offset = place - block.begin;
    ignore(offset - std::min(offset, kBeforeDistance), kBeforeDistance + kDistanceBytes);
  }
  for (const abi::WatchpointSite& site : block.watchpoints) ignore(site.siteOffset, kSiteBytes);
  const auto* first = reinterpret_cast<const std::byte*>(original.begin);
  const auto* second = reinterpret_cast<const std::byte*>(block.begin);
  for (const abi::FunctionCode& function : block.functions)
    for (std::size_t i = function.beginOffset; i < function.endOffset; ++i)
      if (!differs[i] && first[i] != second[i]) return false;
  return true;
}

}  // namespace gaur::bootimage
