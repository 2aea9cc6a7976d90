// What every legal pair of operation and memory order becomes: as LLVM IR, and as machine code of both
// targets. x86-64 alone would hide most mistakes, since its plain loads and stores already order nearly
// everything.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>

#include <set>
#include <sstream>

#include "jit/llvm/lowering.h"
#include "jit/llvm/passes.h"
#include "jit/llvm/target.h"
#include "tests/unit/jit/test_environment.h"

namespace gaur::jit {
namespace {

using llvm::AtomicOrdering;
using Words = std::set<std::string>;

constexpr const char* kOrders[] = {"NOT_ATOMIC", "RELAXED", "CONSUME", "ACQUIRE",
                                   "RELEASE",    "ACQ_REL", "SEQ_CST"};

constexpr AtomicOrdering kNone = AtomicOrdering::NotAtomic, kMonotonic = AtomicOrdering::Monotonic,
                         kAcquire = AtomicOrdering::Acquire, kRelease = AtomicOrdering::Release,
                         kAcqRel = AtomicOrdering::AcquireRelease,
                         kSeqCst = AtomicOrdering::SequentiallyConsistent;

using Table = std::map<std::string, AtomicOrdering>;
const Table kLoads = {{"NOT_ATOMIC", kNone},
                      {"RELAXED", kMonotonic},
                      {"CONSUME", kAcquire},
                      {"ACQUIRE", kAcquire},
                      {"SEQ_CST", kSeqCst}};
const Table kStores = {
    {"NOT_ATOMIC", kNone}, {"RELAXED", kMonotonic}, {"RELEASE", kRelease}, {"SEQ_CST", kSeqCst}};
const Table kUpdates = {{"RELAXED", kMonotonic},
                        {"ACQUIRE", kAcquire},
                        {"RELEASE", kRelease},
                        {"ACQ_REL", kAcqRel},
                        {"SEQ_CST", kSeqCst}};
const Table kFailures = {{"RELAXED", kMonotonic}, {"ACQUIRE", kAcquire}, {"SEQ_CST", kSeqCst}};
const Table kFences = {
    {"ACQUIRE", kAcquire}, {"RELEASE", kRelease}, {"ACQ_REL", kAcqRel}, {"SEQ_CST", kSeqCst}};

struct Operator {
  const char* name;
  llvm::AtomicRMWInst::BinOp op;
};
constexpr Operator kOperators[] = {{"XCHG", llvm::AtomicRMWInst::Xchg}, {"ADD", llvm::AtomicRMWInst::Add},
                                   {"SUB", llvm::AtomicRMWInst::Sub},   {"AND", llvm::AtomicRMWInst::And},
                                   {"NAND", llvm::AtomicRMWInst::Nand}, {"OR", llvm::AtomicRMWInst::Or},
                                   {"XOR", llvm::AtomicRMWInst::Xor},   {"MAX", llvm::AtomicRMWInst::Max},
                                   {"MIN", llvm::AtomicRMWInst::Min},   {"UMAX", llvm::AtomicRMWInst::UMax},
                                   {"UMIN", llvm::AtomicRMWInst::UMin}};

struct Type {
  const char* text;
  unsigned bytes;
};
constexpr Type kInts[] = {{"int<8>", 1}, {"int<16>", 2}, {"int<32>", 4}, {"int<64>", 8}};
constexpr Type kOthers[] = {
    {"float", 4},      {"double", 8},      {"uptr<@void>", 8},       {"ufuncptr<@nothing>", 8},
    {"ref<@void>", 8}, {"iref<@void>", 8}, {"funcref<@nothing>", 8}, {"tagref64", 8},
    {"stackref", 8},   {"threadref", 8}};

/// A bundle of @f, which gets a location and two values, with one instruction; `results`: types of %r...
std::string bundleOf(const std::string& type, const std::string& instruction, const std::string& results = "",
                     const std::string& returned = "()") {
  return ".typedef @void = void\n.funcsig @nothing = () -> ()\n.typedef @T = " + type +
         "\n.typedef @p = iref<@T>\n.typedef @bool = int<1>\n.funcsig @sig = (@p @T @T) -> (" + results +
         ")\n.funcdef @f VERSION %v <@sig> {\n  %entry(<@p> %p <@T> %a <@T> %b):\n    " + instruction +
         "\n    RET " + returned + "\n}\n";
}
std::string loadOf(const std::string& type, const std::string& order) {
  return bundleOf(type, "%r = LOAD " + order + " <@T> %p", "@T", "%r");
}
std::string storeOf(const std::string& type, const std::string& order) {
  return bundleOf(type, "STORE " + order + " <@T> %p %a");
}
std::string updateOf(const std::string& type, const std::string& order, const std::string& op) {
  return bundleOf(type, "%r = ATOMICRMW " + order + " " + op + " <@T> %p %a", "@T", "%r");
}
std::string exchangeOf(const std::string& type, const std::string& success, const std::string& failure,
                       bool isWeak = false) {
  return bundleOf(type,
                  std::string("(%r %s) = CMPXCHG ") + (isWeak ? "WEAK " : "") + success + " " + failure +
                      " <@T> %p %a %b",
                  "@T @bool", "(%r %s)");
}
std::string fenceOf(const std::string& order) { return bundleOf("int<64>", "FENCE " + order); }

/// The LLVM module of a bundle's @f; empty where the bundle is refused.
class Lowered {
 public:
  explicit Lowered(const std::string& text,
                   llvm::TargetMachine& machine = codeGenerator(OptLevel::O0).machine())
      : environment_(slab_) {
    Diagnostics diagnostics;
    if (!environment_.load(text, diagnostics)) return;
    module_ = std::make_unique<llvm::Module>("test", context_);
    setTarget(*module_, machine);
    ModuleLowering lowering(*module_, environment_, OptLevel::O0);
    lowering.lower(*environment_.function("f").current.load());
    EXPECT_FALSE(lowering.failure());
    EXPECT_FALSE(llvm::verifyModule(*module_, &llvm::errs()));
  }
  explicit operator bool() const { return module_ != nullptr; }
  llvm::Module& module() { return *module_; }

