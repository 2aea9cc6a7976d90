// The words of the IR as enums and tables: opcodes, operators, orders, common instructions. Everything here
// comes from the .def files.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gaur::ir {

/// Properties of opcodes and common instructions; the legend is in opcodes.def.
enum class Property : std::uint32_t {
  None = 0,
  Terminator = 1,
  ExcClause = 2,
  Keepalive = 4,
  OsrPoint = 8,
  PtrForm = 16,
  Threading = 32,
};
constexpr Property operator|(Property a, Property b) {
  return static_cast<Property>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr bool has(Property set, Property one) {
  return (static_cast<std::uint32_t>(set) & static_cast<std::uint32_t>(one)) != 0;
}

enum class Opcode : std::uint8_t {
#define GAUR_OPCODE(Name, Text, Flags) Name,
#include "vm/ir/opcodes.def"
};
inline constexpr std::size_t kOpcodeCount = 0
#define GAUR_OPCODE(...) +1
#include "vm/ir/opcodes.def"
    ;

struct OpcodeInfo {
  std::string_view name;
  std::string_view text;
  Property properties;
};
const OpcodeInfo& info(Opcode opcode);

enum class BinOperator : std::uint8_t {
#define GAUR_BINOP(Name, Text, Code, Class) Name = Code,
#include "vm/ir/operators.def"
};
enum class BinOpClass : std::uint8_t { Int, IntDivision, Float };
enum class CmpOperator : std::uint8_t {
#define GAUR_CMPOP(Name, Text, Code, Class) Name = Code,
#include "vm/ir/operators.def"
};
enum class CmpClass : std::uint8_t { Eq, Signed, Ult, Float };
enum class ConvOperator : std::uint8_t {
#define GAUR_CONVOP(Name, Text, Code) Name = Code,
#include "vm/ir/operators.def"
};
enum class MemoryOrder : std::uint8_t {
#define GAUR_ORDER(Name, Text, Code) Name = Code,
#include "vm/ir/operators.def"
};
enum class RmwOperator : std::uint8_t {
#define GAUR_RMWOP(Name, Text, Code) Name = Code,
#include "vm/ir/operators.def"
};
enum class CallConv : std::uint8_t {
#define GAUR_CALLCONV(Name, Text, Code) Name = Code,
#include "vm/ir/operators.def"
};
/// Status flags of binary operations; a set of them is an OR of the bits. Results come in this order.
enum class StatusFlag : std::uint8_t {
#define GAUR_STATUS(Name, Text, Bit) Name = Bit,
#include "vm/ir/operators.def"
};
inline constexpr StatusFlag kStatusFlags[] = {
#define GAUR_STATUS(Name, Text, Bit) StatusFlag::Name,
#include "vm/ir/operators.def"
};

std::string_view text(BinOperator op);
std::string_view text(CmpOperator op);
std::string_view text(ConvOperator op);
std::string_view text(MemoryOrder order);
std::string_view text(RmwOperator op);
std::string_view text(CallConv convention);
std::string_view text(StatusFlag flag);
BinOpClass classOf(BinOperator op);
CmpClass classOf(CmpOperator op);

/// What an instruction word stands for: the opcode and, for the three families, the operator.
struct InstructionWord {
  Opcode opcode;
  std::uint8_t operation = 0;
};
std::optional<InstructionWord> instructionWord(std::string_view text);
std::optional<MemoryOrder> memoryOrder(std::string_view text);
std::optional<RmwOperator> rmwOperator(std::string_view text);
std::optional<CallConv> callConv(std::string_view text);
std::optional<StatusFlag> statusFlag(std::string_view text);
// By the number of the client interface.
std::optional<BinOperator> binOperator(std::uint32_t code);
std::optional<CmpOperator> cmpOperator(std::uint32_t code);
std::optional<ConvOperator> convOperator(std::uint32_t code);
std::optional<MemoryOrder> memoryOrder(std::uint32_t code);
std::optional<RmwOperator> rmwOperator(std::uint32_t code);
std::optional<CallConv> callConv(std::uint32_t code);
/// An OR of StatusFlag; nothing where other bits are set.
std::optional<std::uint8_t> statusFlags(std::uint32_t bits);

/// Common instructions; the value is the number of the C header and the ID.
enum class CommonInst : std::uint16_t {
#define GAUR_COMMINST(Name, Text, Code, ...) Name = Code,
#include "vm/ir/common_insts.def"
};
struct CommonInstInfo {
  CommonInst id;
  std::string_view text;  // without '@'
  std::uint8_t types, sigs, flags;
  std::string_view parameters, results;  // patterns, see common_insts.def
  Property properties;
};
/// Null where there is no such one. `text` without '@'; also accepts the spelling "uvm.meta.cur_func_ver".
const CommonInstInfo* commonInst(std::string_view text);
const CommonInstInfo* commonInst(std::uint32_t id);
const CommonInstInfo& info(CommonInst id);

}  // namespace gaur::ir
