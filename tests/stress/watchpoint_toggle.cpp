// Watchpoints enabled and disabled by one thread while others run, load and compile the code that has them.
//   stress_watchpoint_toggle SECONDS OPT_LEVEL
// A loop of N rounds adds 1 in each where its watchpoint is disabled and kEnabledStep where it is enabled
// (on the other side of a WPBRANCH, or as the value that a WATCHPOINT is resumed with): any other sum would
// be a round that took neither path or both. What was compiled while the states were changing has to have the
// state that was set last.
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "vm/runtime/attachment.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/resumption.h"
#include "vm/support/platform.h"

namespace {

using namespace gaur;
using runtime::MicroVm;

constexpr std::int64_t kRounds = 20000;
constexpr std::int64_t kEnabledStep = 1000003;
constexpr unsigned kLoopWatchpoint = 7;
constexpr unsigned kLoadedWatchpoint = 9;

constexpr const char* kLoop = R"(
  .typedef @i64 = int<64>
  .funcsig @loop.sig = (@i64) -> (@i64)
  .funcsig @state.sig = () -> (@i64)
  .const @0 <@i64> = 0
  .const @1 <@i64> = 1
  .const @step <@i64> = 1000003
  .funcdef @loop VERSION %v1 <@loop.sig> {
    %entry(<@i64> %n):
      BRANCH %head(%n @0)
    %head(<@i64> %n <@i64> %sum):
      WPBRANCH 7 %off(%n %sum) %on(%n %sum)
    %off(<@i64> %n <@i64> %sum):
      %next = ADD <@i64> %sum @1
      BRANCH %tail(%n %next)
    %on(<@i64> %n <@i64> %sum):
      %next = ADD <@i64> %sum @step
      BRANCH %tail(%n %next)
    %tail(<@i64> %n <@i64> %sum):
      %m = SUB <@i64> %n @1
      %more = SGT <@i64> %m @0
      BRANCH2 %more %head(%m %sum) %done(%sum)
    %done(<@i64> %sum):
      RET %sum
  }
  .funcdef @trap_loop VERSION %v1 <@loop.sig> {
    %entry(<@i64> %n):
      BRANCH %head(%n @0)
    %head(<@i64> %n <@i64> %sum):
      %step = WATCHPOINT 7 <@i64> %add(%n %sum @1) %add(%n %sum %step) KEEPALIVE(%n %sum)
    %add(<@i64> %n <@i64> %sum <@i64> %step):
      %next = ADD <@i64> %sum %step
      %m = SUB <@i64> %n @1
      %more = SGT <@i64> %m @0
      BRANCH2 %more %head(%m %next) %done(%next)
    %done(<@i64> %sum):
      RET %sum
  }
)";

/// A function that returns whether its watchpoint is enabled.
std::string stateFunction(const std::string& name) {
  return ".funcdef " + name + R"( VERSION %v1 <@state.sig> {
    %entry():
      WPBRANCH 9 %off() %on()
    %off():
      RET @0
    %on():
      RET @1
  }
)";
}

[[noreturn]] void fail(const std::string& what) {
  std::printf("%s\n", what.c_str());
  std::fflush(stdout);
  std::_Exit(1);
}

void load(MicroVm& vm, const std::string& text) {
  Diagnostics diagnostics;
  SourceText source{"stress", text};
  if (!vm.load(source, diagnostics)) fail(render(diagnostics, source));
}

std::int64_t call(MicroVm& vm, const std::string& name, std::int64_t argument = 0) {
  auto* function = vm.program().entityOf<ir::Function>(vm.program().idOf(name));
  alignas(16) std::int64_t arguments[2] = {argument, 0};
  alignas(16) std::int64_t results[2] = {};
  auto outcome = vm.call(*function, arguments, results);
  if (outcome.kind != runtime::CallOutcome::Kind::Returned) fail(outcome.report);
  return results[0];
}

struct Counts {
  std::atomic<std::uint64_t> disabled{0}, enabled{0}, toggles{0}, loaded{0};
};

