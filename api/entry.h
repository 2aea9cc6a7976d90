// From a slot's C function to the method behind it: one template for each structure, which checks at compile
// time that the types agree with the header, and at run time passes the error boundary (Machine::run).
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include "api/context.h"
#include "api/ir_builder.h"
#include "api/machine.h"

namespace gaur::api {

/// A name as a template argument.
template <std::size_t n>
struct SlotName {
  char text[n];
  constexpr SlotName(const char (&name)[n]) {
    for (std::size_t i = 0; i < n; ++i) text[i] = name[i];
  }
};

template <SlotName name, auto method>
struct MachineSlot;
template <SlotName name, class R, class... Arguments, Result<R> (Machine::*method)(Arguments...)>
struct MachineSlot<name, method> {
  static R call(MuVM* mvm, Arguments... arguments) {
    if (!mvm) return reportNull(name.text, "mvm"), R();
    Machine& machine = Machine::of(mvm);
    return machine.run(name.text, [&] { return (machine.*method)(arguments...); });
  }
};

/// The end of a call with a context, before its error is told: the error handler may use the context.
class ContextCall {
 public:
  explicit ContextCall(Context& context) : context_(context) {}
  ~ContextCall() { context_.leave(); }
  ContextCall(const ContextCall&) = delete;
  ContextCall& operator=(const ContextCall&) = delete;

 private:
  Context& context_;
};

template <SlotName name, auto method>
struct ContextSlot;
template <SlotName name, class R, class... Arguments, Result<R> (Context::*method)(Arguments...)>
struct ContextSlot<name, method> {
  static R call(MuCtx* ctx, Arguments... arguments) {
    Context* context = Context::enter(name.text, ctx);
    if (!context) return R();
    auto body = [&] {
      ContextCall call(*context);
      return (context->*method)(arguments...);
    };
    return context->machine().run(name.text, body, &context->errorPosition);
  }
};

/// A slot of the context that only asks the machine: it does not matter who else is in a call.
template <SlotName name, auto method>
struct AskingSlot;
template <SlotName name, class R, class... Arguments, Result<R> (Machine::*method)(Arguments...)>
struct AskingSlot<name, method> {
  static R call(MuCtx* ctx, Arguments... arguments) {
    Context* context = Context::openOne(name.text, ctx);
    if (!context) return R();
    Machine& machine = context->machine();
    return machine.run(name.text, [&] { return (machine.*method)(arguments...); });
  }
};

/// From C arguments to those of a session's methods: how many of them make one, and how. Lists of C are a
/// pointer, or two, and a count.
template <class T>
struct BuilderArgument {
  static constexpr std::size_t kCount = 1;
  static T from(ir::BuilderSession&, T argument) { return argument; }
};
template <class T>
struct BuilderArgument<std::span<const T>> {
  static constexpr std::size_t kCount = 2;
  static std::span<const T> from(ir::BuilderSession& session, const T* elements, MuArraySize count) {
    return session.list(elements, count);
  }
};
template <>
struct BuilderArgument<ir::PairedIds> {
  static constexpr std::size_t kCount = 3;
  static ir::PairedIds from(ir::BuilderSession& session, const MuID* first, const MuID* second,
                            MuArraySize count) {
    const ir::IdList list = session.list(first, count);
    const ir::IdList other = session.list(second, count);
    const std::size_t common = std::min(list.size(), other.size());
    return {list.first(common), other.first(common)};
  }
};
template <>
struct BuilderArgument<ir::Text> {
  static constexpr std::size_t kCount = 1;
  static ir::Text from(ir::BuilderSession&, const char* text) { return text ? ir::Text(text) : std::nullopt; }
};

/// A slot of MuIRBuilder that is a method of the session. The types agree with the header where every C
/// argument makes part of the argument of that place.
template <SlotName name, auto slot, auto method>
struct BuilderSlot;
template <SlotName name, class R, class... C, R (*MuIRBuilder::*slot)(MuIRBuilder*, C...), class... P,
          R (ir::BuilderSession::*method)(P...)>
struct BuilderSlot<name, slot, method> {
  static_assert((BuilderArgument<P>::kCount + ...) == sizeof...(C));

  static R call(MuIRBuilder* b, C... arguments) {
    if (!b) return reportNull(name.text, "b"), R();
    IrBuilder& builder = IrBuilder::of(b);
    return builder.machine().run(name.text, [&]() -> Result<R> {
      runtime::IrBuilder::Entered entered(builder.builder());
      GAUR_TRY_ASSIGN(ir::BuilderSession * session, entered.session());
      return callOn(*session, std::make_tuple(arguments...), std::index_sequence_for<P...>());
    });
  }

 private:
  /// The C argument that the one at this place begins with.
  static constexpr std::size_t firstOf(std::size_t place) {
    constexpr std::size_t kCounts[] = {BuilderArgument<P>::kCount...};
    std::size_t first = 0;
    for (std::size_t i = 0; i < place; ++i) first += kCounts[i];
    return first;
  }

  template <class T, std::size_t first, class Arguments, std::size_t... i>
  static T argument(ir::BuilderSession& session, const Arguments& arguments, std::index_sequence<i...>) {
    return BuilderArgument<T>::from(session, std::get<first + i>(arguments)...);
  }

  template <class Arguments, std::size_t... place>
  static Result<R> callOn(ir::BuilderSession& session, const Arguments& arguments,
                          std::index_sequence<place...>) {
    if constexpr (std::is_same_v<std::tuple_element_t<0, Arguments>, MuID>) {
      session.begin(std::get<0>(arguments));
    } else {
      session.begin();
    }
    auto call = [&] {
      return (session.*method)(argument<P, firstOf(place)>(
          session, arguments, std::make_index_sequence<BuilderArgument<P>::kCount>())...);
    };
    if constexpr (std::is_void_v<R>) {
      call();
      if (std::optional<Error> problem = session.end()) return std::move(*problem);
      return {};
    } else {
      R result = call();
      if (std::optional<Error> problem = session.end()) return std::move(*problem);
      return result;
    }
  }
};

/// Slots that end the builder.
template <SlotName name, Result<void> (IrBuilder::*method)()>
struct BuilderEndSlot {
  static void call(MuIRBuilder* b) {
    if (!b) return reportNull(name.text, "b");
    IrBuilder& builder = IrBuilder::of(b);
    builder.machine().run(name.text, [&] { return (builder.*method)(); });
  }
};

}  // namespace gaur::api
