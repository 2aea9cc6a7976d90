#include "bootimage/start.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "vm/abi/layout.h"
#include "vm/runtime/resumption.h"

namespace gaur::bootimage {

bool isMainParameters(std::span<const ir::Type* const> types) {
  return types.empty() || (types.size() == 2 && ir::isInt(types[0], 32) && types[1]->is(ir::TypeKind::Uptr));
}

bool isMainSignature(const ir::Signature* signature) {
  const bool givesStatus = signature->results.empty() ||
                           (signature->results.size() == 1 && signature->results[0]->is(ir::TypeKind::Int));
  return isMainParameters(signature->parameters) && givesStatus;
}

runtime::CallOutcome callPrimordial(runtime::MicroVm& vm, const ir::Function& function, void* threadLocal,
                                    int argc, char** argv, int& status) {
  const ir::Signature* signature = function.signature->signature;
  // As jit::HostCall wants them: argc and argv, and an integer of any width.
  alignas(16) unsigned char arguments[32] = {};
  alignas(16) unsigned char results[ir::kMaxIntBits / 8] = {};
  const auto count = static_cast<std::int32_t>(argc);
  std::memcpy(arguments, &count, sizeof(count));
  std::memcpy(arguments + 16, &argv, sizeof(argv));
  runtime::CallOutcome outcome;
  withThreadLocal(vm, threadLocal, [&] { outcome = vm.call(function, arguments, results); });
  std::int32_t result = 0;
  if (outcome.kind == runtime::CallOutcome::Kind::Returned && !signature->results.empty())
    std::memcpy(
        &result, results,
        std::min<std::size_t>(sizeof(result), abi::LayoutTable::shared().of(signature->results[0]).size));
  status = result & 0xff;
  return outcome;
}

namespace {

/// The stack of the process goes on with a thread of its own. The calling thread is attached.
Result<void> startPrimordial(runtime::MicroVm& vm, abi::StackObject& stack, void* threadLocal, int argc,
                             char** argv) {
  GAUR_TRY_ASSIGN(runtime::TypeList types, runtime::expectedTypes(vm, stack));
  if (!isMainParameters(types))
    return makeError(ErrorId::ImageStack, {"waits for values that no process has when it begins"});
  const auto count = static_cast<std::int32_t>(argc);
  const void* const values[] = {&count, &argv};
  abi::ResumeImage image = {};
  runtime::setValues(abi::LayoutTable::shared(), stack, types, std::span(values).first(types.size()), image);
  if (!runtime::Thread::start(vm, stack, threadLocal, image))
    return makeError(ErrorId::SystemMemory, {"a thread", std::strerror(errno)});
  return {};
}

}  // namespace

Result<void> runPrimordial(runtime::MicroVm& vm, abi::StackObject& stack, void* threadLocal, int argc,
                           char** argv) {
  Result<void> started;
  withThreadLocal(vm, nullptr, [&] { started = startPrimordial(vm, stack, threadLocal, argc, argv); });
  if (started) vm.threads().waitForStarted();
  return started;
}

}  // namespace gaur::bootimage