/// The trap handler: resumes with kEnabledStep.
void resume(runtime::Thread& thread, abi::StackObject& stack, std::uint32_t watchpoint,
            runtime::TrapAnswer& answer, void*) {
  if (watchpoint != kLoopWatchpoint) fail("a trap of watchpoint " + std::to_string(watchpoint));
  const ir::Type* type = thread.vm().program().types().intType(64);
  const void* value = &kEnabledStep;
  runtime::setValues(abi::LayoutTable::shared(), stack, {&type, 1}, {&value, 1}, answer.image);
}

/// Runs one of the loops again and again.
void runLoops(MicroVm& vm, const char* loop, const std::atomic<bool>& stop, Counts& counts) {
  runtime::attachForGood(vm);
  while (!stop.load(std::memory_order_relaxed)) {
    std::int64_t sum = call(vm, loop, kRounds);
    std::int64_t enabled = sum / kEnabledStep, disabled = sum % kEnabledStep;
    if (enabled + disabled != kRounds)
      fail("a loop of " + std::to_string(kRounds) + " rounds gave " + std::to_string(sum));
    counts.disabled += static_cast<std::uint64_t>(disabled);
    counts.enabled += static_cast<std::uint64_t>(enabled);
  }
}

/// Loads and calls new functions, and keeps their names.
void loadFunctions(MicroVm& vm, const std::atomic<bool>& stop, std::vector<std::string>& names) {
  runtime::attachForGood(vm);
  while (!stop.load(std::memory_order_relaxed)) {
    std::string name = "@state" + std::to_string(names.size());
    load(vm, stateFunction(name));
    names.push_back(name);
    if (names.size() % 2 == 0) call(vm, name);  // the others are compiled when all is over
  }
}

/// The thread that toggles sees its own changes at once.
void toggle(MicroVm& vm, const std::atomic<bool>& stop, Counts& counts) {
  runtime::attachForGood(vm);
  auto& table = vm.watchpoints();
  for (std::uint64_t i = 1; !stop.load(std::memory_order_relaxed); ++i) {
    bool enabled = i % 2 == 1;
    table.set(kLoopWatchpoint, enabled);
    table.set(kLoadedWatchpoint, enabled);
    if (i % 16 < 2 && call(vm, "@loop", 100) != (enabled ? 100 * kEnabledStep : 100))
      fail("a change is not seen by the thread that made it");
    counts.toggles.store(i, std::memory_order_relaxed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  Options options;
  options.optLevel = std::strtoul(argv[2], nullptr, 10);
  auto vm = MicroVm::create(options);
  if (!vm) fail(vm.error().message);
  load(**vm, kLoop);
  (*vm)->trapHandlers().set(resume, nullptr);

  std::atomic<bool> stop{false};
  Counts counts;
  std::vector<std::string> names;
  std::vector<std::thread> threads;
  for (const char* loop : {"@loop", "@loop", "@trap_loop"})
    threads.emplace_back(runLoops, std::ref(**vm), loop, std::cref(stop), std::ref(counts));
  threads.emplace_back(loadFunctions, std::ref(**vm), std::cref(stop), std::ref(names));
  threads.emplace_back(toggle, std::ref(**vm), std::cref(stop), std::ref(counts));
  std::this_thread::sleep_for(std::chrono::duration<double>(std::strtod(argv[1], nullptr)));
  stop = true;
  for (auto& thread : threads) thread.join();

  for (bool enabled : {true, false, true}) {
    (*vm)->watchpoints().set(kLoadedWatchpoint, enabled);
    for (const std::string& name : names)
      if (call(**vm, name) != (enabled ? 1 : 0)) fail(name + " has missed the state of its watchpoint");
  }
  std::printf("%llu changes, %llu rounds disabled, %llu enabled, %zu functions loaded meanwhile\n",
              static_cast<unsigned long long>(counts.toggles),
              static_cast<unsigned long long>(counts.disabled),
              static_cast<unsigned long long>(counts.enabled), names.size());
  return counts.disabled > 0 && counts.enabled > 0 && !names.empty() ? 0 : 1;
}