  /// The one instruction of its kind that accesses the location, or is a fence.
  template <class I>
  I* only() {
    I* found = nullptr;
    for (auto& function : *module_)
      for (auto& instruction : llvm::instructions(function))
        if (auto* candidate = llvm::dyn_cast<I>(&instruction); candidate && isSubject(*candidate, function)) {
          EXPECT_EQ(found, nullptr) << "two of them";
          found = candidate;
        }
    return found;
  }

 private:
  template <class I>
  static bool isSubject(I& instruction, llvm::Function& function) {
    if constexpr (std::is_same_v<I, llvm::FenceInst>)
      return true;
    else
      return instruction.getPointerOperand() == function.getArg(0);
  }

  CodeSlab slab_;
  TestEnvironment environment_;
  llvm::LLVMContext context_;
  std::unique_ptr<llvm::Module> module_;
};

/// Legal are exactly the orders of the table, and these become what it says.
template <class I, class Make>
void expectOrders(const Table& table, Make text, unsigned bytes) {
  for (const char* order : kOrders) {
    SCOPED_TRACE(order);
    Lowered lowered(text(order));
    auto row = table.find(order);
    ASSERT_EQ(static_cast<bool>(lowered), row != table.end());
    if (!lowered) continue;
    auto* instruction = lowered.only<I>();
    ASSERT_NE(instruction, nullptr);
    EXPECT_EQ(instruction->getOrdering(), row->second);
    EXPECT_FALSE(instruction->isVolatile());
    if (row->second == kNone) continue;
    EXPECT_EQ(instruction->getSyncScopeID(), llvm::SyncScope::System);
    EXPECT_GE(instruction->getAlign().value(), bytes) << "else it would become a call";
  }
}

std::vector<Type> allTypes() {
  std::vector<Type> types(std::begin(kInts), std::end(kInts));
  types.insert(types.end(), std::begin(kOthers), std::end(kOthers));
  return types;
}

TEST(MemoryOrder, Loads) {
  for (const Type& type : allTypes()) {
    SCOPED_TRACE(type.text);
    expectOrders<llvm::LoadInst>(
        kLoads, [&](const char* order) { return loadOf(type.text, order); }, type.bytes);
  }
}

TEST(MemoryOrder, Stores) {
  for (const Type& type : allTypes()) {
    SCOPED_TRACE(type.text);
    expectOrders<llvm::StoreInst>(
        kStores, [&](const char* order) { return storeOf(type.text, order); }, type.bytes);
  }
}

TEST(MemoryOrder, ReadModifyWrites) {
  for (const Type& type : kInts)
    for (const Operator& op : kOperators) {
      SCOPED_TRACE(std::string(type.text) + " " + op.name);
      expectOrders<llvm::AtomicRMWInst>(
          kUpdates, [&](const char* order) { return updateOf(type.text, order, op.name); }, type.bytes);
      Lowered lowered(updateOf(type.text, "SEQ_CST", op.name));
      EXPECT_EQ(lowered.only<llvm::AtomicRMWInst>()->getOperation(), op.op);
    }
  for (const char* type : {"uptr<@void>", "ref<@void>", "iref<@void>", "funcref<@nothing>", "tagref64"}) {
    SCOPED_TRACE(type);
    expectOrders<llvm::AtomicRMWInst>(
        kUpdates, [&](const char* order) { return updateOf(type, order, "XCHG"); }, 8);
  }
}

TEST(MemoryOrder, CompareAndExchange) {
  for (const char* type : {"int<8>", "int<16>", "int<32>", "int<64>", "uptr<@void>", "ref<@void>",
                           "iref<@void>", "funcref<@nothing>"})
    for (const char* success : kOrders)
      for (const char* failure : kOrders)
        for (bool isWeak : {false, true}) {
          SCOPED_TRACE(std::string(type) + " " + success + " " + failure);
          Lowered lowered(exchangeOf(type, success, failure, isWeak));
          auto won = kUpdates.find(success), lost = kFailures.find(failure);
          ASSERT_EQ(static_cast<bool>(lowered), won != kUpdates.end() && lost != kFailures.end());
          if (!lowered) continue;
          auto* exchange = lowered.only<llvm::AtomicCmpXchgInst>();
          ASSERT_NE(exchange, nullptr);
          EXPECT_EQ(exchange->getSuccessOrdering(), won->second);
          EXPECT_EQ(exchange->getFailureOrdering(), lost->second);
          EXPECT_EQ(exchange->isWeak(), isWeak);
          EXPECT_EQ(exchange->getSyncScopeID(), llvm::SyncScope::System);
        }
}

TEST(MemoryOrder, Fences) {
  for (const char* order : kOrders) {
    SCOPED_TRACE(order);
    Lowered lowered(fenceOf(order));
    auto row = kFences.find(order);
    ASSERT_EQ(static_cast<bool>(lowered), row != kFences.end());
    if (!lowered) continue;
    auto* fence = lowered.only<llvm::FenceInst>();
    ASSERT_NE(fence, nullptr);
    EXPECT_EQ(fence->getOrdering(), row->second);
    EXPECT_EQ(fence->getSyncScopeID(), llvm::SyncScope::System);
  }
}

// --- Machine code -----------------------------------------------------------------------------------------

/// A code generator for a processor that need not be this one.
class Machine {
 public:
  Machine(const char* triple, const char* features, OptLevel level) : level_(level) {
    LLVMInitializeX86TargetInfo(), LLVMInitializeX86Target(), LLVMInitializeX86TargetMC(),
        LLVMInitializeX86AsmPrinter();
    LLVMInitializeAArch64TargetInfo(), LLVMInitializeAArch64Target(), LLVMInitializeAArch64TargetMC(),
        LLVMInitializeAArch64AsmPrinter();
    std::string error;
    const auto* target = llvm::TargetRegistry::lookupTarget(triple, error);
    if (!target) throw std::runtime_error(error);
    auto generation = level == OptLevel::O0 ? llvm::CodeGenOptLevel::None : llvm::CodeGenOptLevel::Default;
    machine_.reset(target->createTargetMachine(triple, "", features, llvm::TargetOptions(), llvm::Reloc::PIC_,
                                               llvm::CodeModel::Small, generation, true));
    machine_->setGlobalISel(false);
  }

