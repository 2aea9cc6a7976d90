// Tables of the IR's words and the look-up by text, which the lexer does for every instruction: one hash
// table for all.
#include "vm/ir/opcode.h"

#include <string>
#include <unordered_map>

#include "vm/support/check.h"

namespace gaur::ir {

namespace {

constexpr auto None = Property::None;
constexpr auto Terminator = Property::Terminator;
constexpr auto ExcClause = Property::ExcClause;
constexpr auto Keepalive = Property::Keepalive;
constexpr auto OsrPoint = Property::OsrPoint;
constexpr auto PtrForm = Property::PtrForm;
constexpr auto Threading = Property::Threading;

constexpr OpcodeInfo kOpcodes[] = {
#define GAUR_OPCODE(Name, Text, Flags) {#Name, Text, Flags},
#include "vm/ir/opcodes.def"
};

constexpr CommonInstInfo kCommonInsts[] = {
#define GAUR_COMMINST(Name, Text, Code, Types, Sigs, Flags, Parameters, Results, Properties) \
  {CommonInst::Name, Text, Types, Sigs, Flags, Parameters, Results, Properties},
#include "vm/ir/common_insts.def"
};

template <class Enum>
struct Word {
  Enum value;
  std::string_view text;
};

constexpr Word<BinOperator> kBinOps[] = {
#define GAUR_BINOP(Name, Text, Code, Class) {BinOperator::Name, Text},
#include "vm/ir/operators.def"
};
constexpr Word<CmpOperator> kCmpOps[] = {
#define GAUR_CMPOP(Name, Text, Code, Class) {CmpOperator::Name, Text},
#include "vm/ir/operators.def"
};
constexpr Word<ConvOperator> kConvOps[] = {
#define GAUR_CONVOP(Name, Text, Code) {ConvOperator::Name, Text},
#include "vm/ir/operators.def"
};
constexpr Word<MemoryOrder> kOrders[] = {
#define GAUR_ORDER(Name, Text, Code) {MemoryOrder::Name, Text},
#include "vm/ir/operators.def"
};
constexpr Word<RmwOperator> kRmwOps[] = {
#define GAUR_RMWOP(Name, Text, Code) {RmwOperator::Name, Text},
#include "vm/ir/operators.def"
};
constexpr Word<CallConv> kCallConvs[] = {
#define GAUR_CALLCONV(Name, Text, Code) {CallConv::Name, Text},
#include "vm/ir/operators.def"
};
constexpr Word<StatusFlag> kStatusWords[] = {
#define GAUR_STATUS(Name, Text, Bit) {StatusFlag::Name, Text},
#include "vm/ir/operators.def"
};

template <class Enum, class Class>
struct Classified {
  Enum value;
  Class classOf;
};

constexpr Classified<BinOperator, BinOpClass> kBinOpClasses[] = {
#define GAUR_BINOP(Name, Text, Code, Class) {BinOperator::Name, BinOpClass::Class},
#include "vm/ir/operators.def"
};
constexpr Classified<CmpOperator, CmpClass> kCmpClasses[] = {
#define GAUR_CMPOP(Name, Text, Code, Class) {CmpOperator::Name, CmpClass::Class},
#include "vm/ir/operators.def"
};

template <class Enum, class Class, std::size_t N>
Class find(const Classified<Enum, Class> (&rows)[N], Enum value) {
  for (const auto& row : rows)
    if (row.value == value) return row.classOf;
  GAUR_UNREACHABLE("no such operator");
}

template <class Enum, std::size_t N>
std::string_view find(const Word<Enum> (&words)[N], Enum value) {
  for (const auto& word : words)
    if (word.value == value) return word.text;
  GAUR_UNREACHABLE("no such operator");
}

template <class Enum, std::size_t N>
std::optional<Enum> find(const Word<Enum> (&words)[N], std::string_view text) {
  for (const auto& word : words)
    if (word.text == text) return word.value;
  return std::nullopt;
}

template <class Enum, std::size_t N>
std::optional<Enum> find(const Word<Enum> (&words)[N], std::uint32_t code) {
  for (const auto& word : words)
    if (static_cast<std::uint32_t>(word.value) == code) return word.value;
  return std::nullopt;
}

std::unordered_map<std::string_view, InstructionWord> makeInstructionWords() {
  std::unordered_map<std::string_view, InstructionWord> words;
  for (std::size_t i = 0; i < kOpcodeCount; ++i)
    if (!kOpcodes[i].text.empty()) words[kOpcodes[i].text] = {static_cast<Opcode>(i)};
  for (const auto& op : kBinOps) words[op.text] = {Opcode::BinOp, static_cast<std::uint8_t>(op.value)};
  for (const auto& op : kCmpOps) words[op.text] = {Opcode::Cmp, static_cast<std::uint8_t>(op.value)};
  for (const auto& op : kConvOps) words[op.text] = {Opcode::Conv, static_cast<std::uint8_t>(op.value)};
  return words;
}

}  // namespace

const OpcodeInfo& info(Opcode opcode) { return kOpcodes[static_cast<std::size_t>(opcode)]; }

std::string_view text(BinOperator op) { return find(kBinOps, op); }
std::string_view text(CmpOperator op) { return find(kCmpOps, op); }
std::string_view text(ConvOperator op) { return find(kConvOps, op); }
std::string_view text(MemoryOrder order) { return find(kOrders, order); }
std::string_view text(RmwOperator op) { return find(kRmwOps, op); }
std::string_view text(CallConv convention) { return find(kCallConvs, convention); }
std::string_view text(StatusFlag flag) { return find(kStatusWords, flag); }

BinOpClass classOf(BinOperator op) { return find(kBinOpClasses, op); }
CmpClass classOf(CmpOperator op) { return find(kCmpClasses, op); }

std::optional<InstructionWord> instructionWord(std::string_view text) {
  static const auto words = makeInstructionWords();
  auto found = words.find(text);
  if (found == words.end()) return std::nullopt;
  return found->second;
}

std::optional<MemoryOrder> memoryOrder(std::string_view text) { return find(kOrders, text); }
std::optional<RmwOperator> rmwOperator(std::string_view text) { return find(kRmwOps, text); }
std::optional<CallConv> callConv(std::string_view text) { return find(kCallConvs, text); }
std::optional<StatusFlag> statusFlag(std::string_view text) { return find(kStatusWords, text); }

std::optional<BinOperator> binOperator(std::uint32_t code) { return find(kBinOps, code); }
std::optional<CmpOperator> cmpOperator(std::uint32_t code) { return find(kCmpOps, code); }
std::optional<ConvOperator> convOperator(std::uint32_t code) { return find(kConvOps, code); }
std::optional<MemoryOrder> memoryOrder(std::uint32_t code) { return find(kOrders, code); }
std::optional<RmwOperator> rmwOperator(std::uint32_t code) { return find(kRmwOps, code); }
std::optional<CallConv> callConv(std::uint32_t code) { return find(kCallConvs, code); }

std::optional<std::uint8_t> statusFlags(std::uint32_t bits) {
  std::uint32_t known = 0;
  for (StatusFlag flag : kStatusFlags) known |= static_cast<std::uint32_t>(flag);
  if ((bits & ~known) != 0) return std::nullopt;
  return static_cast<std::uint8_t>(bits);
}

const CommonInstInfo* commonInst(std::string_view text) {
  if (!text.starts_with("uvm.")) return nullptr;
  static const auto byText = [] {
    std::unordered_map<std::string_view, const CommonInstInfo*> map;
    for (const auto& row : kCommonInsts) map[row.text] = &row;
    map["uvm.meta.cur_func_ver"] = map["uvm.meta.cur_func_Ver"];
    return map;
  }();
  auto found = byText.find(text);
  return found == byText.end() ? nullptr : found->second;
}

const CommonInstInfo* commonInst(std::uint32_t id) {
  static const auto byId = [] {
    std::unordered_map<std::uint32_t, const CommonInstInfo*> map;
    for (const auto& row : kCommonInsts) map[static_cast<std::uint32_t>(row.id)] = &row;
    return map;
  }();
  auto found = byId.find(id);
  return found == byId.end() ? nullptr : found->second;
}

const CommonInstInfo& info(CommonInst id) {
  const CommonInstInfo* row = commonInst(static_cast<std::uint32_t>(id));
  GAUR_CHECK(row);
  return *row;
}

}  // namespace gaur::ir
