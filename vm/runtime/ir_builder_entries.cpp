// Work of @uvm.irbuilder.* (vm/abi/runtime_entries.h): from the operands of compiled code to the methods of a
// session, as api/entry.h does for those of C. The methods' parameters say what the operands are; that
// common_insts.def says the same is checked here.
#include <bit>
#include <mutex>
#include <tuple>

#include "vm/abi/object.h"
#include "vm/runtime/allocation.h"
#include "vm/runtime/guest_failure.h"
#include "vm/runtime/ir_builder.h"
#include "vm/runtime/micro_vm.h"
#include "vm/runtime/thread.h"

using namespace gaur;
using namespace gaur::runtime;
using ir::BuilderSession;
using ir::CommonInst;

namespace {

// --- Builders ----------------------------------------------------------------------------------------

/// What an irbuilderref's object holds. It may outlive its machine: objects are found unreachable some time.
struct GuestBuilder {
  explicit GuestBuilder(MicroVm& vm) : builder(vm) {}
  IrBuilder builder;
  GuestBuilder* next = nullptr;
  GuestBuilder* previous = nullptr;
};

/// All of the process. Nothing but objects refers to them otherwise.
struct GuestBuilders {
  static constexpr std::size_t kLeastToCollect = 512;

  std::mutex mutex;
  GuestBuilder* first = nullptr;
  std::size_t count = 0;
  /// So many may keep more memory than the heap knows of.
  std::size_t collectAt = kLeastToCollect;

