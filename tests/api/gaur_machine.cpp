// gaur.hpp where it is about machines and threads: error handlers, native threads that come and go,
// thread-locals, stacks that go on in place of others; and the forms of calls that gaur_hpp.cpp has not.
#include <unistd.h>

#include <atomic>
#include <thread>

#include "client.hpp"
#include "mu/gaur.hpp"
#include "mu/mu-fastimpl.h"

namespace {

constexpr const char* kBundle = R"(
.typedef @i64 = int<64> .typedef @void = void .typedef @rv = ref<@void> .typedef @ptr = uptr<@i64> .const @0 <@i64> = 0 .const @1 <@i64> = 1
.funcsig @v = () -> () .funcsig @i_v = (@i64) -> () .funcsig @i_i = (@i64) -> (@i64) .typedef @fp = ufuncptr<@i_i>
.typedef @sr = stackref .global @stack <@sr> .global @sum <@i64> .global @object <@rv> .global @pointer <@ptr> .const @null <@rv> = NULL
.funcdef @set VERSION %v <@i_v> { %entry(<@i64> %x): STORE SEQ_CST <@i64> @sum %x RET () }
.funcdef @keeps_local VERSION %v <@v> {
  %entry(): %local = COMMINST @uvm.get_threadlocal STORE SEQ_CST <@rv> @object %local RET () }
.funcdef @local VERSION %v <@v> { %entry(): CALL <@v> @keeps_local () RET () } .expose @local_native = @local #DEFAULT @0
.funcdef @traps VERSION %v <@v> { %entry(): TRAP <> RET () }
.funcdef @catches VERSION %v <@v> {
  %entry(): CALL <@v> @traps () EXC(%fine() %caught())
  %fine(): RET ()
  %caught() [%e]: STORE SEQ_CST <@rv> @object %e RET () }
.const @f <@fp> = EXTERN "f"
.funcdef @call VERSION %v <@i_i> {
  %entry(<@i64> %x): %y = CCALL #DEFAULT <@fp @i_i> @f (%x) EXC(%ok(%y) %bad())
  %ok(<@i64> %y): RET %y
  %bad() [%e]: %isNull = EQ <@rv> %e @null %one = SELECT <int<1> @i64> %isNull @0 @1 RET %one } .expose @call_native = @call #DEFAULT @0
)";

using Number = std::int64_t(std::int64_t);

void errors(mu::Vm& vm, mu::Context& context) {
  std::vector<std::string> told;
  CHECK(vm.onError([&](const mu::Error& error) {
            told.push_back(error.code);
            // What it does with the machine changes nothing of the error.
            CHECK(context.id("i64").ok() && !vm.lastError());
          }).ok());
  *vm.errorFlag() = 0;
  CHECK(context.id("set").ok() && *vm.errorFlag() == 0 && told.empty());
  const auto missing = context.id("nobody");
  CHECK(!missing && missing.error().code == "A0008" && *vm.errorFlag() == 1 &&
        told == std::vector<std::string>{"A0008"});
  const mu::Status status = context.load(".typedef @x = int<64>\n  .typedef @y = nonsense\n");
  CHECK(!status && status.error().line == 2 && status.error().column != 0 && told.size() == 2);
  // Of another thread; and the handler can be another one.
  std::atomic<int> others{0};
  CHECK(vm.onError([&](const mu::Error&) { ++others; }).ok());
  std::thread([&] {
    CHECK(!vm.id("nobody") && vm.lastError());
    CHECK(vm.detach().ok());
  }).join();
  CHECK(others == 1 && told.size() == 2);
  CHECK(vm.onError({}).ok() && !context.id("nobody") && others == 1);
}

