#include "vm/runtime/call_frame.h"

#if defined(__aarch64__)
#include <asm/sigcontext.h>
#endif

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

#include "vm/support/byte_stream.h"

extern "C" {
/// libgcc's: where the code begins, and what relative addresses count from.
struct dwarf_eh_bases {
  void* tbase;
  void* dbase;
  void* func;
};
const void* _Unwind_Find_FDE(void* pc, dwarf_eh_bases* bases);
}

namespace gaur::runtime {

namespace {

using Byte = std::uint8_t;

// --- Names of the standards ---

/// The form of an encoded address: the low four bits of DW_EH_PE_* (Linux Standard Base).
enum PointerForm : Byte {
  DW_EH_PE_absptr = 0x00,
  DW_EH_PE_uleb128 = 0x01,
  DW_EH_PE_udata2 = 0x02,
  DW_EH_PE_udata4 = 0x03,
  DW_EH_PE_udata8 = 0x04,
  DW_EH_PE_sleb128 = 0x09,
  DW_EH_PE_sdata2 = 0x0a,
  DW_EH_PE_sdata4 = 0x0b,
  DW_EH_PE_sdata8 = 0x0c,
};

/// Those whose upper two bits are zero (DWARF 5, 7.24, and what GNU and AArch64 add).
enum CallFrameInstruction : Byte {
  DW_CFA_nop = 0x00,
  DW_CFA_set_loc = 0x01,
  DW_CFA_advance_loc1 = 0x02,
  DW_CFA_advance_loc2 = 0x03,
  DW_CFA_advance_loc4 = 0x04,
  DW_CFA_offset_extended = 0x05,
  DW_CFA_restore_extended = 0x06,
  DW_CFA_undefined = 0x07,
  DW_CFA_same_value = 0x08,
  DW_CFA_register = 0x09,
  DW_CFA_remember_state = 0x0a,
  DW_CFA_restore_state = 0x0b,
  DW_CFA_def_cfa = 0x0c,
  DW_CFA_def_cfa_register = 0x0d,
  DW_CFA_def_cfa_offset = 0x0e,
  DW_CFA_def_cfa_expression = 0x0f,
  DW_CFA_expression = 0x10,
  DW_CFA_offset_extended_sf = 0x11,
  DW_CFA_def_cfa_sf = 0x12,
  DW_CFA_def_cfa_offset_sf = 0x13,
  DW_CFA_val_offset = 0x14,
  DW_CFA_val_offset_sf = 0x15,
  DW_CFA_val_expression = 0x16,
  DW_CFA_AARCH64_negate_ra_state = 0x2d,
  DW_CFA_GNU_args_size = 0x2e,
  DW_CFA_GNU_negative_offset_extended = 0x2f,
};

/// Of expressions (DWARF 5, 7.7.1).
enum Operation : Byte {
  DW_OP_addr = 0x03,
  DW_OP_deref = 0x06,
  DW_OP_const1u = 0x08,
  DW_OP_const1s = 0x09,
  DW_OP_const2u = 0x0a,
  DW_OP_const2s = 0x0b,
  DW_OP_const4u = 0x0c,
  DW_OP_const4s = 0x0d,
  DW_OP_const8u = 0x0e,
  DW_OP_const8s = 0x0f,
  DW_OP_constu = 0x10,
  DW_OP_consts = 0x11,
  DW_OP_and = 0x1a,
  DW_OP_minus = 0x1c,
  DW_OP_mul = 0x1e,
  DW_OP_or = 0x21,
  DW_OP_plus = 0x22,
  DW_OP_plus_uconst = 0x23,
  DW_OP_shl = 0x24,
  DW_OP_shr = 0x25,
  DW_OP_shra = 0x26,
  DW_OP_xor = 0x27,
  DW_OP_eq = 0x29,
  DW_OP_ge = 0x2a,
  DW_OP_gt = 0x2b,
  DW_OP_le = 0x2c,
  DW_OP_lt = 0x2d,
  DW_OP_ne = 0x2e,
  DW_OP_lit0 = 0x30,
  DW_OP_reg0 = 0x50,
  DW_OP_breg0 = 0x70,
  DW_OP_regx = 0x90,
  DW_OP_bregx = 0x92,
  DW_OP_nop = 0x96,
};

/// Place of a register in CallFrame::words; kRegisters for those that nobody needs.
unsigned indexOf(std::uint64_t dwarfNumber) {
#if defined(__x86_64__)
  return static_cast<unsigned>(std::min<std::uint64_t>(dwarfNumber, CallFrame::kRegisters));
#elif defined(__aarch64__)
  constexpr std::uint64_t kFirstSaved = 72, kSaved = 8;
  if (dwarfNumber <= CallFrame::kStackPointer) return static_cast<unsigned>(dwarfNumber);
  if (dwarfNumber - kFirstSaved < kSaved)
    return static_cast<unsigned>(CallFrame::kStackPointer + 1 + dwarfNumber - kFirstSaved);
  return CallFrame::kRegisters;
#endif
}

/// Takes the authentication code out of a signed return address.
std::uintptr_t stripped(std::uintptr_t address) {
#if defined(__aarch64__)
  register std::uintptr_t link asm("x30") = address;
  asm("hint #7" : "+r"(link));  // xpaclri, which older processors pass over
  return link;
#else
  return address;
#endif
}

template <class T>
T load(std::uintptr_t address) {
  T value;
  std::memcpy(&value, reinterpret_cast<const void*>(address), sizeof value);
  return value;
}

// --- Reading
// ------------------------------------------------------------------------------------------------

/// What there is beside words and varints, which are DWARF's ULEB128.
class Reader : public ByteReader {
 public:
  Reader(const Byte* begin, const Byte* end) : ByteReader(std::as_bytes(std::span(begin, end))), end_(end) {}

