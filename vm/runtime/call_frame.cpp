#include "vm/runtime/call_frame.h"

#if defined(__aarch64__)
#include <asm/sigcontext.h>
#endif

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>
#include <utility>

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

class Reader {
 public:
  Reader(const Byte* begin, const Byte* end) : at_(begin), end_(end) {}

  bool isAtEnd() const { return at_ >= end_; }
  bool failed() const { return failed_; }
  const Byte* at() const { return at_; }

  void skip(std::uint64_t bytes) {
    if (bytes > static_cast<std::uint64_t>(end_ - at_)) return fail();
    at_ += bytes;
  }

  template <class T>
  T fixed() {
    T value{};
    if (static_cast<std::size_t>(end_ - at_) < sizeof value) {
      fail();
      return value;
    }
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }

  std::uint64_t uleb() {
    unsigned shift = 0;
    return leb(shift);
  }
  std::int64_t sleb() {
    unsigned shift = 0;
    std::uint64_t value = leb(shift);
    const bool isNegative = shift != 0 && ((value >> (shift - 1)) & 1) != 0;
    if (isNegative && shift < kWordBits) value |= ~std::uint64_t{0} << shift;
    return static_cast<std::int64_t>(value);
  }

  /// An address in one of the encodings DW_EH_PE_*: its form in the low four bits, then what it counts from.
  std::uintptr_t encoded(Byte encoding) {
    constexpr Byte kRelative = 0x10, kIndirect = 0x80, kApplication = 0x70;
    const auto place = reinterpret_cast<std::uintptr_t>(at_);
    std::uintptr_t value = form(encoding & 0xf);
    if ((encoding & kApplication) == kRelative)
      value += value == 0 ? 0 : place;
    else if ((encoding & kApplication) != 0)
      fail();
    return (encoding & kIndirect) != 0 && !failed_ ? load<std::uintptr_t>(value) : value;
  }
  /// A number in the form of such an encoding.
  std::uintptr_t form(Byte form) {
    switch (form) {
      case 0x0: return fixed<std::uint64_t>();
      case 0x1: return uleb();
      case 0x2: return fixed<std::uint16_t>();
      case 0x3: return fixed<std::uint32_t>();
      case 0x4: return fixed<std::uint64_t>();
      case 0x9: return static_cast<std::uintptr_t>(sleb());
      case 0xa: return static_cast<std::uintptr_t>(std::int64_t{fixed<std::int16_t>()});
      case 0xb: return static_cast<std::uintptr_t>(std::int64_t{fixed<std::int32_t>()});
      case 0xc: return fixed<std::uint64_t>();
      default: fail(); return 0;
    }
  }

  void fail() {
    failed_ = true;
    at_ = end_;
  }

 private:
  static constexpr unsigned kWordBits = 64;
  std::uint64_t leb(unsigned& shift) {
    std::uint64_t value = 0;
    Byte byte = 0;
    do {
      byte = fixed<Byte>();
      if (shift < kWordBits) value |= std::uint64_t{byte & 0x7fu} << shift;
      shift += 7;
    } while ((byte & 0x80) != 0 && !failed_);
    return value;
  }