  /// The instructions of the bundle's @f that order memory or update it atomically: their mnemonics, of
  /// fences with the kind.
  Words words(const std::string& text) {
    Lowered lowered(text, *machine_);
    if (!lowered) return {"(not legal)"};
    optimise(lowered.module(), level_, *machine_);
    llvm::SmallString<4096> assembly;
    llvm::raw_svector_ostream stream(assembly);
    llvm::legacy::PassManager passes;
    if (machine_->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile))
      return {"(no assembly)"};
    passes.run(lowered.module());
    return orderingWords(assembly.str().str());
  }

 private:
  static Words orderingWords(const std::string& assembly) {
    Words words;
    std::istringstream lines(assembly);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream parts(line);
      std::string word, operand;
      parts >> word >> operand;
      auto starts = [&](std::initializer_list<const char*> prefixes) {
        for (const char* prefix : prefixes)
          if (word.starts_with(prefix)) return true;
        return false;
      };
      if (word == "dmb")
        words.insert("dmb " + operand);
      else if (word == "lock" || word == "mfence")
        words.insert(word);
      else if (starts({"xchg"}) && line.find('(') != std::string::npos)
        words.insert("xchg");  // with memory, not between registers
      else if (starts({"ldar", "ldapr", "ldax", "ldx", "stlr", "stlx", "stx", "cas", "swp", "ldadd",
                       "__aarch64"}))
        words.insert(word);
    }
    return words;
  }

