#include "bootimage/format.h"

#include <string>

#include "bootimage/hash.h"
#include "vm/abi/function_record.h"
#include "vm/abi/link_table.h"
#include "vm/abi/object.h"
#include "vm/abi/thread_block.h"
#include "vm/ir/opcode.h"

namespace gaur::bootimage {

namespace {

enum class Checked { Always, Once };

struct SectionInfo {
  std::string_view name;
  std::uint32_t elementBytes;
  Checked checked;
};
constexpr SectionInfo kSections[] = {
#define GAUR_IMAGE_SECTION(Name, Element, Checked_) {#Name, sizeof(Element), Checked::Checked_},
#include "bootimage/sections.def"
};

const SectionInfo& info(SectionKind kind) { return kSections[static_cast<std::size_t>(kind)]; }

}  // namespace

std::string_view text(SectionKind kind) { return info(kind).name; }
std::uint32_t elementBytes(SectionKind kind) { return info(kind).elementBytes; }
bool isAlwaysChecked(SectionKind kind) { return info(kind).checked == Checked::Always; }

std::string_view thisTarget() {
#if defined(__x86_64__)
  return "x86_64-linux";
#else
  return "aarch64-linux";
#endif
}

Hash abiFingerprint() {
  std::string facts;
  auto add = [&facts](std::string_view name, std::uint64_t value) {
    facts += name;
    facts += '=';
    facts += std::to_string(value);
    facts += '\n';
  };
  add("thread", static_cast<std::uint64_t>(abi::currentThreadOffset()));
  add("block", sizeof(abi::ThreadBlock));
  add("block.threadLocal", offsetof(abi::ThreadBlock, threadLocal));
  add("block.exception", offsetof(abi::ThreadBlock, exception));
  add("stack", sizeof(abi::StackObject));
  add("stack.cookie", offsetof(abi::StackObject, cookie));
  add("stack.isShared", offsetof(abi::StackObject, isShared));
  add("links", sizeof(abi::LinkTable));
  add("links.stacks", offsetof(abi::LinkTable, stacks));
  add("stack slot", abi::StackTable::kSlotShift);
  add("start", sizeof(abi::StartFrame));
  add("resume", sizeof(abi::ResumeFrame));
  add("record", sizeof(abi::FunctionRecord));
  add("exposed", sizeof(abi::ExposedRecord));
  add("granule", abi::kGranule);
  add("small", abi::kSmallGranules);
  add("type shift", abi::ObjectHeader::kTypeShift);
  add("type bits", abi::ObjectHeader::kTypeBits);
#define GAUR_RUNTIME_ENTRY(name, Effects) add(#name, static_cast<std::uint64_t>(abi::RuntimeEntry::name));
#include "vm/abi/runtime_entries.def"
#define GAUR_OPCODE(Name, ...) add(#Name, static_cast<std::uint64_t>(ir::Opcode::Name));
#include "vm/ir/opcodes.def"
  return hashOf(facts.data(), facts.size());
}

}  // namespace gaur::bootimage