  static GuestBuilders& all() {
    static GuestBuilders builders;
    return builders;
  }
  void add(GuestBuilder* builder) {
    std::lock_guard lock(mutex);
    builder->next = first;
    if (first) first->previous = builder;
    first = builder;
    ++count;
  }
  void remove(GuestBuilder* builder) {
    std::lock_guard lock(mutex);
    (builder->previous ? builder->previous->next : first) = builder->next;
    if (builder->next) builder->next->previous = builder->previous;
    --count;
  }
};

void freeBuilder(void*, void* data) {
  auto* builder = static_cast<GuestBuilder*>(data);
  GuestBuilders::all().remove(builder);
  delete builder;
}

/// Frees the builders of objects that are gone.
void freeUnreachable(gc::Heap& heap) {
  GuestBuilders& builders = GuestBuilders::all();
  bool wantsCollection = false;
  {
    std::lock_guard lock(builders.mutex);
    wantsCollection = builders.count >= builders.collectAt;
  }
  if (wantsCollection) heap.collect();
  if (heap.hasFinalizersToRun()) heap.runFinalizers();
  if (!wantsCollection) return;
  std::lock_guard lock(builders.mutex);
  builders.collectAt = std::max(GuestBuilders::kLeastToCollect, 2 * builders.count);
}

Result<std::uint64_t> newBuilder(Thread& thread) {
  gc::Heap& heap = thread.vm().heap();
  thread.onNativeStack([&] { freeUnreachable(heap); });
  auto* object = allocateRuntimeObject<abi::IrBuilderObject>(thread, abi::kIrBuilderType);
  if (!object) return makeError(ErrorId::OutOfMemory, {"the heap"});
  thread.onNativeStack([&] {
    auto* builder = new GuestBuilder(thread.vm());
    builder->builder.open();
    GuestBuilders::all().add(builder);
    object->builder = builder;
    heap.onUnreachable(reinterpret_cast<char*>(object) - abi::ObjectHeader::of(object).prefix(), freeBuilder,
                       builder);
  });
  return reinterpret_cast<std::uint64_t>(object);
}

// --- Operands ----------------------------------------------------------------------------------------

/// A ref<@uvm.irbuilder.ids> and its like: the number of elements, then the elements. NULL is an empty one.
template <class T>
std::span<const T> listAt(BuilderSession& session, std::uint64_t operand) {
  if (operand == 0) return {};
  const auto* object = reinterpret_cast<const std::uint64_t*>(operand);
  const std::uint64_t room = abi::ObjectHeader::of(object).length();
  if (object[0] > room) {
    session.refuse(ErrorId::BuilderListLength, {std::to_string(object[0]), std::to_string(room)});
    return {};
  }
  return session.list(reinterpret_cast<const T*>(object + 1), object[0]);
}

/// One parameter of a method: how many operands it takes, the pattern of one, and its value.
template <class T>
struct Operand {
  static_assert(sizeof(T) == 4 && std::is_integral_v<T>);
  static constexpr std::size_t kCount = 1;
  static constexpr std::string_view kPattern = "int<32>";
  static T from(BuilderSession&, const std::uint64_t* operands) { return static_cast<T>(operands[0]); }
};
template <>
struct Operand<std::uint64_t> {
  static constexpr std::size_t kCount = 1;
  static constexpr std::string_view kPattern = "int<64>";
  static std::uint64_t from(BuilderSession&, const std::uint64_t* operands) { return operands[0]; }
};
template <>
struct Operand<float> {
  static constexpr std::size_t kCount = 1;
  static constexpr std::string_view kPattern = "float";
  static float from(BuilderSession&, const std::uint64_t* operands) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(operands[0]));
  }
};
template <>
struct Operand<double> {
  static constexpr std::size_t kCount = 1;
  static constexpr std::string_view kPattern = "double";
  static double from(BuilderSession&, const std::uint64_t* operands) {
    return std::bit_cast<double>(operands[0]);
  }
};
template <>
struct Operand<ir::IdList> {
  static constexpr std::size_t kCount = 1;
  static constexpr std::string_view kPattern = "@uvm.irbuilder.ids.r";
  static ir::IdList from(BuilderSession& session, const std::uint64_t* operands) {
    return listAt<Id>(session, operands[0]);
  }
};
template <>
struct Operand<ir::WordList> {
  static constexpr std::size_t kCount = 1;
  static constexpr std::string_view kPattern = "@uvm.irbuilder.words.r";
  static ir::WordList from(BuilderSession& session, const std::uint64_t* operands) {
    return listAt<std::uint64_t>(session, operands[0]);
  }
};
template <>
struct Operand<ir::PairedIds> {
  static constexpr std::size_t kCount = 2;
  static constexpr std::string_view kPattern = Operand<ir::IdList>::kPattern;
  static ir::PairedIds from(BuilderSession& session, const std::uint64_t* operands) {
    const ir::IdList first = listAt<Id>(session, operands[0]), second = listAt<Id>(session, operands[1]);
    if (first.size() == second.size()) return {first, second};
    session.refuse(ErrorId::BuilderListsDiffer,
                   {std::to_string(first.size()), std::to_string(second.size())});
    return {};
  }
};
template <>
struct Operand<ir::Text> {
  static constexpr std::size_t kCount = 1;
  static constexpr std::string_view kPattern = "@uvm.meta.bytes.r";
  static ir::Text from(BuilderSession& session, const std::uint64_t* operands) {
    if (operands[0] == 0) return std::nullopt;
    const std::span<const char> text = listAt<char>(session, operands[0]);
    return std::string_view(text.data(), text.size());
  }
};

/// The pattern at the front of `patterns`; removes it.
constexpr std::string_view nextPattern(std::string_view& patterns) {
  const std::size_t blank = patterns.find(' ');
  std::string_view word = patterns.substr(0, blank);
  patterns = blank == std::string_view::npos ? std::string_view{} : patterns.substr(blank + 1);
  return word;
}

template <auto method>
struct Call;
template <class R, class... P, R (BuilderSession::*method)(P...)>
struct Call<method> {
  /// Whether the operands of an instruction are those of the method.
  static constexpr bool fits(std::string_view parameters, std::string_view results) {
    bool isFit = nextPattern(parameters) == "irbuilderref";
    auto check = [&](std::size_t count, std::string_view pattern) {
      for (std::size_t i = 0; i < count; ++i) isFit = nextPattern(parameters) == pattern && isFit;
    };
    (check(Operand<P>::kCount, Operand<P>::kPattern), ...);
    return isFit && parameters.empty() && results == (std::is_void_v<R> ? "" : "int<32>");
  }