void threads(mu::Vm& vm, mu::Context& context) {
  CHECK(gaur_current_vm() == vm.get());
  {
    // Already attached: nothing changes at its end.
    const mu::Attachment here(vm);
    CHECK(here.status().ok());
  }
  CHECK(gaur_current_vm() == vm.get());
  auto local = context.native<void()>("local_native").value();
  mu::Value object = context.newFixed("i64");
  const mu::Pin pin(object);
  std::thread([&] {
    CHECK(gaur_current_vm() == nullptr);
    {
      const mu::Attachment here(vm);
      CHECK(here.status().ok() && gaur_current_vm() == vm.get());
      CHECK(vm.setThreadLocal(pin.as<void>()).ok());
      local();
      auto current = vm.currentContext().value();
      CHECK(current.value(5).to<int>().value() == 5);
      CHECK(vm.currentContext().value().get() == current.get());
    }
    CHECK(gaur_current_vm() == nullptr && vm.attach().ok() && vm.detach().ok() &&
          gaur_current_vm() == nullptr);
    // Detaching twice is no mistake.
    CHECK(vm.detach().ok());
  }).join();
  CHECK(context.global("object").load(mu::Order::SeqCst).refcast("rv").equals(object.refcast("rv")).value());
  // Mu threads: the thread-local that they begin with.
  const mu::Value stack = context.newStack(context.function("keeps_local"));
  mu::Value other = context.newFixed("void");
  CHECK(context.startWithThreadLocal(other, stack) && vm.wait().ok());
  CHECK(context.global("object").load(mu::Order::SeqCst).equals(other).value());
  CHECK(!context.startWithThreadLocal(context.value(1), context.newStack(context.function("keeps_local"))));
}

/// A trapped stack is left as it is, and goes on, by throwing, in the thread that traps next.
void traps(mu::Vm& vm, mu::Context& context) {
  CHECK(context.global("object").store(context.constant("null")).ok());
  int calls = 0;
  CHECK(vm.onTrap([&](mu::Trap& trap) {
            mu::Value left = trap.context().global("stack");
            if (++calls == 1)
              CHECK(left.store(trap.stack()).ok());
            else
              trap.raiseOn(left.load(), trap.context().newFixed("void"));
          }).ok());
  CHECK(context.run("catches") && vm.wait().ok());
  CHECK(calls == 1 && context.global("object").load().equals(context.constant("null")).value());
  CHECK(context.run("traps") && vm.wait().ok());
  CHECK(calls == 2 && !context.global("object").load().equals(context.constant("null")).value());
  CHECK(vm.onTrap({}).ok());
}

/// Native code that throws without exceptions of C++.
void raises(mu::Context& context) {
  auto* call = context.native<Number>("call_native").value();
  context
      .bind("f",
            [](mu::Caller& caller, std::int64_t x) -> std::int64_t {
              if (x == 1) static_cast<void>(caller.raise(mu::Value()));
              if (x == 2) static_cast<void>(caller.raise(caller.context().newFixed("void")));
              return x;
            })
      .value();
  for (int i = 0; i < 1000; ++i) CHECK(call(1) == 0 && call(2) == 1 && call(3) == 3);
  // Where no Mu code has called, it comes back.
  mu::Caller nobody;
  CHECK(nobody.raise(mu::Value()).error().code == "R0040");
  context.unbind("f").value();
}

/// Raw pointers, exceptions of single accesses, weak exchanges: forms of instructions.
void instructions(mu::Context& context) {
  auto b = context.builder().value();
  const MuID i64 = context.id("i64").value(), i1 = b.intType(1), pair = b.structType({i64, i64}),
             pairPointer = b.uptrType(pair), sig = b.signature({b.uptrType(pair)}, {i64}),
             null = b.nullConstant(b.irefType(i64)), one = b.intConstant(i64, 1);
  const MuID f = b.function(sig, "@forms");
  auto entry = b.block({pairPointer}), there = b.block({i64, i1, i64}), again = b.block({i64, i1, i64}),
       stored = b.block({i64}), none = b.block({i64}, true);
  const auto viaPointer = mu::Via::Pointer;
  const MuID second = entry.getField(pair, 1, entry[0], viaPointer);
  const MuID first = entry.shift(i64, i64, second, b.intConstant(i64, ~std::uint64_t{0}), viaPointer);
  entry.store(i64, first, entry.load(i64, second, mu::Order::Acquire, viaPointer), mu::Order::Release,
              viaPointer);
  const MuID before = entry.update(MU_ARMW_ADD, i64, first, one, mu::Order::SeqCst, viaPointer);
  const auto [found, exchanged] =
      entry.compareExchange(i64, second, before, one, mu::Order::SeqCst, mu::Order::SeqCst, viaPointer, true);
  entry.branch(there, {found, exchanged, before});
  // Through NULL: each access goes to its own destination.
  there.load(i64, null, mu::Order::NotAtomic, mu::Via::Iref,
             b.excClause(b.dest(again, {there[0], there[1], there[2]}), b.dest(none, {there[0]})));
  again.ret({again[2]});
  none.store(i64, null, none[0], mu::Order::NotAtomic, mu::Via::Iref,
             b.excClause(b.dest(stored, {one}), b.dest(stored, {none[0]})));
  stored.ret({stored[0]});
  b.version(f, {&entry, &there, &again, &stored, &none});
  b.expose(f, context.id("0").value(), "@forms_native");
  const mu::Status loaded = b.load();
  if (!loaded) std::fprintf(stderr, "%s\n", loaded.error().message.c_str());
  CHECK(loaded.ok());
  CHECK(!b.load() && !b.abort());  // It is used up.
  std::int64_t words[2] = {3, 40};
  CHECK(context.native<std::int64_t(std::int64_t*)>("forms_native").value()(words) == 40 && words[0] == 41);
  // A weak exchange may fail without a reason, a strong one never.
  mu::Value cell = context.global("sum");
  CHECK(cell.store(context.value<std::int64_t>(1)).ok());
  bool done = false;
  for (int i = 0; i < 1000 && !done; ++i)
    static_cast<void>(cell.compareExchange(context.value<std::int64_t>(1), context.value<std::int64_t>(2),
                                           done, mu::Order::SeqCst, mu::Order::Relaxed, true));
  CHECK(done && cell.load().to<int>().value() == 2);
}

