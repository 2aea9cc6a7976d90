// gaur.hpp, used as a client would: every class and member, what fails and how that is told, and that nothing
// is left behind.
#include "client.hpp"
#include "mu/gaur.hpp"

#include <unistd.h>

#include <atomic>
#include <iterator>
#include <thread>

namespace {

constexpr const char* kBundle = R"(
.typedef @i1 = int<1> .typedef @i8 = int<8> .typedef @i32 = int<32> .typedef @i64 = int<64> .typedef @float = float .typedef @double = double
.typedef @void = void .typedef @rv = ref<@void> .typedef @ptr = uptr<@i64> .typedef @pair = struct<@i64 @double> .typedef @arr = array<@i64 4>
.typedef @node = struct<@i64 @rv @arr> .typedef @hybrid = hybrid<@i64 @i32> .typedef @tag = tagref64 .typedef @stack = stackref
.const @0 <@i64> = 0 .const @1 <@i64> = 1 .const @7 <@i64> = 7 .const @pi <@double> = 3.25 d .const @a_pair <@pair> = { @7 @pi }
.const @an_array <@arr> = { @0 @1 @7 @0 } .const @null <@rv> = NULL
.funcsig @i_i = (@i64) -> (@i64) .funcsig @i_v = (@i64) -> () .funcsig @v = () -> () .typedef @fp = ufuncptr<@i_i>
.global @sum <@i64> .global @object <@rv>
.funcdef @square VERSION %v <@i_i> { %entry(<@i64> %x): %y = MUL <@i64> %x %x RET %y } .expose @square_native = @square #DEFAULT @0
.funcdef @set VERSION %v <@i_v> { %entry(<@i64> %x): STORE SEQ_CST <@i64> @sum %x RET () }
.funcdef @asks VERSION %v <@i_i> { %entry(<@i64> %x): %y = [%trap] TRAP <@i64> EXC(%fine(%y) %caught()) KEEPALIVE(%x)
  %fine(<@i64> %y): RET %y
  %caught() [%e]: STORE SEQ_CST <@rv> @object %e RET @1 } .expose @asks_native = @asks #DEFAULT @0
.funcdef @asks_and_sets VERSION %v <@i_v> { %entry(<@i64> %x): %y = CALL <@i_i> @asks (%x) CALL <@i_v> @set (%y) RET () }
)";

void failures() {
  auto wrong = mu::Vm::create("no-such-option");
  CHECK(!wrong && wrong.error().message.find("no-such-option") != std::string::npos);
  auto vm = mu::Vm::create("opt=0").value();
  auto context = vm.context().value();
  mu::Status status = context.load(".typedef @x = int<64>\n.typedef @y = nonsense\n");
  CHECK(!status && status.error().line == 2 && !status.error().code.empty());
  CHECK(!context.id("x"));
  CHECK(context.load(kBundle).ok());
  CHECK(!context.id("nobody") && context.id("nobody").error().code == "A0008");
  // An empty value goes through a chain.
  mu::Value nothing = context.newFixed("nobody").iref().field(1).load();
  CHECK(!nothing && !nothing.to<int>());
  CHECK(!mu::Value().to<int>() && !mu::Value().load());
  CHECK(context.value(1).to<double>().error().code == "A0004");
  CHECK(context.value(1).to<double>().valueOr(2.5) == 2.5);
  CHECK(!context.native<std::int64_t(std::int64_t)>("square"));
  CHECK(!context.run("nobody") && context.lastError()->code == "A0005");
}

