// What the optimiser must leave in place, and what it must not lose by that.
#include "jit/llvm/passes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <llvm/AsmParser/Parser.h>
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/SourceMgr.h>

#include "jit/llvm/target.h"

namespace gaur::jit {
namespace {

class Passes : public testing::Test {
 protected:
  llvm::Function& optimised(const char* text, OptLevel level) {
    llvm::SMDiagnostic diagnostic;
    module_ = llvm::parseAssemblyString(text, diagnostic, context_);
    EXPECT_TRUE(module_) << diagnostic.getMessage().str();
    auto& machine = codeGenerator(level).machine();
    setTarget(*module_, machine);
    optimise(*module_, level, machine);
    EXPECT_FALSE(llvm::verifyModule(*module_, &llvm::errs()));
    return *module_->getFunction("f");
  }
  static std::vector<const llvm::Value*> kept(const llvm::Function& function) {
    std::vector<const llvm::Value*> values;
    for (const auto& instruction : llvm::instructions(function)) {
      auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction);
      if (call && call->isInlineAsm()) values.push_back(call->getArgOperand(0));
    }
    return values;
  }
  static bool hasVectors(const llvm::Function& function) {
    for (const auto& instruction : llvm::instructions(function))
      if (instruction.getType()->isVectorTy()) return true;
    return false;
  }

  llvm::LLVMContext context_;
  std::unique_ptr<llvm::Module> module_;
};

constexpr const char* kSum = R"(
  define i64 @f(ptr %object, i64 %n) {
  entry:
    br label %loop
  loop:
    %i = phi i64 [ 0, %entry ], [ %next, %loop ]
    %s = phi i64 [ 0, %entry ], [ %sum, %loop ]
    %place = getelementptr i64, ptr %object, i64 %i
    %v = load i64, ptr %place
    %sum = add i64 %s, %v
    %next = add i64 %i, 1
    %more = icmp slt i64 %next, %n
    br i1 %more, label %loop, label %done
  done:
    ret i64 %sum
  })";

TEST_F(Passes, BasesOutliveLoopsWhichStayVectorised) {
  auto& f = optimised(kSum, OptLevel::O2);
  auto values = kept(f);
  ASSERT_FALSE(values.empty());
  for (const auto* value : values) EXPECT_EQ(value, f.getArg(0));
  EXPECT_TRUE(hasVectors(f));
}

TEST_F(Passes, BasesOutliveLoopsAtTheLightLevel) {
  auto& f = optimised(kSum, OptLevel::O1);
  EXPECT_THAT(kept(f), testing::ElementsAre(f.getArg(0)));
}

TEST_F(Passes, NothingIsDoneWithoutOptimisation) {
  auto& f = optimised(kSum, OptLevel::O0);
  EXPECT_TRUE(kept(f).empty());
  EXPECT_EQ(f.size(), 3u);
}

TEST_F(Passes, PointersMadeInTheOuterLoopAreBasesOfTheInner) {
  auto& f = optimised(R"(
    define i64 @f(ptr %list, i64 %n) {
    entry:
      br label %outer
    outer:
      %node = phi ptr [ %list, %entry ], [ %successor, %latch ]
      %t = phi i64 [ 0, %entry ], [ %total, %latch ]
      %array = load ptr, ptr %node
      br label %inner
    inner:
      %i = phi i64 [ 0, %outer ], [ %next, %inner ]
      %s = phi i64 [ %t, %outer ], [ %total, %inner ]
      %place = getelementptr i64, ptr %array, i64 %i
      %v = load i64, ptr %place
      %total = add i64 %s, %v
      %next = add i64 %i, 1
      %more = icmp slt i64 %next, %n
      br i1 %more, label %inner, label %latch
    latch:
      %link = getelementptr i8, ptr %node, i64 8
      %successor = load ptr, ptr %link
      %end = icmp eq ptr %successor, null
      br i1 %end, label %done, label %outer
    done:
      ret i64 %total
    })",
                      OptLevel::O2);
  auto values = kept(f);
  bool sawLoaded = false;
  for (const auto* value : values) sawLoaded |= llvm::isa<llvm::LoadInst>(value);
  EXPECT_TRUE(sawLoaded);
  EXPECT_THAT(values, testing::Contains(f.getArg(0)));
}

TEST_F(Passes, EveryExitIsCovered) {
  auto& f = optimised(R"(
    declare void @g(ptr)
    define i64 @f(ptr %object, i64 %n) {
    entry:
      br label %loop
    loop:
      %i = phi i64 [ 0, %entry ], [ %next, %step ]
      %place = getelementptr i64, ptr %object, i64 %i
      %v = load i64, ptr %place
      %found = icmp eq i64 %v, 7
      br i1 %found, label %early, label %step
    step:
      %next = add i64 %i, 1
      %more = icmp slt i64 %next, %n
      br i1 %more, label %loop, label %done
    early:
      call void @g(ptr null)
      ret i64 %i
    done:
      ret i64 -1
    })",
                      OptLevel::O2);
  EXPECT_EQ(kept(f).size(), 2u);
}

}  // namespace
}  // namespace gaur::jit