  const Byte* at() const { return end_ - left(); }

  std::int64_t sleb() {
    constexpr unsigned kWordBits = 64;
    std::uint64_t value = 0;
    unsigned shift = 0;
    Byte last = 0;
    do {
      last = byte();
      if (shift < kWordBits) value |= std::uint64_t{last & 0x7fu} << shift;
      shift += 7;
    } while ((last & 0x80) != 0 && !failed());
    if ((last & 0x40) != 0 && shift < kWordBits) value |= ~std::uint64_t{0} << shift;
    return static_cast<std::int64_t>(value);
  }

  /// An address in one of the encodings DW_EH_PE_*: its form in the low four bits, then what it counts from.
  std::uintptr_t encoded(Byte encoding) {
    constexpr Byte kRelative = 0x10, kIndirect = 0x80, kApplication = 0x70;
    const auto place = reinterpret_cast<std::uintptr_t>(at());
    std::uintptr_t value = form(encoding & 0xf);
    if ((encoding & kApplication) == kRelative)
      value += value == 0 ? 0 : place;
    else if ((encoding & kApplication) != 0)
      fail();
    return (encoding & kIndirect) != 0 && !failed() ? load<std::uintptr_t>(value) : value;
  }
  /// A number in the form of such an encoding.
  std::uintptr_t form(Byte form) {
    switch (form) {
      case DW_EH_PE_absptr: return word<std::uint64_t>();
      case DW_EH_PE_uleb128: return varint();
      case DW_EH_PE_udata2: return word<std::uint16_t>();
      case DW_EH_PE_udata4: return word<std::uint32_t>();
      case DW_EH_PE_udata8: return word<std::uint64_t>();
      case DW_EH_PE_sleb128: return static_cast<std::uintptr_t>(sleb());
      case DW_EH_PE_sdata2: return static_cast<std::uintptr_t>(std::int64_t{word<std::int16_t>()});
      case DW_EH_PE_sdata4: return static_cast<std::uintptr_t>(std::int64_t{word<std::int32_t>()});
      case DW_EH_PE_sdata8: return word<std::uint64_t>();
      default: fail(); return 0;
    }
  }

