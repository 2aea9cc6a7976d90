// From LLVM IR to rows: what the link makes of invokes, deopt bundles, saved registers and external symbols,
// checked by running the code.
#include <gtest/gtest.h>
#include <llvm/AsmParser/Parser.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/SourceMgr.h>

#include <cstring>
#include <map>
#include <set>
#include <thread>

#include "jit/llvm/session.h"
#include "jit/llvm/target.h"

namespace gaur::jit {
namespace {

class Link : public testing::TestWithParam<OptLevel> {
 protected:
  Result<std::unique_ptr<CodeUnit>> link(const std::string& text, OptLevel level) {
    llvm::LLVMContext context;
    llvm::SMDiagnostic diagnostic;
    auto module = llvm::parseAssemblyString(
        "declare i32 @gaur_personality(...)\n@slot = external dso_local global ptr\n" + text +
            "attributes #0 = { \"frame-pointer\"=\"all\" uwtable \"split-stack\" }\n",
        diagnostic, context);
    EXPECT_TRUE(module) << diagnostic.getMessage().str();
    EXPECT_FALSE(llvm::verifyModule(*module, &llvm::errs()));
    auto& machine = codeGenerator(level).machine();
    setTarget(*module, machine);
    return session().link(codeGenerator(level).emitObject(*module), externals_, symbols_, {}, "test");
  }
  std::unique_ptr<CodeUnit> mustLink(const std::string& text, OptLevel level) {
    auto unit = link(text, level);
    if (!unit) {
      ADD_FAILURE() << unit.error().message;
      return nullptr;
    }
    return std::move(*unit);
  }
  Session& session() {
    if (!session_) session_ = std::move(*Session::create(slab_, map_, false));
    return *session_;
  }
  /// A cell of the data half, as the runtime would make it.
  void** cell(const char* symbol, void* content) {
    auto** place = static_cast<void**>(slab_.allocateData(8, 8));
    *place = content;
    externals_[symbol] = reinterpret_cast<std::uintptr_t>(place);
    return place;
  }

  CodeSlab slab_;
  CodeMap map_{slab_};
  ExternalAddresses externals_;
  LinkedSymbols symbols_;
  std::unique_ptr<Session> session_;
};

TEST_P(Link, RunsAndIsGoneAfterwards) {
  symbols_["f"] = {abi::CodeKind::Function, 7, nullptr};
  auto* cellOf = reinterpret_cast<std::int64_t*>(cell("cell", nullptr));
  *cellOf = 40;
  auto before = slab_.statistics();
  for (int round = 0; round < 3; ++round) {
    auto unit = mustLink(R"(
      @cell = external dso_local global i64
      @table = internal constant [4 x i64] [i64 1, i64 2, i64 3, i64 4]
      define i64 @f(i64 %i) #0 {
        %p = getelementptr i64, ptr @table, i64 %i
        %a = load i64, ptr %p
        %b = load i64, ptr @cell
        %c = add i64 %a, %b
        ret i64 %c
      })",
                         GetParam());
    ASSERT_TRUE(unit);
    auto* f = reinterpret_cast<std::int64_t (*)(std::int64_t)>(unit->entryOf(7));
    ASSERT_NE(f, nullptr);
    EXPECT_EQ(unit->entryOf(8), nullptr);
    EXPECT_EQ(f(1), 42);
    EXPECT_EQ(f(3), 44);
    EXPECT_EQ(map_.findFunction(unit->block().begin).function->version, 7u);
    auto begin = unit->block().begin;
    unit.reset();
    EXPECT_FALSE(map_.findFunction(begin));
    auto after = slab_.statistics();
    EXPECT_EQ(after.codeUsed, before.codeUsed);
    EXPECT_EQ(after.dataUsed, before.dataUsed) << "frames or tables stayed";
  }
}

TEST_P(Link, TellsUnknownSymbols) {
  auto unit =
      link("declare void @nowhere()\ndefine void @f() #0 { call void @nowhere()\n ret void }\n", GetParam());
  ASSERT_FALSE(unit);
  EXPECT_NE(unit.error().message.find("'nowhere'"), std::string::npos) << unit.error().message;
  EXPECT_EQ(slab_.statistics().codeUsed, 0u);
  EXPECT_TRUE(mustLink("define void @f() #0 { ret void }\n", GetParam())) << "the session works on";
}