  OptLevel level_;
  std::unique_ptr<llvm::TargetMachine> machine_;
};

class MemoryOrderCode : public testing::TestWithParam<OptLevel> {
 protected:
  Machine x86(const char* features = "") { return {"x86_64-unknown-linux-gnu", features, GetParam()}; }
  Machine arm(const char* features = "") { return {"aarch64-unknown-linux-gnu", features, GetParam()}; }
};

TEST_P(MemoryOrderCode, OnX86) {
  Machine machine = x86();
  for (const char* type : {"int<8>", "int<16>", "int<32>", "int<64>", "double", "ref<@void>"}) {
    SCOPED_TRACE(type);
    for (const auto& [order, _] : kLoads) EXPECT_EQ(machine.words(loadOf(type, order)), Words{}) << order;
    for (const char* order : {"NOT_ATOMIC", "RELAXED", "RELEASE"})
      EXPECT_EQ(machine.words(storeOf(type, order)), Words{}) << order;
    EXPECT_EQ(machine.words(storeOf(type, "SEQ_CST")), Words{"xchg"});
  }
  for (const auto& [order, _] : kUpdates) {
    SCOPED_TRACE(order);
    for (const char* type : {"int<8>", "int<16>", "int<32>", "int<64>"}) {
      EXPECT_EQ(machine.words(updateOf(type, order, "XCHG")), Words{"xchg"});
      for (const char* op : {"ADD", "SUB", "AND", "NAND", "OR", "XOR", "MAX", "MIN", "UMAX", "UMIN"})
        EXPECT_EQ(machine.words(updateOf(type, order, op)), Words{"lock"}) << op;
      for (const auto& [failure, __] : kFailures)
        EXPECT_EQ(machine.words(exchangeOf(type, order, failure)), Words{"lock"}) << failure;
    }
  }
  for (const char* order : {"ACQUIRE", "RELEASE", "ACQ_REL"})
    EXPECT_EQ(machine.words(fenceOf(order)), Words{}) << order;
  EXPECT_EQ(machine.words(fenceOf("SEQ_CST")), Words{"mfence"});
}

TEST_P(MemoryOrderCode, LoadsStoresAndFencesOnArm) {
  Machine machine = arm();
  for (const auto& [type, suffix] :
       {std::pair("int<8>", "b"), std::pair("int<16>", "h"), std::pair("int<32>", ""),
        std::pair("int<64>", ""), std::pair("double", ""), std::pair("ref<@void>", "")}) {
    SCOPED_TRACE(type);
    const Words acquire = {std::string("ldar") + suffix}, release = {std::string("stlr") + suffix};
    for (const char* order : {"NOT_ATOMIC", "RELAXED"})
      EXPECT_EQ(machine.words(loadOf(type, order)), Words{}) << order;
    for (const char* order : {"CONSUME", "ACQUIRE", "SEQ_CST"})
      EXPECT_EQ(machine.words(loadOf(type, order)), acquire) << order;
    for (const char* order : {"NOT_ATOMIC", "RELAXED"})
      EXPECT_EQ(machine.words(storeOf(type, order)), Words{}) << order;
    for (const char* order : {"RELEASE", "SEQ_CST"})
      EXPECT_EQ(machine.words(storeOf(type, order)), release) << order;
  }
  EXPECT_EQ(machine.words(fenceOf("ACQUIRE")), Words{"dmb ishld"});
  for (const char* order : {"RELEASE", "ACQ_REL", "SEQ_CST"})
    EXPECT_EQ(machine.words(fenceOf(order)), Words{"dmb ish"}) << order;
}