 private:
  const Byte* end_;
};

/// What is said of a function: a frame description entry with its common information entry.
struct Description {
  const Byte *commonBegin, *commonEnd;
  const Byte *begin, *end;
  std::uintptr_t function;
  std::uint64_t codeAlignment;
  std::int64_t dataAlignment;
  Byte addressEncoding = 0;
  unsigned returnAddress;
  bool isSignalFrame = false;
};

/// A length that leaves the rest of the entry; nothing for the form of 64 bits, which nobody writes.
std::optional<Reader> entryAt(const Byte* begin) {
  constexpr std::uint32_t kLong = 0xffffffff;
  const auto bytes = load<std::uint32_t>(reinterpret_cast<std::uintptr_t>(begin));
  if (bytes == 0 || bytes == kLong) return std::nullopt;
  const Byte* first = begin + sizeof bytes;
  return Reader(first, first + bytes);
}

/// Reads what the letters of an augmentation announce. False for letters that are not known.
bool readAugmentation(Reader& reader, const char* letters, Description& description) {
  for (; *letters != 0; ++letters) switch (*letters) {
      case 'R': description.addressEncoding = reader.byte(); break;
      case 'L': reader.byte(); break;
      case 'P': {
        const auto encoding = reader.byte();
        reader.form(encoding & 0xf);
        break;
      }
      case 'S': description.isSignalFrame = true; break;
      // Of AArch64: which key signs return addresses, and whether memory is tagged.
      case 'B':
      case 'G': break;
      default: return false;
    }
  return true;
}

bool readCommon(const Byte* begin, Description& description) {
  std::optional<Reader> entry = entryAt(begin);
  if (!entry) return false;
  Reader& reader = *entry;
  const Byte* end = reader.at() + load<std::uint32_t>(reinterpret_cast<std::uintptr_t>(begin));
  reader.raw(sizeof(std::uint32_t));
  const auto version = reader.byte();
  const char* letters = reinterpret_cast<const char*>(reader.at());
  reader.raw(std::strlen(letters) + 1);
  description.codeAlignment = reader.varint();
  description.dataAlignment = reader.sleb();
  description.returnAddress = indexOf(version == 1 ? reader.byte() : reader.varint());
  const bool isSized = *letters == 'z';
  const Byte* instructions = reader.at();
  if (isSized) {
    const std::uint64_t bytes = reader.varint();
    instructions = reader.at() + bytes;
  }
  if (!readAugmentation(reader, letters + (isSized ? 1 : 0), description)) return false;
  if (!isSized) instructions = reader.at();
  description.commonBegin = instructions;
  description.commonEnd = end;
  return !reader.failed() && instructions <= end && description.returnAddress < CallFrame::kRegisters;
}

std::optional<Description> describe(std::uintptr_t pc) {
  dwarf_eh_bases bases{};
  const auto* begin = static_cast<const Byte*>(_Unwind_Find_FDE(reinterpret_cast<void*>(pc), &bases));
  std::optional<Reader> entry = begin ? entryAt(begin) : std::nullopt;
  if (!entry) return std::nullopt;
  Reader& reader = *entry;
  Description description{};
  description.end = reader.at() + load<std::uint32_t>(reinterpret_cast<std::uintptr_t>(begin));
  const Byte* place = reader.at();
  if (!readCommon(place - reader.word<std::uint32_t>(), description)) return std::nullopt;
  description.function = reader.encoded(description.addressEncoding);
  reader.form(description.addressEncoding & 0xf);
  // All compilers announce how long this is.
  const std::uint64_t augmentation = reader.varint();
  reader.raw(augmentation);
  description.begin = reader.at();
  return reader.failed() ? std::nullopt : std::optional(description);
}

// --- Rules
// --------------------------------------------------------------------------------------------------

/// Where the caller finds what a register had.
struct Rule {
  enum class Kind : Byte { Same, Undefined, AtOffset, IsOffset, InRegister, AtExpression, IsExpression };
  Kind kind = Kind::Same;
  /// From the canonical frame address; or a register's index; or where an expression's length stands.
  std::int64_t value = 0;
};

struct Row {
  Rule registers[CallFrame::kRegisters];
  unsigned base = CallFrame::kRegisters;
  std::int64_t offset = 0;
  /// Of the canonical frame address, instead of base and offset.
  const Byte* expression = nullptr;
  bool isReturnAddressSigned = false;
};

/// Runs the instructions that lead to the row of one place in the code.
class RowProgram {
 public:
  RowProgram(const Description& description, std::uintptr_t pc)
      : description_(description), location_(description.function), pc_(pc) {}