  const Byte* at_;
  const Byte* end_;
  bool failed_ = false;
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
      case 'R': description.addressEncoding = reader.fixed<Byte>(); break;
      case 'L': reader.fixed<Byte>(); break;
      case 'P': {
        const auto encoding = reader.fixed<Byte>();
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
  reader.skip(sizeof(std::uint32_t));
  const auto version = reader.fixed<Byte>();
  const char* letters = reinterpret_cast<const char*>(reader.at());
  reader.skip(std::strlen(letters) + 1);
  description.codeAlignment = reader.uleb();
  description.dataAlignment = reader.sleb();
  description.returnAddress = indexOf(version == 1 ? reader.fixed<Byte>() : reader.uleb());
  const bool isSized = *letters == 'z';
  const Byte* instructions = reader.at();
  if (isSized) {
    const std::uint64_t bytes = reader.uleb();
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
  if (!readCommon(place - reader.fixed<std::uint32_t>(), description)) return std::nullopt;
  description.function = reader.encoded(description.addressEncoding);
  reader.form(description.addressEncoding & 0xf);
  // All compilers announce how long this is.
  const std::uint64_t augmentation = reader.uleb();
  reader.skip(augmentation);
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
    while (!reader.isAtEnd() && location_ <= pc_) {
      const auto operation = reader.fixed<Byte>();
      const Byte operand = operation & 0x3f;
      switch (operation >> 6) {
        case 0:
          if (!extended(operation, reader)) return false;
          break;
        case 1: location_ += operand * description_.codeAlignment; break;
        case 2: set(operand, Rule::Kind::AtOffset, factored(reader.uleb())); break;
        case 3: restore(operand); break;
      }
    }
    return !reader.failed();
  }

  /// False for instructions that are not known.
  bool extended(Byte operation, Reader& reader) {
    switch (operation) {
      case 0x00: return true;
      case 0x01: location_ = reader.encoded(description_.addressEncoding); return true;
      case 0x02: location_ += reader.fixed<std::uint8_t>() * description_.codeAlignment; return true;
      case 0x03: location_ += reader.fixed<std::uint16_t>() * description_.codeAlignment; return true;
      case 0x04: location_ += reader.fixed<std::uint32_t>() * description_.codeAlignment; return true;
      case 0x05: return set(reader, Rule::Kind::AtOffset, [&] { return factored(reader.uleb()); });
      case 0x06: restore(reader.uleb()); return true;
      case 0x07: set(reader.uleb(), Rule::Kind::Undefined, 0); return true;
      case 0x08: set(reader.uleb(), Rule::Kind::Same, 0); return true;
      case 0x09: return set(reader, Rule::Kind::InRegister, [&] { return indexOf(reader.uleb()); });
      case 0x0a: return remember();
      case 0x0b: return recall();
      case 0x0c: return setBase(indexOf(reader.uleb()), reader) && setOffset(reader.uleb());
      case 0x0d: return setBase(indexOf(reader.uleb()), reader);
      case 0x0e: return setOffset(reader.uleb());
      case 0x0f: row_.expression = block(reader); return true;
      case 0x10: return setBlock(Rule::Kind::AtExpression, reader);
      case 0x11: return set(reader, Rule::Kind::AtOffset, [&] { return factored(reader.sleb()); });
      case 0x12: return setBase(indexOf(reader.uleb()), reader) && setOffset(factored(reader.sleb()));
      case 0x13: return setOffset(factored(reader.sleb()));
      case 0x14: return set(reader, Rule::Kind::IsOffset, [&] { return factored(reader.uleb()); });
      case 0x15: return set(reader, Rule::Kind::IsOffset, [&] { return factored(reader.sleb()); });
      case 0x16: return setBlock(Rule::Kind::IsExpression, reader);
#if defined(__aarch64__)
      case 0x2d: row_.isReturnAddressSigned = !row_.isReturnAddressSigned; return true;
#endif
      // The size of arguments on the stack, which only landing pads need.
      case 0x2e: reader.uleb(); return true;
      case 0x2f: return set(reader, Rule::Kind::AtOffset, [&] { return -factored(reader.uleb()); });
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
    const std::uint64_t bytes = reader.uleb();
    reader.skip(bytes);
    return begin;
  }

  void set(std::uint64_t number, Rule::Kind kind, std::int64_t value) {
    if (unsigned index = indexOf(number); index < CallFrame::kRegisters)
      row_.registers[index] = {kind, value};
  }
  /// The operand comes after the register's number.
  template <class F>
  bool set(Reader& reader, Rule::Kind kind, F&& operand) {
    const std::uint64_t number = reader.uleb();
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
    const std::uint64_t bytes = length.uleb();
    Reader reader(length.at(), length.at() + bytes);
    while (isSound_ && !reader.isAtEnd()) step(reader.fixed<Byte>(), reader);
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
    constexpr Byte kLiteral = 0x30, kRegister = 0x50, kBased = 0x70, kBasedEnd = 0x90;
    if (operation >= kLiteral && operation < kRegister) return push(operation - kLiteral);
    if (operation >= kBased && operation < kBasedEnd) {
      const std::int64_t offset = reader.sleb();
      return pushRegister(operation - kBased, offset);
    }
    switch (operation) {
      case 0x03: return push(reader.fixed<std::uint64_t>());
      case 0x06: return push(load<std::uintptr_t>(pop()));
      case 0x08: return push(reader.fixed<std::uint8_t>());
      case 0x09: return push(static_cast<std::uintptr_t>(reader.fixed<std::int8_t>()));
      case 0x0a: return push(reader.fixed<std::uint16_t>());
      case 0x0b: return push(static_cast<std::uintptr_t>(reader.fixed<std::int16_t>()));
      case 0x0c: return push(reader.fixed<std::uint32_t>());
      case 0x0d: return push(static_cast<std::uintptr_t>(reader.fixed<std::int32_t>()));
      case 0x0e:
      case 0x0f: return push(reader.fixed<std::uint64_t>());
      case 0x10: return push(reader.uleb());
      case 0x11: return push(static_cast<std::uintptr_t>(reader.sleb()));
      case 0x23: return push(pop() + reader.uleb());
      case 0x92: {
        const std::uint64_t number = reader.uleb();
        return pushRegister(number, reader.sleb());
      }
      case 0x96: return;
      default: return calculate(operation);
    }
  }

  void calculate(Byte operation) {
    const std::uintptr_t second = pop(), first = pop();
    const auto a = static_cast<std::intptr_t>(first), b = static_cast<std::intptr_t>(second);
    constexpr std::uintptr_t kShiftMask = 63;
    switch (operation) {
      case 0x1a: return push(first & second);
      case 0x1c: return push(first - second);
      case 0x1e: return push(first * second);
      case 0x21: return push(first | second);
      case 0x22: return push(first + second);
      case 0x24: return push(first << (second & kShiftMask));
      case 0x25: return push(first >> (second & kShiftMask));
      case 0x26: return push(static_cast<std::uintptr_t>(a >> (second & kShiftMask)));
      case 0x27: return push(first ^ second);
      case 0x29: return push(a == b);
      case 0x2a: return push(a >= b);
      case 0x2b: return push(a > b);
      case 0x2c: return push(a <= b);
      case 0x2d: return push(a < b);
      case 0x2e: return push(a != b);
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
