#include "tools/gaur/case_lifetime.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

#include "tools/gaur/command.h"
#include "vm/runtime/host_calls.h"
#include "vm/runtime/why_alive.h"

namespace gaur::tool {

namespace {

using runtime::MicroVm;

/// What a host function of the test answers that runs although it is over.
constexpr std::int64_t kCalledTooLate = -7777;

/// On a thread of its own, whose stack holds nothing of what went before.
template <class F>
auto apart(F f) {
  std::optional<decltype(f())> result;
  std::thread([&] { result.emplace(f()); }).join();
  return *std::move(result);
}

/// Until nothing changes any more: what dies takes others along, and IR waits for another collection.
void settle(MicroVm& vm) {
  constexpr int kRounds = 4;
  apart([&vm] {
    for (int i = 0; i < kRounds; ++i)
      runtime::Thread::attachedTo(vm, [&](runtime::Thread& thread) { vm.collectAndTidy(thread); });
    return true;
  });
}

std::int64_t standIn(std::int64_t) { return kCalledTooLate; }

}  // namespace

struct CaseLifetime::Environment {
  MicroVm* vm;
  std::string name;
  std::string what;
  std::int64_t number;
  std::string callee;
  std::uintptr_t hiddenPointer = 0;
  int finalised = 0;
};

CaseLifetime::CaseLifetime(const TestCase& test) : test_(test) {}
CaseLifetime::~CaseLifetime() = default;

std::vector<std::pair<std::string, void*>> CaseLifetime::stands(const TestCase& test) {
  std::vector<std::pair<std::string, void*>> symbols;
  for (const Step& step : test.steps)
    if (step.kind == Step::Kind::Host) symbols.emplace_back(step.function, reinterpret_cast<void*>(&standIn));
  return symbols;
}

void CaseLifetime::bindFirst(MicroVm& vm) {
  for (const Step& step : test_.steps)
    if (step.kind == Step::Kind::Host && first_.emplace(step.function, &step).second)
      if (std::string failure = makeHost(vm, step); !failure.empty()) throw Exit{kUsage, failure};
}

void CaseLifetime::noteNames(MicroVm& vm) {
  std::lock_guard lock(vm.program().loadMutex());
  for (const auto& bundle : vm.program().bundles()) {
    auto note = [&](const auto& entities) {
      for (const ir::Entity* entity : entities)
        if (std::string name = vm.program().nameOf(entity->id); !name.empty())
          ids_[std::string(ir::withoutSigil(name))] = entity->id;
    };
    note(bundle->functions);
    note(bundle->versions);
    note(bundle->globals);
    note(bundle->constants);
  }
}

Id CaseLifetime::idOf(MicroVm& vm, const std::string& name) const {
  auto found = ids_.find(name);
  return found != ids_.end() ? found->second : vm.program().idOf(name);
}

std::string CaseLifetime::run(MicroVm& vm, const Step& step) {
  switch (step.kind) {
    case Step::Kind::LoadCollectible: return load(vm, step.expected);
    case Step::Kind::Unload: {
      auto unloaded = vm.unload(vm.program().idOf(step.function));
      return unloaded ? "" : unloaded.error().message;
    }
    case Step::Kind::Kept:
    case Step::Kind::Gone: return keptOrGone(vm, step);
    case Step::Kind::Host: {
      auto first = first_.find(step.function);
      const bool isDone = first != first_.end() && first->second == &step;
      return isDone ? "" : makeHost(vm, step);
    }
    case Step::Kind::NoHost: vm.bindSymbol(step.function, nullptr); return "";
    case Step::Kind::Disposed: return dispose(vm, step.function);
    case Step::Kind::Finalised: {
      settle(vm);
      std::int64_t count = 0;
      for (const auto& environment : environments_) {
        if (environment->name != step.function) continue;
        if (environment->finalised > 1) return "one of @" + step.function + " was finalised more than once";
        count += environment->finalised;
      }
      return count == step.number ? "" : std::to_string(count) + " were finalised";
    }
    default: return "";
  }
}

std::string CaseLifetime::load(MicroVm& vm, const std::string& file) {
  Source source((std::filesystem::path(test_.path).parent_path() / file).string(), vm.options().errorLimit);
  if (!vm.load(source.view(), source.diagnostics, true)) return render(source.diagnostics, source.view());
  noteNames(vm);
  return "";
}

std::string CaseLifetime::keptOrGone(MicroVm& vm, const Step& step) {
  settle(vm);
  const Id id = idOf(vm, step.function);
  auto host = hosts_.find(step.function);
  auto path = apart([&] {
    const bool isHost = id == kNoId && host != hosts_.end();
    return isHost ? runtime::whyAliveHost(vm, host->second) : runtime::whyAlive(vm, id);
  });
  const bool isThere = path && (path->isPermanent || !path->steps.empty());
  const std::string way = path ? path->text() : "";
  if (step.kind == Step::Kind::Gone) {
    const bool isImages = path && path->isPermanent && !path->steps.empty();
    return isThere && !isImages ? "@" + step.function + " is still there: " + way : "";
  }
  if (!isThere) return "@" + step.function + " is gone";
  return way.find(step.expected) != std::string::npos ? "" : "no '" + step.expected + "' in\n" + way;
}

// --- Host functions ---------------------------------------------------------------------------------------

std::string CaseLifetime::makeHost(MicroVm& vm, const Step& step) {
  static constexpr std::array kKinds{"plus", "throws", "calls", "unbinds", "disposes", "collects"};
  if (std::find(kKinds.begin(), kKinds.end(), step.arguments) == kKinds.end())
    return "a host function does one of plus, throws, calls, unbinds, disposes, collects";
  const std::array<const ir::Type*, 1> words{vm.program().types().intType(64)};
  auto environment = std::make_unique<Environment>(
      Environment{&vm, step.function, step.arguments, step.number, step.expected});
  auto made = vm.hostFunctions().make({vm.program().types().signature(words, words),
                                       reinterpret_cast<void*>(&callHost), environment.get(), &finalise,
                                       step.function});
  if (!made) return made.error().message;
  vm.bindSymbol(step.function, *made);
  environment->hiddenPointer = hosts_[step.function] = ~reinterpret_cast<std::uintptr_t>(*made);
  environments_.push_back(std::move(environment));
  return "";
}

std::string CaseLifetime::dispose(MicroVm& vm, const std::string& name) {
  auto pointer = hosts_.find(name);
  abi::HostRecord* record = pointer == hosts_.end()
                                ? nullptr
                                : vm.hostFunctions().find(reinterpret_cast<const void*>(~pointer->second));
  if (!record) return "there is no host function of that name";
  return vm.hostFunctions().dispose(*record, false) ? "" : "it is disposed already";
}

void CaseLifetime::finalise(void* environment) { ++static_cast<Environment*>(environment)->finalised; }

std::int64_t CaseLifetime::callHost(std::int64_t x, void* data) {
  auto& environment = *static_cast<Environment*>(data);
  MicroVm& vm = *environment.vm;
  if (environment.finalised != 0) return kCalledTooLate;
  if (environment.what == "throws") (void)runtime::throwFromNative(nullptr);
  if (environment.what == "calls") {
    auto* callee = vm.program().entityOf<ir::Function>(vm.program().idOf(environment.callee));
    alignas(16) std::int64_t argument[2]{x, 0};
    alignas(16) std::int64_t results[2]{};
    if (!callee || vm.call(*callee, argument, results).kind != runtime::CallOutcome::Kind::Returned)
      return kCalledTooLate;
    return results[0];
  }
  if (environment.what == "unbinds") vm.bindSymbol(environment.name, nullptr);
  if (environment.what == "disposes") {
    const auto* pointer = reinterpret_cast<const void*>(~environment.hiddenPointer);
    vm.hostFunctions().dispose(*vm.hostFunctions().find(pointer), false);
  }
  if (environment.what != "plus") settle(vm);
  return environment.finalised == 0 ? x + environment.number : kCalledTooLate;
}

}  // namespace gaur::tool