  std::optional<Row> run() {
    if (!run({description_.commonBegin, description_.commonEnd})) return std::nullopt;
    initial_ = row_;
    if (!run({description_.begin, description_.end})) return std::nullopt;
    return row_;
  }

 private:
  bool run(Reader reader) {
    while (reader.left() != 0 && location_ <= pc_) {
      const auto operation = reader.byte();
      const Byte operand = operation & 0x3f;
      switch (operation >> 6) {
        case 0:
          if (!extended(operation, reader)) return false;
          break;
        case 1: location_ += operand * description_.codeAlignment; break;
        case 2: set(operand, Rule::Kind::AtOffset, factored(reader.varint())); break;
        case 3: restore(operand); break;
      }
    }
    return !reader.failed();
  }

  /// False for instructions that are not known.
  bool extended(Byte operation, Reader& reader) {
    switch (operation) {
      case DW_CFA_nop: return true;
      case DW_CFA_set_loc: location_ = reader.encoded(description_.addressEncoding); return true;
      case DW_CFA_advance_loc1: location_ += reader.byte() * description_.codeAlignment; return true;
      case DW_CFA_advance_loc2:
        location_ += reader.word<std::uint16_t>() * description_.codeAlignment;
        return true;
      case DW_CFA_advance_loc4:
        location_ += reader.word<std::uint32_t>() * description_.codeAlignment;
        return true;
      case DW_CFA_offset_extended:
        return set(reader, Rule::Kind::AtOffset, [&] { return factored(reader.varint()); });
      case DW_CFA_restore_extended: restore(reader.varint()); return true;
      case DW_CFA_undefined: set(reader.varint(), Rule::Kind::Undefined, 0); return true;
      case DW_CFA_same_value: set(reader.varint(), Rule::Kind::Same, 0); return true;
      case DW_CFA_register:
        return set(reader, Rule::Kind::InRegister, [&] { return indexOf(reader.varint()); });
      case DW_CFA_remember_state: return remember();
      case DW_CFA_restore_state: return recall();
      case DW_CFA_def_cfa: return setBase(indexOf(reader.varint()), reader) && setOffset(reader.varint());
      case DW_CFA_def_cfa_register: return setBase(indexOf(reader.varint()), reader);
      case DW_CFA_def_cfa_offset: return setOffset(reader.varint());
      case DW_CFA_def_cfa_expression: row_.expression = block(reader); return true;
      case DW_CFA_expression: return setBlock(Rule::Kind::AtExpression, reader);
      case DW_CFA_offset_extended_sf:
        return set(reader, Rule::Kind::AtOffset, [&] { return factored(reader.sleb()); });
      case DW_CFA_def_cfa_sf:
        return setBase(indexOf(reader.varint()), reader) && setOffset(factored(reader.sleb()));
      case DW_CFA_def_cfa_offset_sf: return setOffset(factored(reader.sleb()));
      case DW_CFA_val_offset:
        return set(reader, Rule::Kind::IsOffset, [&] { return factored(reader.varint()); });
      case DW_CFA_val_offset_sf:
        return set(reader, Rule::Kind::IsOffset, [&] { return factored(reader.sleb()); });
      case DW_CFA_val_expression: return setBlock(Rule::Kind::IsExpression, reader);
#if defined(__aarch64__)
      case DW_CFA_AARCH64_negate_ra_state:
        row_.isReturnAddressSigned = !row_.isReturnAddressSigned;
        return true;
#endif
      // The size of arguments on the stack, which only landing pads need.
      case DW_CFA_GNU_args_size: reader.varint(); return true;
      case DW_CFA_GNU_negative_offset_extended:
        return set(reader, Rule::Kind::AtOffset, [&] { return -factored(reader.varint()); });
      default: return false;
    }
  }

  template <class T>
  std::int64_t factored(T value) const {
    return static_cast<std::int64_t>(value) * description_.dataAlignment;
  }
  /// Passes over a block: its length, then as many bytes.
  static const Byte* block(Reader& reader) {
    const Byte* begin = reader.at();
    const std::uint64_t bytes = reader.varint();
    reader.raw(bytes);
    return begin;
  }