void values(mu::Context& context) {
  CHECK(context.value<std::int32_t>(-5).to<std::int64_t>().value() == -5);
  CHECK(context.value<std::uint8_t>(250).to<std::uint64_t>().value() == 250);
  CHECK(context.value(true).to<bool>().value() && !context.value(false).to<bool>().value());
  CHECK(context.value(7, 6).to<std::int8_t>().value() == 7 && context.value(63, 6).to<int>().value() == -1);
  CHECK(context.value(1.5f).to<float>().value() == 1.5f && context.value(2.5).to<double>().value() == 2.5);
  CHECK(context.words({1, 2, 3}, 192).to<std::uint64_t>().value() == 1);
  std::int64_t cell = 9;
  CHECK(context.pointer("ptr", &cell).to<std::int64_t*>().value() == &cell);
  CHECK(context.constant("pi").to<double>().value() == 3.25);
  auto square = context.native<std::int64_t(std::int64_t)>("@square_native").value();
  CHECK(square(12) == 144);
  CHECK(context.functionPointer("fp", square).to<std::int64_t (*)(std::int64_t)>().value() == square);
  mu::Value exposed = context.function("square").expose(3);
  CHECK(exposed.to<std::int64_t (*)(std::int64_t)>().value()(5) == 25);
  CHECK(exposed.unexpose().ok() && exposed.unexpose().error().code == "A0017");
  // Moves.
  mu::Value a = context.value(1), b = std::move(a);
  CHECK(!a && b.to<int>().value() == 1);
  a = std::move(b);
  CHECK(a && !b);
  CHECK(context.name(context.id("square").value()).value() == "@square");
}

void composites(mu::Context& context) {
  mu::Value pair = context.constant("a_pair").insert(0, context.value<std::int64_t>(40));
  CHECK(pair.extract(0).to<int>().value() == 40 && pair.extract(1).to<double>().value() == 3.25);
  mu::Value array = context.constant("an_array").with(3, context.value<std::int64_t>(8));
  CHECK(array.at(2).to<int>().value() == 7 && array.at(3).to<int>().value() == 8 && !array.at(4));
  mu::Value tagged = context.newFixed("tag").iref().load();
  CHECK(tagged.holdsDouble() && !tagged.holdsInt() && !tagged.holdsRef() &&
        tagged.taggedDouble().to<double>().value() == 0);
  CHECK(!tagged.taggedInt() && !tagged.taggedRef() && !tagged.tag());
  CHECK(context.tagged(2.5).taggedDouble().to<double>().value() == 2.5);
  CHECK(context.taggedInt(-9).holdsInt() && context.taggedInt(-9).taggedInt().to<int>().value() == -9);
  mu::Value object = context.newFixed("void"), ref = context.taggedRef(object, 37);
  CHECK(ref.holdsRef() && ref.taggedRef().equals(object).value() && ref.tag().to<unsigned>().value() == 37);
}

void memory(mu::Context& context) {
  mu::Value node = context.newFixed("node");
  CHECK(node.iref().field(0).store(context.value<std::int64_t>(11)).ok());
  CHECK(node.iref().field(1).store(node, mu::Order::Release).ok());
  CHECK(node.iref().field(1).load(mu::Order::Acquire).refcast("rv").equals(node).value());
  mu::Value elements = node.iref().field(2);
  CHECK(elements.element(3).store(context.value<std::int64_t>(5)).ok() &&
        elements.element(0).shift(3).load().to<int>().value() == 5);
  CHECK(elements.element(1).isBefore(elements.element(2)).value() &&
        !elements.element(1).isBefore(elements.element(1)).value());
  mu::Value place = node.iref().field(0);
  bool exchanged = false;
  CHECK(place.compareExchange(context.value<std::int64_t>(11), context.value<std::int64_t>(12), exchanged)
                .to<int>()
                .value() == 11 &&
        exchanged);
  CHECK(place.compareExchange(context.value<std::int64_t>(11), context.value<std::int64_t>(13), exchanged)
                .to<int>()
                .value() == 12 &&
        !exchanged);
  CHECK(place.update(MU_ARMW_ADD, context.value<std::int64_t>(30)).to<int>().value() == 12 &&
        place.load().to<int>().value() == 42);
  mu::Value items = context.newHybrid("hybrid", 10).iref().variablePart();
  CHECK(items.shift(9).store(context.value(-1)).ok() && items.shift(9).load().to<int>().value() == -1);
  {
    mu::Pin pin(node);
    CHECK(pin && *pin.as<std::int64_t>() == 42 && context.global("sum").address());
  }
  CHECK(context.fence(mu::Order::SeqCst).ok() && !context.fence(mu::Order::NotAtomic));
  CHECK(context.enableWatchpoint(3).ok() && context.disableWatchpoint(3).ok() &&
        !context.enableWatchpoint(0));
}