  static std::uint64_t run(BuilderSession& session, const std::uint64_t* operands) {
    if constexpr (std::is_same_v<std::tuple_element_t<0, std::tuple<P...>>, Id>) {
      session.begin(static_cast<Id>(operands[0]));
    } else {
      session.begin();
    }
    auto take = [&]<class T>() {
      const std::uint64_t* own = operands;
      operands += Operand<T>::kCount;
      return Operand<T>::from(session, own);
    };
    // Braces: from the first to the last.
    std::tuple<P...> parameters{take.template operator()<P>()...};
    auto call = [&](P... arguments) { return (session.*method)(arguments...); };
    if constexpr (std::is_void_v<R>) {
      std::apply(call, parameters);
      return 1;
    } else {
      return std::apply(call, parameters);
    }
  }
};

// --- The table ---------------------------------------------------------------------------------------

using Run = std::uint64_t (*)(BuilderSession&, const std::uint64_t*);
constexpr Run kCalls[] = {
#define GAUR_BUILDER_CALL(slot, method) &Call<&BuilderSession::method>::run,
#include "vm/ir/builder_calls.def"
};

struct Row {
  std::string_view text, parameters, results;
};
/// The instructions behind load and abort, in the order of their numbers.
constexpr auto kFirstCall = static_cast<std::uint32_t>(CommonInst::UvmIrbuilderGenSym);
consteval Row rowOf(std::uint32_t number) {
#define GAUR_COMMINST(Name, Text, Code, Types, Sigs, Flags, Parameters, Results, Properties) \
  if (number == Code) return {Text, Parameters, Results};
#include "vm/ir/common_insts.def"
  return {};
}
template <std::size_t place, auto method>
consteval bool isRowOf(std::string_view slot) {
  constexpr std::string_view kPrefix = "uvm.irbuilder.";
  constexpr Row row = rowOf(kFirstCall + place);
  return row.text.starts_with(kPrefix) && row.text.substr(kPrefix.size()) == slot &&
         Call<method>::fits(row.parameters, row.results);
}
constexpr std::uint32_t kCounterBase = __COUNTER__ + 1;
#define GAUR_BUILDER_CALL(slot, method) \
  static_assert(isRowOf<__COUNTER__ - kCounterBase, &BuilderSession::method>(#slot), #slot);
#include "vm/ir/builder_calls.def"

Result<std::uint64_t> perform(IrBuilder& builder, CommonInst instruction, const std::uint64_t* operands) {
  if (instruction == CommonInst::UvmIrbuilderLoad) {
    GAUR_TRY(builder.load());
    return 1;
  }
  if (instruction == CommonInst::UvmIrbuilderAbort) {
    GAUR_TRY(builder.abort());
    return 1;
  }
  IrBuilder::Entered entered(builder);
  GAUR_TRY_ASSIGN(BuilderSession * session, entered.session());
  const std::uint64_t result =
      kCalls[static_cast<std::uint32_t>(instruction) - kFirstCall](*session, operands);
  if (std::optional<Error> problem = session->end()) return std::move(*problem);
  return result;
}

Result<std::uint64_t> perform(Thread& thread, CommonInst instruction, const std::uint64_t* operands) {
  if (instruction == CommonInst::UvmIrbuilderNewIrBuilder) return newBuilder(thread);
  const auto* object = reinterpret_cast<const abi::IrBuilderObject*>(operands[0]);
  if (!object) return makeError(ErrorId::ApiNull, {"the IR builder"});
  std::optional<Result<std::uint64_t>> result;
  thread.onNativeStack([&] {
    result.emplace(perform(static_cast<GuestBuilder*>(object->builder)->builder, instruction, operands + 1));
  });
  return std::move(*result);
}

}  // namespace

std::size_t runtime::guestBuilderCount() {
  GuestBuilders& builders = GuestBuilders::all();
  std::lock_guard lock(builders.mutex);
  return builders.count;
}

extern "C" {

/// Work of gaur_irBuilder: 0 makes it throw NULL, which it does where the instruction has a handler.
std::uintptr_t gaur_irBuilderOrFail(std::uint32_t number, const std::uint64_t* operands) {
  const auto instruction = static_cast<CommonInst>(number);
  Thread& thread = *Thread::current();
  std::string report;
  {
    Result<std::uint64_t> result = perform(thread, instruction, operands);
    if (result) return *result;
    report = result.error().message;
  }
  if (hasHandler(thread, __builtin_frame_address(0))) return 0;
  failHere("@" + std::string(ir::info(instruction).text) + ": " + report);
}

}  // extern "C"