  void set(std::uint64_t number, Rule::Kind kind, std::int64_t value) {
    if (unsigned index = indexOf(number); index < CallFrame::kRegisters)
      row_.registers[index] = {kind, value};
  }
  /// The operand comes after the register's number.
  template <class F>
  bool set(Reader& reader, Rule::Kind kind, F&& operand) {
    const std::uint64_t number = reader.varint();
    set(number, kind, static_cast<std::int64_t>(operand()));
    return true;
  }
  bool setBlock(Rule::Kind kind, Reader& reader) {
    return set(reader, kind, [&] { return reinterpret_cast<std::intptr_t>(block(reader)); });
  }
  void restore(std::uint64_t number) {
    if (unsigned index = indexOf(number); index < CallFrame::kRegisters)
      row_.registers[index] = initial_.registers[index];
  }
  bool setBase(unsigned index, const Reader& reader) {
    row_.base = index;
    row_.expression = nullptr;
    return index < CallFrame::kRegisters && !reader.failed();
  }
  template <class T>
  bool setOffset(T offset) {
    row_.offset = static_cast<std::int64_t>(offset);
    return true;
  }
  bool remember() {
    if (remembered_ == std::size(stack_)) return false;
    stack_[remembered_++] = row_;
    return true;
  }
  bool recall() {
    if (remembered_ == 0) return false;
    row_ = stack_[--remembered_];
    return true;
  }

  const Description& description_;
  std::uintptr_t location_;
  const std::uintptr_t pc_;
  Row row_, initial_;
  Row stack_[4];
  std::size_t remembered_ = 0;
};

// --- Expressions (DWARF 5, section 2.5)
// ---------------------------------------------------------------------

class Expression {
 public:
  explicit Expression(const CallFrame& frame) : frame_(frame) {}

  void push(std::uintptr_t value) {
    if (count_ == std::size(stack_)) return void(isSound_ = false);
    stack_[count_++] = value;
  }

  /// `block`: the length, then the operations. Nothing where one of them is not known.
  std::optional<std::uintptr_t> evaluate(const Byte* block) {
    Reader length(block, block + kMostLengthBytes);
    const std::uint64_t bytes = length.varint();
    Reader reader(length.at(), length.at() + bytes);
    while (isSound_ && reader.left() != 0) step(reader.byte(), reader);
    if (!isSound_ || reader.failed() || count_ == 0) return std::nullopt;
    return stack_[count_ - 1];
  }

 private:
  static constexpr std::size_t kMostLengthBytes = 10;

  std::uintptr_t pop() {
    if (count_ != 0) return stack_[--count_];
    isSound_ = false;
    return 0;
  }
  void pushRegister(std::uint64_t number, std::int64_t offset) {
    const unsigned index = indexOf(number);
    if (index >= CallFrame::kRegisters || !frame_.known[index]) return void(isSound_ = false);
    push(frame_.words[index] + static_cast<std::uintptr_t>(offset));
  }

  void step(Byte operation, Reader& reader) {
    if (operation >= DW_OP_lit0 && operation < DW_OP_reg0) return push(operation - DW_OP_lit0);
    if (operation >= DW_OP_breg0 && operation < DW_OP_regx) {
      const std::int64_t offset = reader.sleb();
      return pushRegister(operation - DW_OP_breg0, offset);
    }
    switch (operation) {
      case DW_OP_addr: return push(reader.word<std::uint64_t>());
      case DW_OP_deref: return push(load<std::uintptr_t>(pop()));
      case DW_OP_const1u: return push(reader.byte());
      case DW_OP_const1s: return push(static_cast<std::uintptr_t>(reader.word<std::int8_t>()));
      case DW_OP_const2u: return push(reader.word<std::uint16_t>());
      case DW_OP_const2s: return push(static_cast<std::uintptr_t>(reader.word<std::int16_t>()));
      case DW_OP_const4u: return push(reader.word<std::uint32_t>());
      case DW_OP_const4s: return push(static_cast<std::uintptr_t>(reader.word<std::int32_t>()));
      case DW_OP_const8u:
      case DW_OP_const8s: return push(reader.word<std::uint64_t>());
      case DW_OP_constu: return push(reader.varint());
      case DW_OP_consts: return push(static_cast<std::uintptr_t>(reader.sleb()));
      case DW_OP_plus_uconst: return push(pop() + reader.varint());
      case DW_OP_bregx: {
        const std::uint64_t number = reader.varint();
        return pushRegister(number, reader.sleb());
      }
      case DW_OP_nop: return;
      default: return calculate(operation);
    }
  }