std::int64_t sum(mu::Context& context) {
  return context.global("sum").load(mu::Order::SeqCst).to<std::int64_t>().value();
}

void threads(mu::Vm& vm, mu::Context& context) {
  CHECK(context.run("set", context.value<std::int64_t>(77)));
  CHECK(vm.wait().ok() && sum(context) == 77);
  CHECK(!context.run("set") && context.lastError()->code == "A0022");
  // Contexts of several threads at once.
  std::atomic<int> good{0};
  std::vector<std::thread> natives;
  for (int i = 0; i < 4; ++i)
    natives.emplace_back([&vm, &good, i] {
      auto own = vm.context().value();
      for (int j = 0; j < 1000; ++j)
        if (own.value(i * j).to<int>().value() != i * j) return;
      ++good;
    });
  for (std::thread& native : natives) native.join();
  CHECK(good == 4);
}

void traps(mu::Vm& vm, mu::Context& context) {
  auto asks = context.native<std::int64_t(std::int64_t)>("asks_native").value();
  const MuID function = context.id("asks").value(), instruction = context.id("asks.v.entry.trap").value();
  int calls = 0;
  CHECK(vm.onTrap([&](mu::Trap& trap) {
            ++calls;
            mu::Cursor frame = trap.frames();
            CHECK(trap.watchpoint() == 0 && trap.thread() && trap.stack());
            CHECK(frame.function().value() == function && frame.version().value() != MU_NO_ID &&
                  frame.instruction().value() == instruction);
            std::vector<mu::Value> kept = frame.keepalives(1);
            CHECK(frame.copy().function().value() == function);
            trap.resume(trap.context().value<std::int64_t>(2 * kept[0].to<std::int64_t>().value()));
          }).ok());
  CHECK(asks(21) == 42 && calls == 1);
  // The thread-local of the thread that trapped.
  CHECK(vm.onTrap([](mu::Trap& trap) {
            mu::Value object = trap.context().newFixed("void");
            CHECK(trap.thread().setThreadLocal(object).ok() &&
                  trap.thread().threadLocal().equals(object).value());
            trap.resume(trap.context().value<std::int64_t>(3));
          }).ok());
  CHECK(asks(21) == 3);
  // Throws.
  CHECK(vm.onTrap([](mu::Trap& trap) { trap.raise(trap.context().newFixed("void")); }).ok());
  CHECK(asks(21) == 1 && context.global("object").load().equals(context.constant("null")).value() == false);
  // Another stack goes on; the trapped one stays where it is, until it is killed or resumed.
  CHECK(vm.onTrap([](mu::Trap& trap) {
            CHECK(trap.stack().kill().ok());
            trap.resumeOn(trap.context().newStack(trap.context().function("set")),
                          trap.context().value<std::int64_t>(5));
          }).ok());
  CHECK(context.run("asks_and_sets", context.value<std::int64_t>(1)) && vm.wait().ok() && sum(context) == 5);
  // Frames are popped: the outer one goes on with what the inner one should have given.
  CHECK(vm.onTrap([](mu::Trap& trap) {
            {
              mu::Cursor frame = trap.frames();
              CHECK(frame.next().ok() && frame.popFrames().ok());
            }
            CHECK(trap.stack().pushFrame(trap.context().function("square")).ok());
            trap.resume(trap.context().value<std::int64_t>(9));
          }).ok());
  CHECK(context.run("asks_and_sets", context.value<std::int64_t>(1)) && vm.wait().ok() && sum(context) == 81);
  // The thread ends, where nothing else is said.
  CHECK(vm.onTrap([](mu::Trap&) {}).ok());
  CHECK(context.run("asks_and_sets", context.value<std::int64_t>(1)) && vm.wait().ok() && sum(context) == 81);
  mu::Value stack = context.newStack(context.function("set"));
  CHECK(context.start(stack, context.value<std::int64_t>(6)) && vm.wait().ok() && sum(context) == 6 &&
        !stack.kill());
}