TEST_P(Link, TellsWhereAbsoluteAddressesAre) {
  // Out of reach of libraries, which would be called directly otherwise.
  CodeSlab slab({std::uintptr_t{0x2300} << 32, 0, 0});
  CodeMap map(slab);
  session_ = std::move(*Session::create(slab, map, true));
  auto** data = static_cast<void**>(slab.allocateData(8, 8));
  externals_["cell"] = reinterpret_cast<std::uintptr_t>(data);
  symbols_["f"] = {abi::CodeKind::Function, 1, nullptr};
  auto unit = mustLink(R"(
    @cell = external dso_local global i64
    @table = internal constant [2 x ptr] [ptr @f, ptr getelementptr (i8, ptr @cell, i64 4)]
    define i64 @f(ptr %to, ptr %from, i64 %n) #0 {
      call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %from, i64 %n, i1 false)
      %m = and i64 %n, 1
      %p = getelementptr ptr, ptr @table, i64 %m
      %a = load i64, ptr %p
      ret i64 %a
    }
    declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
  )",
                       GetParam());
  ASSERT_TRUE(unit);
  std::map<std::string, std::set<std::uintptr_t>> bySymbol;
  for (const AbsoluteWord& word : unit->absoluteWords()) {
    EXPECT_EQ(*reinterpret_cast<const std::uintptr_t*>(word.place), word.target);
    bySymbol[word.symbol].insert(word.target);
  }
  const std::set<std::uintptr_t> inside{reinterpret_cast<std::uintptr_t>(unit->entryOf(1)),
                                        reinterpret_cast<std::uintptr_t>(data) + 4};
  EXPECT_EQ(bySymbol[""], inside);
  EXPECT_EQ(bySymbol["memcpy"].size(), 1u);
  EXPECT_EQ(bySymbol["__morestack"].size(), 1u);
  EXPECT_EQ(bySymbol.size(), 3u);
  unit.reset();
  session_.reset();
}

TEST_P(Link, RefusesToMoveCodeThatRefersToTheOutside) {
  CodeSlab slab({std::uintptr_t{0x2300} << 32, 0, 0});
  CodeMap map(slab);
  session_ = std::move(*Session::create(slab, map, true));
  externals_["cell"] = slab.dataBegin() - 64;
  auto unit = link(
      "@cell = external dso_local global i64\ndefine i64 @f() #0 { %a = load i64, ptr @cell\n ret i64 %a\n "
      "}\n",
      GetParam());
  ASSERT_FALSE(unit);
  EXPECT_NE(unit.error().message.find("refers to cell directly"), std::string::npos) << unit.error().message;
  session_.reset();
}

TEST_P(Link, ReachesTheSupportLibrary) {
  symbols_["f"] = {abi::CodeKind::Function, 1, nullptr};
  auto unit = mustLink(R"(
    define i64 @f(i128 %a, i128 %b, ptr %to, ptr %from, i64 %n) #0 {
      call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %from, i64 %n, i1 false)
      %q = sdiv i128 %a, %b
      %d = sitofp i128 %q to double
      %m = frem double %d, 100.0
      %r = fptosi double %m to i64
      ret i64 %r
    }
    declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
  )",
                       GetParam());
  ASSERT_TRUE(unit);
  char from[100] = "copied", to[100] = "";
  // A 128-bit integer travels as its two halves.
  using Half = std::int64_t;
  auto* f =
      reinterpret_cast<Half (*)(Half, Half, Half, Half, char*, const char*, std::size_t)>(unit->entryOf(1));
  EXPECT_EQ(f(0, Half{-1234567} * 64, 0, 64, to, from, sizeof(from)), -67);
  EXPECT_STREQ(to, "copied");
}

TEST_P(Link, UnitsDoNotShareNames) {
  symbols_["f"] = {abi::CodeKind::Function, 1, nullptr};
  auto first = mustLink("define i64 @f() #0 { ret i64 1 }\n", GetParam());
  auto second = mustLink("define i64 @f() #0 { ret i64 2 }\n", GetParam());
  EXPECT_EQ(reinterpret_cast<std::int64_t (*)()>(first->entryOf(1))(), 1);
  EXPECT_EQ(reinterpret_cast<std::int64_t (*)()>(second->entryOf(1))(), 2);
  first.reset();
  EXPECT_EQ(reinterpret_cast<std::int64_t (*)()>(second->entryOf(1))(), 2);
}

#if defined(__x86_64__)

// The registers a frame has to give back, and enough of an unwinder to use the rows.
struct Registers {
  std::uint64_t value[17];  // by DWARF number; 16 = return address
};
constexpr int kRbp = 6, kRsp = 7, kReturn = 16;