TEST_P(MemoryOrderCode, ProcessorsWithRcpcUseItForAcquireAlone) {
  Machine machine = arm("+rcpc");
  EXPECT_EQ(machine.words(loadOf("int<64>", "ACQUIRE")), Words{"ldapr"});
  EXPECT_EQ(machine.words(loadOf("int<64>", "SEQ_CST")), Words{"ldar"});
}

TEST_P(MemoryOrderCode, UpdatesOnArmAreLoopsWithTheirOrder) {
  Machine machine = arm();
  // Without optimisation the loops are made late, and always with both orders.
  auto loop = [](const char* load, const char* store) {
    return GetParam() == OptLevel::O0 ? Words{"ldaxr", "stlxr"} : Words{load, store};
  };
  const std::pair<const char*, Words> rows[] = {{"RELAXED", loop("ldxr", "stxr")},
                                                {"ACQUIRE", loop("ldaxr", "stxr")},
                                                {"RELEASE", loop("ldxr", "stlxr")},
                                                {"ACQ_REL", loop("ldaxr", "stlxr")},
                                                {"SEQ_CST", loop("ldaxr", "stlxr")}};
  for (const auto& [order, words] : rows) {
    SCOPED_TRACE(order);
    for (const Operator& op : kOperators)
      EXPECT_EQ(machine.words(updateOf("int<64>", order, op.name)), words) << op.name;
    EXPECT_EQ(machine.words(exchangeOf("int<64>", order, "RELAXED")), words);
  }
  // The order of a failure counts, too.
  EXPECT_EQ(machine.words(exchangeOf("int<64>", "RELAXED", "ACQUIRE")), loop("ldaxr", "stxr"));
  EXPECT_EQ(machine.words(exchangeOf("int<64>", "RELEASE", "ACQUIRE")), loop("ldaxr", "stlxr"));
  EXPECT_EQ(machine.words(exchangeOf("int<64>", "RELAXED", "SEQ_CST")), loop("ldaxr", "stlxr"));
}

TEST_P(MemoryOrderCode, UpdatesOnArmWithLse) {
  Machine machine = arm("+lse");
  // Without optimisation LLVM makes the loop with both orders here, too.
  auto exchange = [](const std::string& suffix) {
    return GetParam() == OptLevel::O0 ? Words{"ldaxr", "stlxr"} : Words{"cas" + suffix};
  };
  const std::pair<const char*, const char*> rows[] = {
      {"RELAXED", ""}, {"ACQUIRE", "a"}, {"RELEASE", "l"}, {"ACQ_REL", "al"}, {"SEQ_CST", "al"}};
  for (const auto& [order, suffix] : rows) {
    SCOPED_TRACE(order);
    EXPECT_EQ(machine.words(updateOf("int<64>", order, "ADD")), Words{std::string("ldadd") + suffix});
    EXPECT_EQ(machine.words(updateOf("int<32>", order, "XCHG")), Words{std::string("swp") + suffix});
    EXPECT_EQ(machine.words(updateOf("int<8>", order, "ADD")), Words{std::string("ldadd") + suffix + "b"});
    EXPECT_EQ(machine.words(exchangeOf("int<64>", order, "RELAXED")), exchange(suffix));
  }
  EXPECT_EQ(machine.words(exchangeOf("int<64>", "RELAXED", "ACQUIRE")), exchange("a"));
  EXPECT_EQ(machine.words(exchangeOf("int<64>", "RELAXED", "SEQ_CST")), exchange("al"));
}

INSTANTIATE_TEST_SUITE_P(Levels, MemoryOrderCode, testing::Values(OptLevel::O0, OptLevel::O2),
                         [](const auto& info) { return "O" + std::to_string(static_cast<int>(info.param)); });

}  // namespace
}  // namespace gaur::jit