/// What has not been in the other bundles.
void everyInstruction(mu::Vm& vm, mu::Context& context) {
  auto b = context.builder().value();
  const MuID i64 = context.id("i64").value(), i1 = context.id("i1").value(),
             stack = context.id("stack").value();
  const MuID sig = b.signature({i64}, {i64}), f = b.function(sig, "@every"),
             stackSig = b.signature({stack}, {});
  const MuID give = b.function(stackSig, "@gives"), helper = b.function(sig, "@add_one");
  const MuID wide = b.intType(128), pair = b.structType(std::vector<MuID>{i64, i64}),
             four = b.vectorType(i64, 4);
  const MuID hybrid = b.hybridType({}, i64), zero = b.intConstant(i64, 0), one = b.intConstant(i64, 1);
  const MuID zeros = b.sequenceConstant(four, {zero, one, zero, one}),
             pairs = b.sequenceConstant(pair, {zero, one});
  CHECK(b.weakrefType(i64) && b.tagref64Type() && b.threadrefType() && b.framecursorrefType() &&
        b.irbuilderrefType());
  auto h = b.block({i64});
  h.ret({h.binop(MU_BINOP_ADD, i64, h[0], one)});
  b.version(helper, {&h});
  // The other stack gives 40 and ends with the exception that it is sent.
  auto g = b.block({stack}), last = b.block({}, true), never = b.block();
  g.swapStack(0, g[0], b.retWith({}), b.passValues({i64}, {b.intConstant(i64, 40)}),
              b.excClause(b.dest(never), b.dest(last)));
  never.ret();
  last.common(0, MU_CI_UVM_THREAD_EXIT);
  b.version(give, {&g, &last, &never});

  auto entry = b.block({i64}), small = b.block({i64}), other = b.block({i64}), off = b.block({i64}),
       on = b.block({i64}), end = b.block({i64});
  const MuID here = entry.common(1, MU_CI_UVM_CURRENT_STACK)[0];
  const MuID generator = entry.common(1, MU_CI_UVM_NEW_STACK, {b.symbol("@gives")}, {}, {stackSig})[0];
  const MuID forty = entry.swapStack(1, generator, b.retWith({i64}), b.passValues({stack}, {here}))[0];
  entry.common(0, MU_CI_UVM_KILL_STACK, {generator});
  const auto sum = entry.binopWithStatus(MU_BINOP_ADD, MU_BOS_Z | MU_BOS_V, i64, forty, entry[0]);
  CHECK(sum.size() == 3);
  const MuID place =
      entry.variablePart(hybrid, entry.getIref(hybrid, entry.newHybrid(hybrid, i64, b.intConstant(i64, 3))));
  const MuID second = entry.shift(i64, i64, place, one);
  entry.store(i64, second, sum[0]);
  const auto [found, exchanged] = entry.compareExchange(i64, second, sum[0], one);
  const MuID before = entry.update(MU_ARMW_ADD, i64, second, found);
  entry.fence(mu::Order::SeqCst);
  const MuID cell = entry.allocaFixed(i64),
             cells = entry.variablePart(hybrid, entry.allocaHybrid(hybrid, i64, one));
  entry.store(i64, cell, before);
  entry.store(i64, cells, entry.load(i64, second));
  const MuID p = entry.insertValue(pair, 0, pairs, entry.load(i64, cell)), q = entry.extractValue(pair, 0, p);
  const MuID v = entry.insertElement(four, i64, zeros, one, entry.load(i64, cells));
  const MuID e = entry.extractElement(four, i64, entry.shuffle(four, four, v, v, zeros), one);
  const MuID flag = entry.convert(MU_CONV_ZEXT, i1, i64, exchanged);
  const MuID all = entry.binop(MU_BINOP_ADD, i64, entry.binop(MU_BINOP_ADD, i64, q, e), flag);
  entry.switchOn(i64, entry[0], b.dest(other, {all}),
                 {{zero, b.dest(small, {one})}, {one, b.dest(small, {zero})}});
  small.tailCall(sig, helper, {small[0]});
  other.watchpointBranch(77, b.dest(off, {other[0]}), b.dest(on, {other[0]}));
  on.ret({zero});
  off.watchpoint(78, {i64}, b.dest(end, {off[0]}), b.dest(on, {off[0]}));
  end.ret({end[0]});
  b.version(f, {&entry, &small, &other, &off, &on, &end});
  b.expose(f, zero, "@every_native");
  b.cell(wide, "@wide_cell");
  b.wideConstant(wide, {5, 1}, "@wide_constant");
  const mu::Status loaded = b.load();
  if (!loaded) std::fprintf(stderr, "%s\n", loaded.error().message.c_str());
  CHECK(loaded.ok());
  auto every = context.native<std::int64_t(std::int64_t)>("every_native").value();
  // The exchange leaves 1, which the update finds and makes 43; and the flag.
  CHECK(every(2) == 1 + 43 + 1);
  CHECK(every(0) == 2 && every(1) == 1);
  CHECK(context.enableWatchpoint(77).ok() && every(2) == 0 && context.disableWatchpoint(77).ok());
  CHECK(context.constant("wide_constant").to<std::uint64_t>().value() == 5);
  CHECK(vm.wait().ok());
}

