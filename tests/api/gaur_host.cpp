// Callables of C++ as host functions: what they take and give, what they capture, what they throw, and when
// it all ends.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

#include "client.hpp"
#include "mu/gaur.hpp"

static const char kText[] =
    ".typedef @i64 = int<64> .typedef @i8 = int<8> .const @0 <@i64> = 0 .const @-1 <@i64> = -1\n"
    ".typedef @rv = ref<@void> .typedef @void = void .typedef @hb = hybrid<@i64 @i8> .typedef @rhb = "
    "ref<@hb> .const @null <@rv> = NULL\n"
    ".funcsig @sig = (@i64) -> (@i64) .typedef @fp = ufuncptr<@sig> .const @f <@fp> = EXTERN \"f\"\n"
    ".funcdef @call VERSION %v <@sig> {\n"
    "  %entry(<@i64> %x): %y = CCALL #DEFAULT <@fp @sig> @f (%x) EXC(%ok(%y) %bad())\n"
    "  %ok(<@i64> %y): RET %y\n"
    "  %bad()[%e]: %isNull = EQ <@rv> %e @null BRANCH2 %isNull %none() %some(%e)\n"
    "  %none(): RET @-1\n"
    // The length of the text, or the number in the object.
    "  %some(<@rv> %e): %b = REFCAST <@rv @rhb> %e %i = GETIREF <@hb> %b %p = GETFIELDIREF <@hb 0> %i %n = "
    "LOAD <@i64> %p RET %n }\n"
    ".expose @c_call = @call #DEFAULT @0\n";

using Number = int64_t(int64_t);

/// Counts how many there are.
struct Counted {
  static int alive;
  Counted() { ++alive; }
  Counted(const Counted&) { ++alive; }
  Counted(Counted&&) noexcept { ++alive; }
  ~Counted() { --alive; }
};
int Counted::alive = 0;

static void captures(mu::Vm& vm, mu::Context& context, Number* call) {
  int64_t calls = 0;
  context.bind("f", [&calls](int64_t x) { return x + ++calls; }).value();
  CHECK(call(10) == 11 && call(10) == 12);
  context.bind("f", [](int64_t x) { return x * x; }).value();
  CHECK(call(12) == 144);
  context
      .bind(
          "f", +[](int64_t x) { return x - 1; })
      .value();
  CHECK(call(12) == 11);
  context
      .bind("f", [only = std::make_unique<int64_t>(5),
                  counted = Counted()](int64_t x) mutable { return x + (*only)++; })
      .value();
  CHECK(call(1) == 6 && call(1) == 7 && Counted::alive == 1);
  context.bind("f", std::function<Number>([](int64_t x) { return -x; })).value();
  CHECK(call(3) == -3);
  {
    mu::Value bound = context.host([&calls](int64_t x) { return x + calls; });
    context.bindValue("g", bound).value();
    CHECK(context.why(bound).value() == "the name 'g', which it is bound to\n");
    CHECK(context.whyJson().value() ==
          "{\"permanent\":false,\"path\":[\"the name 'g', which it is bound to\"]}");
    context.unbind("g").value();
    CHECK(context.why(context.value(1)).error().code == "A0004");
  }
  vm.collect().value();
  CHECK(Counted::alive == 0);
}

static void signatures(mu::Context& context) {
  enum class Colour : std::uint8_t { Red = 3 };
  mu::Value f = context.host([&](bool a, float b, double c, const char* text, Colour d, std::int16_t e) {
    return static_cast<double>(b) + c + static_cast<double>(text[0]) + static_cast<double>(d) +
           (a ? 0.5 : 0.0) + static_cast<double>(e);
  });
  auto* pointer = f.to<double (*)(bool, float, double, const char*, Colour, std::int16_t)>().value();
  CHECK(pointer(true, 1.0F, 2.0, "A", Colour::Red, -1) == 70.5);
  // Equal signatures are one, and more parameters than registers are no obstacle.
  mu::Value many = context.host([&](int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t g,
                                    int64_t h) { return a + b + c + d + e + g + h; });
  CHECK((many.to<int64_t (*)(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t)>().value()(
             1, 2, 3, 4, 5, 6, 7) == 28));
}

static void exceptions(mu::Context& context, Number* call) {
#if defined(__cpp_exceptions)
  context
      .bind("f",
            [counted = Counted()](int64_t x) -> int64_t {
              const Counted local;
              if (x == 1) throw std::runtime_error("twelve chars");
              if (x == 2) throw 5;
              return x;
            })
      .value();
  for (int i = 0; i < 1000; ++i) CHECK(call(1) == 12 && call(2) == 19 && call(3) == 3);
  CHECK(Counted::alive == 1);
  context
      .bind("f",
            [](mu::Caller& caller, int64_t x) -> int64_t {
              if (x == 0) throw mu::Exception(mu::Value());
              if (x == 1) return static_cast<int64_t>(caller.place().value().function);
              mu::Value object = caller.context().newFixed("i64");
              object.iref().store(caller.context().value(x + 1)).value();
              throw mu::Exception(std::move(object));
            })
      .value();
  CHECK(call(0) == -1 && call(41) == 42);
  CHECK(call(1) == static_cast<int64_t>(context.id("call").value()));
#else
  static_cast<void>(call);
#endif
  context.unbind("f").value();
}

/// Pointers that C++ has had lie about on its stack, where they keep what they point to.
[[gnu::noinline]] static void wipe() {
  volatile char space[16384];
  for (std::size_t i = 0; i < sizeof space; ++i) space[i] = 0;
}

[[gnu::noinline]] static void sortThrough(mu::Vm& vm, mu::Context& context) {
  std::array<int, 50> numbers{};
  for (int i = 0; i < 50; ++i) numbers[static_cast<std::size_t>(i)] = i * 7 % 50;
  int64_t comparisons = 0;
  mu::PinnedFunction<int(const void*, const void*)> compare(
      context.host([&comparisons, counted = Counted()](const void* a, const void* b) {
        ++comparisons;
        return *static_cast<const int*>(a) - *static_cast<const int*>(b);
      }));
  vm.collect().value();
  CHECK(Counted::alive == 1);
  std::qsort(numbers.data(), numbers.size(), sizeof(int), compare.get());
  const int key = 17;
  CHECK(std::bsearch(&key, numbers.data(), numbers.size(), sizeof(int), compare.get()) == &numbers[17]);
  CHECK(std::is_sorted(numbers.begin(), numbers.end()) && comparisons > 50);
}

[[gnu::noinline]] static void dispose(mu::Context& context) {
  mu::Value disposed = context.host([counted = Counted()](int64_t x) { return x; }, "identity");
  disposed.dispose().value();
  CHECK(disposed.dispose().error().message.find("identity") != std::string::npos);
}

static void pointers(mu::Vm& vm, mu::Context& context) {
  sortThrough(vm, context);
  wipe();
  vm.collect().value();
  vm.collect().value();
  CHECK(Counted::alive == 0);
  dispose(context);
  wipe();
  vm.collect().value();
  vm.collect().value();
  CHECK(Counted::alive == 0);
}

int main() {
  {
    auto vm = mu::Vm::create().value();
    auto context = vm.context().value();
    context.load(kText).value();
    auto* call = context.native<Number>("@c_call").value();
    captures(vm, context, call);
    signatures(context);
    exceptions(context, call);
    pointers(vm, context);
    context.bind("f", [counted = Counted()](int64_t x) { return x; }).value();
  }
  CHECK(Counted::alive == 0);
}