/// Bundles from a builder that can go again.
void collectible(mu::Context& context) {
  auto b = context.builder().value();
  CHECK(context.makeCollectible(b).ok());
  b.cell(b.intType(64), "@goes");
  CHECK(b.load().ok());
  const MuID cell = context.id("goes").value();
  CHECK(!context.makeCollectible(b));
  CHECK(context.unload(cell).ok() && !context.id("goes"));
  CHECK(!context.unload(context.id("sum").value()));
  auto given = context.builder().value();
  given.cell(given.intType(64), "@never");
  CHECK(given.abort().ok() && !given.abort() && !context.id("never"));
}

/// Fields that images give the address of a symbol.
void images(mu::Context& context) {
  const std::string path = "/tmp/gaur_machine." + std::to_string(getpid()) + ".img";
  const mu::Value field = context.global("pointer"), number = context.global("sum");
  mu::ImageStart start;
  start.relocations = {{&field, "words"}};
  start.symbols = {{&field, "pointer"}};
  CHECK(context.makeImage(path.c_str(), {context.id("pointer").value()}, start).ok());
  start.relocations.push_back({&number, "words"});
  CHECK(context.makeImage((path + ".bad").c_str(), {}, start).error().code == "A0015");
  std::int64_t words = 77;
  {
    auto vm = mu::Vm::fromImage(path.c_str(), nullptr, {{"words", &words}}).value();
    auto there = vm.context().value();
    CHECK(there.global("pointer").load().to<std::int64_t*>().value() == &words);
    CHECK(vm.name(there.id("pointer").value()).value() == "@pointer");
  }
  CHECK(!mu::Vm::fromImage(path.c_str()));
  std::remove(path.c_str());
}

}  // namespace

int main() {
  {
    auto vm = mu::Vm::create().value();
    auto context = vm.context().value();
    const mu::Status loaded = context.load(kBundle);
    if (!loaded) std::fprintf(stderr, "%s\n", loaded.error().message.c_str());
    CHECK(loaded.ok());
    errors(vm, context);
    threads(vm, context);
    traps(vm, context);
    raises(context);
    instructions(context);
    collectible(context);
    images(context);
  }
  // A machine that came from elsewhere, and one that goes elsewhere.
  auto adopted = mu::Vm::adopt(mu_fastimpl_new());
  CHECK(adopted.context().ok() && adopted.id("uvm.new_stack").value() == MU_CI_UVM_NEW_STACK);
  CHECK(adopted.onError([](const mu::Error&) { std::abort(); }).ok());
  MuVM* raw = nullptr;
  {
    mu::Vm leaves = std::move(adopted);
    raw = leaves.release();
    CHECK(!leaves.get());
  }
  CHECK(raw->id_of(raw, const_cast<char*>("nobody")) == 0);
  raw->close(raw);
  CHECK(!mu::Vm::ofLinkedImage(nullptr));
  return 0;
}