/// An image of the program, and a machine that goes on from it.
void images(mu::Context& context) {
  const std::string path = "/tmp/gaur_hpp." + std::to_string(getpid()) + ".img";
  CHECK(context.global("sum").store(context.value<std::int64_t>(1234)).ok());
  CHECK(!context.makeImage(path.c_str(), {MuID{0xfffffff0u}}));
  const mu::Status made =
      context.makeImage(path.c_str(), {context.id("square_native").value(), context.id("sum").value()});
  if (!made) std::fprintf(stderr, "%s\n", made.error().message.c_str());
  CHECK(made.ok());
  {
    auto vm = mu::Vm::fromImage(path.c_str(), "opt=0").value();
    auto there = vm.context().value();
    CHECK(there.global("sum").load().to<int>().value() == 1234);
    CHECK(there.native<std::int64_t(std::int64_t)>("square_native").value()(9) == 81);
    CHECK(!vm.runImage(0, nullptr));
  }
  std::remove(path.c_str());
  CHECK(!mu::Vm::fromImage(path.c_str()));
  CHECK(!context.global("sum").relocate("stdin"));
}

void builders(mu::Vm& vm, mu::Context& context) {
  CHECK(gaur_has_feature("ir-builder") && !gaur_has_feature("flying"));
  {
    auto b = context.builder().value();
    const MuID i64 = context.id("i64").value(), i1 = b.intType(1);
    const MuID zero = b.intConstant(i64, 0), one = b.intConstant(i64, 1);
    const MuID sig = b.signature({i64}, {i64}), fact = b.function(sig, "@fact");
    b.expose(fact, zero, "@fact_native");
    auto entry = b.block({i64}), end = b.block(), more = b.block({i64});
    entry.branch2(entry.cmp(MU_CMP_SLE, i64, entry[0], one), b.dest(end), b.dest(more, {entry[0]}));
    end.ret({one});
    const MuID less = more.binop(MU_BINOP_SUB, i64, more[0], one);
    more.ret({more.binop(MU_BINOP_MUL, i64, more[0], more.call(1, sig, fact, {less})[0])});
    b.version(fact, {&entry, &end, &more}, "@fact.v1");
    CHECK(i1 != MU_NO_ID && b.load().ok());
  }
  CHECK(context.native<std::int64_t(std::int64_t)>("fact_native").value()(10) == 3628800);
  {
    // Memory, exceptions, traps, conversions.
    auto b = context.builder().value();
    const MuID i64 = context.id("i64").value(), i32 = context.id("i32").value(),
               i1 = context.id("i1").value();
    const MuID sig = b.signature({i64}, {i64}), f = b.function(sig, "@mixed"),
               thrower = b.function(sig, "@thrower");
    const MuID pair = b.structType({i64, i64}), hybrid = b.hybridType({i64}, i64),
               array = b.arrayType(i64, 3);
    const MuID two = b.intConstant(i64, 2), total = b.cell(i64, "@total");
    auto t0 = b.block({i64});
    t0.raise(t0.newFixed(pair));
    b.version(thrower, {&t0});
    auto entry = b.block({i64}), fine = b.block({i64, i64}), caught = b.block({i64}, true);
    const MuID place = entry.getField(pair, 1, entry.getIref(pair, entry.newFixed(pair)));
    entry.store(i64, place, entry[0]);
    entry.store(i64, total, entry.load(i64, place), mu::Order::SeqCst);
    entry.newHybrid(hybrid, i64, two);
    entry.getElement(array, i64, entry.getIref(array, entry.newFixed(array)), two);
    const MuID narrow = entry.convert(MU_CONV_TRUNC, i64, i32, entry[0]);
    const MuID wide = entry.convert(MU_CONV_SEXT, i32, i64, narrow);
    const MuID same = entry.select(i1, i64, entry.cmp(MU_CMP_EQ, i64, wide, entry[0]), wide, two);
    const MuID answer = entry.trap({i64}, 0, b.keepalives({same}))[0];
    const MuID result = b.symbol();
    MuID results[] = {result}, arguments[] = {answer};
    entry.end(&MuIRBuilder::new_call, results, std::size(results), sig, thrower, arguments,
              std::size(arguments), b.excClause(b.dest(fine, {result, answer}), b.dest(caught, {answer})),
              MuID{0});
    fine.ret({fine[0]});
    caught.ret({caught.binop(MU_BINOP_MUL, i64, caught[0], two)});
    CHECK(caught.exception() != MU_NO_ID);
    b.version(f, {&entry, &fine, &caught});
    b.expose(f, context.id("0").value(), "@mixed_native");
    CHECK(b.load().ok());
  }
  CHECK(vm.onTrap([](mu::Trap& trap) {
            const int kept = trap.frames().keepalives(1)[0].to<int>().value();
            trap.resume(trap.context().value<std::int64_t>(kept + 1));
          }).ok());
  CHECK(context.native<std::int64_t(std::int64_t)>("mixed_native").value()(20) == 42);
  CHECK(context.global("total").load().to<int>().value() == 20);
  everyInstruction(vm, context);
  // What is wrong is told at once for the whole bundle; what is given up leaves nothing.
  auto wrong = context.builder().value();
  wrong.intConstant(wrong.symbol("@missing"), 5, "@five");
  CHECK(!wrong.load());
  {
    auto given = context.builder().value();
    given.intType(24, "@given_up");
  }
  CHECK(!context.id("given_up") && !context.id("five"));
}

}  // namespace

int main() {
  failures();
  auto vm = mu::Vm::create().value();
  {
    auto context = vm.context().value();
    CHECK(context.load(kBundle).ok() && !context.loadHail("?"));
    values(context);
    composites(context);
    memory(context);
    threads(vm, context);
    traps(vm, context);
    builders(vm, context);
    images(context);
    mu::Context other = std::move(context);
    CHECK(other.value(3).to<int>().value() == 3);
  }
  mu::Vm moved = std::move(vm);
  CHECK(moved.id("square").ok() && !moved.lastError());
  return 0;
}