  void calculate(Byte operation) {
    const std::uintptr_t second = pop(), first = pop();
    const auto a = static_cast<std::intptr_t>(first), b = static_cast<std::intptr_t>(second);
    constexpr std::uintptr_t kShiftMask = 63;
    switch (operation) {
      case DW_OP_and: return push(first & second);
      case DW_OP_minus: return push(first - second);
      case DW_OP_mul: return push(first * second);
      case DW_OP_or: return push(first | second);
      case DW_OP_plus: return push(first + second);
      case DW_OP_shl: return push(first << (second & kShiftMask));
      case DW_OP_shr: return push(first >> (second & kShiftMask));
      case DW_OP_shra: return push(static_cast<std::uintptr_t>(a >> (second & kShiftMask)));
      case DW_OP_xor: return push(first ^ second);
      case DW_OP_eq: return push(a == b);
      case DW_OP_ge: return push(a >= b);
      case DW_OP_gt: return push(a > b);
      case DW_OP_le: return push(a <= b);
      case DW_OP_lt: return push(a < b);
      case DW_OP_ne: return push(a != b);
      default: isSound_ = false;
    }
  }

  const CallFrame& frame_;
  std::uintptr_t stack_[16];
  std::size_t count_ = 0;
  bool isSound_ = true;
};

/// The canonical frame address: the caller's stack pointer.
std::optional<std::uintptr_t> frameAddress(const CallFrame& frame, const Row& row) {
  if (row.expression) return Expression(frame).evaluate(row.expression);
  if (row.base >= CallFrame::kRegisters || !frame.known[row.base]) return std::nullopt;
  return frame.words[row.base] + static_cast<std::uintptr_t>(row.offset);
}

/// What the caller has in a register; nothing where that is lost.
std::optional<std::uintptr_t> valueFor(const CallFrame& frame, unsigned index, const Rule& rule,
                                       std::uintptr_t address) {
  const std::uintptr_t offset = address + static_cast<std::uintptr_t>(rule.value);
  auto of = [&](unsigned other) {
    return other < CallFrame::kRegisters && frame.known[other] ? std::optional(frame.words[other])
                                                               : std::nullopt;
  };
  auto evaluated = [&] {
    Expression expression(frame);
    expression.push(address);
    return expression.evaluate(reinterpret_cast<const Byte*>(rule.value));
  };
  switch (rule.kind) {
    case Rule::Kind::Same: return of(index);
    case Rule::Kind::Undefined: return std::nullopt;
    case Rule::Kind::AtOffset: return load<std::uintptr_t>(offset);
    case Rule::Kind::IsOffset: return offset;
    case Rule::Kind::InRegister: return of(static_cast<unsigned>(rule.value));
    case Rule::Kind::AtExpression: {
      const auto place = evaluated();
      return place ? std::optional(load<std::uintptr_t>(*place)) : std::nullopt;
    }
    case Rule::Kind::IsExpression: return evaluated();
  }
  return std::nullopt;
}

}  // namespace

#if defined(__x86_64__)
CallFrame::CallFrame(const UnwindRegisters& registers) : words{}, pc(registers.pc), isInterrupted(false) {
  const std::pair<unsigned, std::uintptr_t> kept[] = {
      {3, registers.rbx},  {6, registers.rbp},  {7, registers.stackPointer}, {12, registers.r12},
      {13, registers.r13}, {14, registers.r14}, {15, registers.r15},         {kReturnAddress, pc}};
  for (auto [number, word] : kept) {
    words[number] = word;
    known.set(number);
  }
}

CallFrame::CallFrame(const ucontext_t& context) : words{}, isInterrupted(true) {
  constexpr int kOrder[] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP,
                            REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  for (unsigned i = 0; i < std::size(kOrder); ++i) {
    words[i] = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[kOrder[i]]);
    known.set(i);
  }
  pc = words[kReturnAddress] = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP]);
  known.set(kReturnAddress);
}