CodeMap* probeMap;
/// What the probe saw of its caller.
std::vector<std::int64_t> probeValues;
std::vector<Id> probeTrace;
bool probeThrows;

extern "C" void linkTestProbe(Registers* registers) {
  Registers walk = *registers;
  auto& r = walk.value;
  probeValues.clear();
  probeTrace.clear();
  // The walk begins right after a call, so the stack pointer is the one at the call.
  for (bool first = true;; first = false) {
    CodeSite site = probeMap->findReturn(r[kReturn]);
    if (!site) break;
    ASSERT_TRUE(site.row) << "call site without a row";
    const abi::FunctionCode& function = *site.function;
    EXPECT_GE(site.row->returnOffset, function.bodyOffset);
    probeTrace.push_back(site.row->instruction);
    std::uint64_t cfa = r[kRbp] + static_cast<std::uint64_t>(static_cast<std::int64_t>(function.cfaOffset));
    bool isDynamic = site.row->frameSize == abi::kDynamicFrame;
    std::uint64_t stackPointer =
        isDynamic ? r[kRsp] + site.row->argumentBytes : cfa - 8 - site.row->frameSize;
    if (first) {
      for (const auto& place :
           site.block->keepalives.subspan(site.row->firstKeepalive, site.row->keepaliveCount)) {
        using Kind = abi::KeepaliveLocation::Kind;
        bool fromStack = place.kind == Kind::FromStackPointer || place.kind == Kind::StackPointerPlus;
        std::uint64_t address =
            (fromStack ? stackPointer : r[kRbp]) + static_cast<std::uint64_t>(std::int64_t{place.offset});
        std::int64_t value = place.constant;
        if (place.kind == Kind::FromStackPointer || place.kind == Kind::FromFramePointer) {
          value = 0;
          std::memcpy(&value, reinterpret_cast<void*>(address), place.size);
        } else if (place.kind != Kind::Constant) {
          std::memcpy(&value, reinterpret_cast<void*>(address), sizeof(value));
        }
        probeValues.push_back(value);
      }
    }
    if (probeThrows && site.landingPad() != 0) {
      r[kRsp] = stackPointer;
      r[kReturn] = site.landingPad();
      *registers = walk;
      return;
    }
    for (const auto& saved : site.block->saved.subspan(function.firstSaved, function.savedCount))
      r[saved.dwarfNumber] =
          *reinterpret_cast<std::uint64_t*>(cfa + static_cast<std::uint64_t>(std::int64_t{saved.cfaOffset}));
    r[kReturn] = *reinterpret_cast<std::uint64_t*>(cfa - 8);
    r[kRbp] = *reinterpret_cast<std::uint64_t*>(r[kRbp]);
    r[kRsp] = cfa;
  }
}

// Shows its caller's registers to linkTestProbe, then goes on with what that left in them.
__attribute__((naked)) void probeEntry() {
  __asm__(R"(
    mov (%rsp), %rax
    lea 8(%rsp), %rcx
    sub $152, %rsp
    mov %rbx, 24(%rsp)
    mov %rbp, 48(%rsp)
    mov %rcx, 56(%rsp)
    mov %r12, 96(%rsp)
    mov %r13, 104(%rsp)
    mov %r14, 112(%rsp)
    mov %r15, 120(%rsp)
    mov %rax, 128(%rsp)
    mov %rsp, %rdi
    call linkTestProbe
    mov %rsp, %rdi
    mov 24(%rdi), %rbx
    mov 48(%rdi), %rbp
    mov 96(%rdi), %r12
    mov 104(%rdi), %r13
    mov 112(%rdi), %r14
    mov 120(%rdi), %r15
    mov 56(%rdi), %rsp
    mov $1000, %eax
    xor %edx, %edx
    jmp *128(%rdi)
  )");
}

