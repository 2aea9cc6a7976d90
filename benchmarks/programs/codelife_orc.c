// codelife_orc FUNCTION N LEVEL: what codelife does, by LLVM's ORC alone: a module of one function, in text,
// is added, compiled at the level, called, and removed with its resource tracker. Prints the same lines.
// Needs LLVM.
#include <llvm-c/Core.h>
#include <llvm-c/IRReader.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <string.h>

#include "codelife.h"

static int64_t level;
static LLVMTargetMachineRef machine;
static LLVMOrcLLJITRef jit;
static char* text;

static void orEnd(LLVMErrorRef error) {
  if (!error) return;
  fprintf(stderr, "codelife_orc: %s\n", LLVMGetErrorMessage(error));
  exit(1);
}

static LLVMTargetMachineRef makeMachine(void) {
  LLVMTargetRef target = NULL;
  char* message = NULL;
  char* triple = LLVMGetDefaultTargetTriple();
  if (LLVMGetTargetFromTriple(triple, &target, &message)) {
    fprintf(stderr, "codelife_orc: %s\n", message);
    exit(1);
  }
  LLVMTargetMachineRef made = LLVMCreateTargetMachine(
      target, triple, "", "", level == 0 ? LLVMCodeGenLevelNone : LLVMCodeGenLevelDefault, LLVMRelocPIC,
      LLVMCodeModelSmall);
  LLVMDisposeMessage(triple);
  return made;
}

static void once(int64_t* cell) {
  // A context each: types and constants stay in it for as long as it lives.
  LLVMOrcThreadSafeContextRef context = LLVMOrcCreateNewThreadSafeContext();
  LLVMMemoryBufferRef buffer = LLVMCreateMemoryBufferWithMemoryRange(text, strlen(text), "function", 1);
  LLVMModuleRef module = NULL;
  char* message = NULL;
  if (LLVMParseIRInContext(LLVMOrcThreadSafeContextGetContext(context), buffer, &module, &message)) {
    fprintf(stderr, "codelife_orc: %s\n", message);
    exit(1);
  }
  LLVMSetDataLayout(module, LLVMOrcLLJITGetDataLayoutStr(jit));
  if (level != 0) {
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    orEnd(LLVMRunPasses(module, "default<O2>", machine, options));
    LLVMDisposePassBuilderOptions(options);
  }
  LLVMOrcThreadSafeModuleRef safe = LLVMOrcCreateNewThreadSafeModule(module, context);
  LLVMOrcDisposeThreadSafeContext(context);
  LLVMOrcResourceTrackerRef tracker = LLVMOrcJITDylibCreateResourceTracker(LLVMOrcLLJITGetMainJITDylib(jit));
  orEnd(LLVMOrcLLJITAddLLVMIRModuleWithRT(jit, tracker, safe));
  LLVMOrcExecutorAddress address = 0;
  orEnd(LLVMOrcLLJITLookup(jit, &address, "f0"));
  ((void (*)(int64_t*))(uintptr_t)address)(cell);
  orEnd(LLVMOrcResourceTrackerRemove(tracker));
  LLVMOrcReleaseResourceTracker(tracker);
}

int main(int argc, char** argv) {
  const int64_t n = sizeArgument(argc, argv, 2);
  level = sizeArgument(argc, argv, 3);
  text = readText(argv[1]);
  LLVMInitializeNativeTarget();
  LLVMInitializeNativeAsmPrinter();
  machine = makeMachine();
  LLVMOrcLLJITBuilderRef builder = LLVMOrcCreateLLJITBuilder();
  LLVMOrcLLJITBuilderSetJITTargetMachineBuilder(
      builder, LLVMOrcJITTargetMachineBuilderCreateFromTargetMachine(makeMachine()));
  orEnd(LLVMOrcCreateLLJIT(&jit, builder));
  measureMany(n, once);
  orEnd(LLVMOrcDisposeLLJIT(jit));
  LLVMDisposeTargetMachine(machine);
  free(text);
  return 0;
}