void CallFrame::readTo(UnwindRegisters& registers) const {
  registers = {words[3], words[6], words[12], words[13], words[14], words[15], words[kStackPointer], pc};
}
#elif defined(__aarch64__)
namespace {
constexpr unsigned kFirstKept = 19, kFirstVector = CallFrame::kStackPointer + 1;
}

CallFrame::CallFrame(const UnwindRegisters& registers) : words{}, pc(registers.pc), isInterrupted(false) {
  auto keep = [this](unsigned index, std::uintptr_t word) {
    words[index] = word;
    known.set(index);
  };
  for (unsigned i = 0; i < std::size(registers.x19to30); ++i) keep(kFirstKept + i, registers.x19to30[i]);
  for (unsigned i = 0; i < std::size(registers.d8to15); ++i) keep(kFirstVector + i, registers.d8to15[i]);
  keep(kStackPointer, registers.stackPointer);
}

CallFrame::CallFrame(const ucontext_t& context) : words{}, isInterrupted(true) {
  for (unsigned i = 0; i <= kReturnAddress; ++i) words[i] = context.uc_mcontext.regs[i];
  words[kStackPointer] = context.uc_mcontext.sp;
  for (unsigned i = 0; i <= kStackPointer; ++i) known.set(i);
  pc = context.uc_mcontext.pc;
  // Vectors come in a record of their own.
  const auto* record = reinterpret_cast<const _aarch64_ctx*>(context.uc_mcontext.__reserved);
  while (record->magic != 0 && record->magic != FPSIMD_MAGIC)
    record = reinterpret_cast<const _aarch64_ctx*>(reinterpret_cast<const char*>(record) + record->size);
  if (record->magic == 0) return;
  const auto* vectors = reinterpret_cast<const fpsimd_context*>(record);
  for (unsigned i = 0; i < 8; ++i) {
    words[kFirstVector + i] = static_cast<std::uintptr_t>(vectors->vregs[8 + i]);
    known.set(kFirstVector + i);
  }
}

void CallFrame::readTo(UnwindRegisters& registers) const {
  std::copy_n(words + kFirstKept, std::size(registers.x19to30), registers.x19to30);
  std::copy_n(words + kFirstVector, std::size(registers.d8to15), registers.d8to15);
  registers.stackPointer = words[kStackPointer];
  registers.pc = pc;
}
#endif

FrameStep stepOut(CallFrame& frame) {
  const std::uintptr_t place = frame.isInterrupted ? frame.pc : frame.pc - 1;
  const std::optional<Description> description = describe(place);
  if (!description) return FrameStep::Unknown;
  const std::optional<Row> row = RowProgram(*description, place).run();
  if (!row) return FrameStep::Unknown;
  const Rule& link = row->registers[description->returnAddress];
  if (link.kind == Rule::Kind::Undefined) return FrameStep::Outermost;
  const std::optional<std::uintptr_t> address = frameAddress(frame, *row);
  if (!address) return FrameStep::Unknown;
  CallFrame caller = frame;
  for (unsigned i = 0; i < CallFrame::kRegisters; ++i) {
    const auto value = valueFor(frame, i, row->registers[i], *address);
    caller.known[i] = value.has_value();
    caller.words[i] = value.value_or(0);
  }
  const bool hasReturnAddress = caller.known[description->returnAddress];
  if (row->registers[CallFrame::kStackPointer].kind == Rule::Kind::Same) {
    caller.words[CallFrame::kStackPointer] = *address;
    caller.known.set(CallFrame::kStackPointer);
  }
  if (!hasReturnAddress) return FrameStep::Unknown;
  caller.pc = caller.words[description->returnAddress];
  if (row->isReturnAddressSigned) caller.pc = stripped(caller.pc);
  caller.isInterrupted = description->isSignalFrame;
  frame = caller;
  return frame.pc == 0 ? FrameStep::Outermost : FrameStep::Caller;
}

}  // namespace gaur::runtime