// Many values live across the call, so that callee-saved registers are used; `g` has other ones in the same
// registers.
constexpr const char* kThrower = R"(
  define tailcc i64 @g(i64 %a, i64 %b, i64 %c, i64 %d, i64 %e, i64 %f, i64 %g, i64 %h) #0 {
    %x1 = mul i64 %a, 3
    %x2 = xor i64 %b, 5
    %x3 = mul i64 %c, 7
    %x4 = xor i64 %d, 9
    %x5 = mul i64 %e, %h
    %cell = alloca i64
    store i64 4711, ptr %cell
    %probe = load ptr, ptr @slot
    %r = call i64 %probe() #1 [ "deopt"(i64 %x1, i64 12, double 1.5, i8 -3, i64 %x5, ptr %cell, i64 81985529216486895) ]
    %s1 = add i64 %x1, %x2
    %s2 = add i64 %x3, %x4
    %s3 = add i64 %s1, %s2
    %s4 = add i64 %s3, %r
    %s5 = add i64 %s4, %x5
    %v = load i64, ptr %cell
    %s6 = add i64 %s5, %v
    ret i64 %s6
  }
  define i64 @f(i64 %a, i64 %b) #0 personality ptr @gaur_personality {
    %x = mul i64 %a, %b
    %y = xor i64 %a, 77
    %z = sub i64 %b, %a
    %w = mul i64 %z, %y
    %r = invoke tailcc i64 @g(i64 1, i64 2, i64 3, i64 4, i64 %x, i64 6, i64 7, i64 8) #2 [ "deopt"() ]
      to label %ok unwind label %pad
  ok:
    %k = add i64 %r, %x
    ret i64 %k
  pad:
    %l = landingpad { ptr, i32 } catch ptr null
    %e = extractvalue { ptr, i32 } %l, 0
    %n = ptrtoint ptr %e to i64
    %t1 = add i64 %n, %x
    %t2 = add i64 %t1, %y
    %t3 = add i64 %t2, %z
    %t4 = add i64 %t3, %w
    ret i64 %t4
  }
  attributes #1 = { "statepoint-id"="501" }
  attributes #2 = { "statepoint-id"="502" }
)";

TEST_P(Link, RowsDescribeFramesExactly) {
  symbols_["f"] = {abi::CodeKind::Function, 1, nullptr};
  symbols_["g"] = {abi::CodeKind::Function, 2, nullptr};
  cell("slot", reinterpret_cast<void*>(&probeEntry));
  auto unit = mustLink(kThrower, GetParam());
  ASSERT_TRUE(unit);
  auto* f = reinterpret_cast<std::int64_t (*)(std::int64_t, std::int64_t)>(unit->entryOf(1));
  probeMap = &map_;
  std::int64_t a = 11, b = 13, x = a * b, y = a ^ 77, z = b - a, w = z * y;

  probeThrows = false;
  EXPECT_EQ(f(a, b), 3 + (2 ^ 5) + 21 + (4 ^ 9) + 1000 + x * 8 + 4711 + x);
  EXPECT_EQ(probeTrace, (std::vector<Id>{501, 502}));
  double half = 1.5;
  std::int64_t bits;
  std::memcpy(&bits, &half, sizeof(bits));
  ASSERT_EQ(probeValues.size(), 7u);
  EXPECT_EQ(probeValues[0], 3);
  EXPECT_EQ(probeValues[1], 12);
  EXPECT_EQ(probeValues[2], bits);
  EXPECT_EQ(static_cast<std::int8_t>(probeValues[3]), -3);
  EXPECT_EQ(probeValues[4], x * 8);
  EXPECT_EQ(probeValues[5], 4711);
  EXPECT_EQ(probeValues[6], 81985529216486895);

  probeThrows = true;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(f(a, b), 1000 + x + y + z + w);
  EXPECT_EQ(probeTrace, (std::vector<Id>{501, 502}));
}

TEST_P(Link, FramesThatTailCallsMoveAreDescribed) {
  symbols_["f"] = {abi::CodeKind::Function, 1, nullptr};
  cell("slot", reinterpret_cast<void*>(&probeEntry));
  auto unit = mustLink(R"(
    define tailcc i64 @many(i64 %a, i64 %b, i64 %c, i64 %d, i64 %e, i64 %f, i64 %g, i64 %h, i64 %i, i64 %j) #0 {
      %probe = load ptr, ptr @slot
      %r = call i64 %probe() #1 [ "deopt"(i64 %j) ]
      %s = add i64 %r, %j
      ret i64 %s
    }
    define tailcc i64 @few(i64 %a) #0 {
      %probe = load ptr, ptr @slot
      %r = call i64 %probe() #2 [ "deopt"(i64 %a) ]
      %t = tail call tailcc i64 @many(i64 %r, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7, i64 8, i64 9, i64 %a)
      ret i64 %t
    }
    define i64 @f(i64 %a) #0 personality ptr @gaur_personality {
      %x = mul i64 %a, 3
      %r = invoke tailcc i64 @few(i64 %a) #3 [ "deopt"(i64 %x) ] to label %ok unwind label %pad
    ok:
      %k = add i64 %r, %x
      ret i64 %k
    pad:
      %l = landingpad { ptr, i32 } catch ptr null
      %m = sub i64 %x, 1
      ret i64 %m
    }
    attributes #1 = { "statepoint-id"="601" }
    attributes #2 = { "statepoint-id"="602" }
    attributes #3 = { "statepoint-id"="603" }
  )",
                       GetParam());
  ASSERT_TRUE(unit);
  bool moved = false;
  for (const auto& function : unit->block().functions) moved |= function.cfaOffset != 16;
  EXPECT_TRUE(moved) << "this test means to see such a frame";
  auto* f = reinterpret_cast<std::int64_t (*)(std::int64_t)>(unit->entryOf(1));
  probeMap = &map_;
  probeThrows = false;
  EXPECT_EQ(f(5), 1000 + 5 + 15);
  EXPECT_EQ(probeTrace, (std::vector<Id>{601, 603})) << "the tail call's frame is replaced";
  EXPECT_EQ(probeValues, (std::vector<std::int64_t>{5}));
  probeThrows = true;
  EXPECT_EQ(f(5), 14) << "thrown from the first call, in the frame that will move";
  EXPECT_EQ(probeTrace, (std::vector<Id>{602, 603}));
}

TEST_P(Link, FramesThatGrowAreLeftAsTheyWereCalled) {
  symbols_["f"] = {abi::CodeKind::Function, 1, nullptr};
  cell("slot", reinterpret_cast<void*>(&probeEntry));
  // Every round allocates in the frame, throws from a call with arguments on the stack, and checks that the
  // stack pointer came back.
  auto unit = mustLink(R"(
    declare ptr @llvm.stacksave.p0()
    define i64 @f(i64 %n) #0 personality ptr @gaur_personality {
    entry:
      br label %loop
    loop:
      %i = phi i64 [ 0, %entry ], [ %next, %pad ]
      %bad = phi i64 [ 0, %entry ], [ %worse, %pad ]
      %memory = alloca i64
      store i64 %i, ptr %memory
      %before = call ptr @llvm.stacksave.p0()
      %probe = load ptr, ptr @slot
      %r = invoke i64 %probe(i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7, i64 8, i64 9) #1 [ "deopt"(i64 %i, ptr %memory) ]
        to label %ok unwind label %pad
    ok:
      ret i64 -1
    pad:
      %l = landingpad { ptr, i32 } catch ptr null
      %after = call ptr @llvm.stacksave.p0()
      %b = ptrtoint ptr %before to i64
      %a = ptrtoint ptr %after to i64
      %lost = sub i64 %b, %a
      %worse = add i64 %bad, %lost
      %next = add i64 %i, 1
      %more = icmp slt i64 %next, %n
      br i1 %more, label %loop, label %done
    done:
      ret i64 %worse
    }
    attributes #1 = { "statepoint-id"="701" }
  )",
                       GetParam());
  ASSERT_TRUE(unit);
  EXPECT_EQ(unit->block().rows[0].frameSize, abi::kDynamicFrame);
  probeMap = &map_;
  probeThrows = true;
  auto* f = reinterpret_cast<std::int64_t (*)(std::int64_t)>(unit->entryOf(1));
  // LLVM does not tell what it moves the stack pointer by for the arguments of a call with the C convention:
  // they stay until the function returns, like the ALLOCAs of the same loop. For calls of Mu functions the
  // compiler knows it.
  constexpr std::int64_t kArguments = 32;
  EXPECT_EQ(unit->block().rows[0].argumentBytes, 0u);
  EXPECT_EQ(f(100), 100 * kArguments);
  ASSERT_EQ(probeValues.size(), 2u);
  EXPECT_EQ(probeValues[0], 99);
}
#endif

TEST_P(Link, ThreadsLinkAtTheSameTime) {
  symbols_["f"] = {abi::CodeKind::Function, 1, nullptr};
  session();
  std::vector<std::thread> threads;
  for (std::int64_t t = 0; t < 3; ++t)
    threads.emplace_back([this, t] {
      std::string value = std::to_string(t * 1000);
      for (int i = 0; i < 40; ++i) {
        auto unit = mustLink("define i64 @f() #0 { ret i64 " + value + " }\n", GetParam());
        ASSERT_TRUE(unit);
        ASSERT_EQ(reinterpret_cast<std::int64_t (*)()>(unit->entryOf(1))(), t * 1000);
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(slab_.statistics().codeUsed, 0u);
}

INSTANTIATE_TEST_SUITE_P(Levels, Link, testing::Values(OptLevel::O0, OptLevel::O2),
                         [](const auto& info) { return info.param == OptLevel::O0 ? "O0" : "O2"; });

}  // namespace
}  // namespace gaur::jit
