// The part of gaur.hpp that gives C++ functions to Mu code: any callable becomes a host function, with the
// Mu signature that its parameters and its result have.
//
//   std::map<int64_t, int64_t> squares;
//   context.bind("square", [&squares](int64_t x) { return squares[x] = x * x; }).value();
//   // .const @square <@square.fp> = EXTERN "square"
//
// Numbers become int<n>, float and double; bool int<1>; enumerations what they are made of; pointers
// uptr<void>; pointers to functions ufuncptr. A first parameter of type Caller& is no parameter of Mu's: by
// it the function reaches the machine. A callable without captures is a plain function to Mu; others are kept
// until nothing can call them any more.
//
// A mu::Exception that leaves the callable arrives at the EXC clause of the CCALL; any other C++ exception
// arrives as a ref<@uvm.meta.bytes> with its what(). Where no Mu code has called, the program ends with a
// report.
#include "gaur.hpp"  // which includes this file in its turn

#ifndef MU_GAUR_HOST_HPP
#define MU_GAUR_HOST_HPP

#include <cstring>
#include <exception>
#include <type_traits>

namespace mu {

/// What a host function throws to make its caller in Mu code throw: a ref, or an empty value for NULL.
class Exception {
 public:
  explicit Exception(Value ref) : ref_(std::move(ref)) {}
  Value& ref() { return ref_; }

 private:
  Value ref_;
};

/// The way of a host function back into the machine. Costs nothing until it is asked.
class Caller {
 public:
  Caller() = default;
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  /// The context of this thread.
  ContextRef& context() {
    if (!context_) {
      MuVM* vm = gaur_current_vm();
      context_.emplace(vm, vm ? vm->current_context(vm) : nullptr);
    }
    return *context_;
  }
  struct Place {
    MuID function, version, instruction;
  };
  /// Goes back to the CCALL, which throws the ref, or NULL where it is empty, over what is between, as
  /// longjmp does: no destructors run there. For programs without exceptions of C++; others throw an
  /// Exception. Returns only where no Mu code has called.
  Status raise(Value exception) {
    ContextRef& here = context();
    return detail::checked(here.vm(), [&] { here.get()->throw_exception(here.get(), exception.get()); });
  }
  /// The CCALL.
  Expected<Place> place() {
    ContextRef& here = context();
    return detail::checked(here.vm(), [&] {
      Place at{};
      here.get()->get_caller(here.get(), &at.function, &at.version, &at.instruction);
      return at;
    });
  }

 private:
  std::optional<ContextRef> context_;
};

namespace detail {

// --- From types of C++ to those of Mu -----------------------------------------------------------------

/// A type's part of the name of a signature, and how a builder makes it. Specialised for what has a
/// counterpart.
template <class T, class = void>
struct MuTypeOf {
  static constexpr bool kExists = false;
};

template <class T>
struct MuTypeOf<T, std::enable_if_t<std::is_integral_v<T> && sizeof(T) <= sizeof(std::uint64_t)>> {
  static constexpr bool kExists = true;
  static constexpr int kBits = std::is_same_v<T, bool> ? 1 : static_cast<int>(8 * sizeof(T));
  static std::string name() { return "i" + std::to_string(kBits); }
  static MuID make(Builder& builder) { return builder.intType(kBits); }
};
template <class T>
struct MuTypeOf<T, std::enable_if_t<std::is_enum_v<T>>> : MuTypeOf<std::underlying_type_t<T>> {};
template <>
struct MuTypeOf<float> {
  static constexpr bool kExists = true;
  static std::string name() { return "f"; }
  static MuID make(Builder& builder) { return builder.floatType(); }
};
template <>
struct MuTypeOf<double> {
  static constexpr bool kExists = true;
  static std::string name() { return "d"; }
  static MuID make(Builder& builder) { return builder.doubleType(); }
};
template <class T>
struct MuTypeOf<T*, std::enable_if_t<!std::is_function_v<T>>> {
  static constexpr bool kExists = true;
  static std::string name() { return "p"; }
  static MuID make(Builder& builder) { return builder.uptrType(builder.voidType()); }
};

template <class R, class... A>
struct SignatureOf {
  static std::string name() {
    std::string text = "gaur.host";
    ((text += "." + MuTypeOf<A>::name()), ...);
    text += ".to";
    if constexpr (!std::is_void_v<R>) text += "." + MuTypeOf<R>::name();
    return text;
  }
  static MuID make(Builder& builder, const char* name = nullptr) {
    const MuID parameters[sizeof...(A) + 1] = {MuTypeOf<A>::make(builder)...};
    MuID result = MU_NO_ID;
    if constexpr (!std::is_void_v<R>) result = MuTypeOf<R>::make(builder);
    return builder.make(&MuIRBuilder::new_funcsig, name, const_cast<MuID*>(parameters),
                        MuArraySize{sizeof...(A)}, &result, MuArraySize{std::is_void_v<R> ? 0 : 1});
  }
};
template <class R, class... A>
struct MuTypeOf<R (*)(A...)> {
  static constexpr bool kExists =
      ((std::is_void_v<R> || MuTypeOf<R>::kExists) && ... && MuTypeOf<A>::kExists);
  static std::string name() { return "F(" + SignatureOf<R, A...>::name() + ")"; }
  static MuID make(Builder& builder) { return builder.ufuncptrType(SignatureOf<R, A...>::make(builder)); }
};

/// An error for a parameter without a counterpart, which says which one it is.
template <std::size_t number, class T>
constexpr bool parameterExists() {
  constexpr bool kExists = MuTypeOf<T>::kExists;
  static_assert(number != 1 || kExists,
                "parameter 1 of the host function has a type that Mu has no counterpart of");
  static_assert(number != 2 || kExists,
                "parameter 2 of the host function has a type that Mu has no counterpart of");
  static_assert(number != 3 || kExists,
                "parameter 3 of the host function has a type that Mu has no counterpart of");
  static_assert(number != 4 || kExists,
                "parameter 4 of the host function has a type that Mu has no counterpart of");
  static_assert(number != 5 || kExists,
                "parameter 5 of the host function has a type that Mu has no counterpart of");
  static_assert(number != 6 || kExists,
                "parameter 6 of the host function has a type that Mu has no counterpart of");
  static_assert(number != 7 || kExists,
                "parameter 7 of the host function has a type that Mu has no counterpart of");
  static_assert(number != 8 || kExists,
                "parameter 8 of the host function has a type that Mu has no counterpart of");
  static_assert(
      number <= 8 || kExists,
      "a parameter behind the eighth of the host function has a type that Mu has no counterpart of");
  return kExists;
}
template <class... A, std::size_t... i>
constexpr bool parametersExist(std::index_sequence<i...>) {
  return (parameterExists<i + 1, A>() && ...);
}

// --- From callables to C functions --------------------------------------------------------------------

[[noreturn]] inline void endProgram(const char* what) {
  std::fprintf(stderr, "gaur: a C++ exception left a host function that no Mu code has called: %s\n", what);
  std::abort();
}

/// A ref<@uvm.meta.bytes> with the text; NULL where that cannot be had.
inline Value bytesOf(ContextRef& context, const char* text) {
  const std::uint64_t length = std::strlen(text);
  Value bytes = context.newHybrid("uvm.meta.bytes", length);
  if (!bytes) return bytes;
  const Pin pin(bytes);
  if (auto* memory = pin.as<unsigned char>()) {
    std::memcpy(memory, &length, sizeof length);
    std::memcpy(memory + sizeof length, text, length);
  }
  return bytes;
}

/// A handle and the context it is of, to be thrown when everything of C++ is over.
struct Raised {
  MuCtx* ctx = nullptr;
  MuValue ref = nullptr;
};
inline Raised raisedText(const char* text) {
  Caller caller;
  ContextRef& context = caller.context();
  if (!context.get() || !caller.place()) endProgram(text);
  return {context.get(), bytesOf(context, text).release()};
}
[[noreturn]] inline void raise(Raised raised) {
  if (!raised.ctx) raised.ctx = Caller().context().get();
  if (raised.ctx) raised.ctx->throw_exception(raised.ctx, raised.ref);
  endProgram("a Mu exception");
}

/// Until its end the pointer lies where the collector looks.
class Kept {
 public:
  explicit Kept(const void* pointer) : pointer_(pointer) {}
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;
  ~Kept() { asm volatile("" : : "r"(pointer_)); }

 private:
  const void* pointer_;
};

/// Nothing of C++ may be left when `raise` is called.
template <class R, class F>
R guarded(F function) {
#if defined(__cpp_exceptions)
  Raised raised;
  try {
    return function();
  } catch (Exception& exception) {
    raised = {exception.ref().context(), exception.ref().release()};
  } catch (const std::exception& exception) {
    raised = raisedText(exception.what());
  } catch (...) {
    raised = raisedText("an exception of C++");
  }
  raise(raised);
#else
  return function();
#endif
}

template <bool takesCaller, class R, class... A>
struct HostOf {
  using Plain = R(A...);
  using Signature = SignatureOf<R, A...>;

  template <class F>
  static R run(F& function, A... arguments) {
    if constexpr (takesCaller) {
      Caller caller;
      return function(caller, std::forward<A>(arguments)...);
    } else {
      return function(std::forward<A>(arguments)...);
    }
  }
  /// With its captures.
  template <class F>
  static R call(A... arguments, void* environment) {
    const Kept kept(environment);
    return guarded<R>(
        [&]() -> R { return run(*static_cast<F*>(environment), std::forward<A>(arguments)...); });
  }
  /// Without: an object that has no state is as good as any other.
  template <class F>
  static R callPlain(A... arguments) {
    return guarded<R>([&]() -> R { return run(stateless<F>.function, std::forward<A>(arguments)...); });
  }
  template <class F>
  static constexpr bool check() {
    static_assert(std::is_void_v<R> || MuTypeOf<R>::kExists,
                  "the result of the host function has a type that Mu has no counterpart of");
    return parametersExist<A...>(std::index_sequence_for<A...>());
  }

 private:
  template <class F>
  union Stateless {
    char nothing;
    F function;
    constexpr Stateless() : nothing(0) {}
  };
  template <class F>
  static inline Stateless<F> stateless;
};

template <class T>
struct CallableOf : CallableOf<decltype(&T::operator())> {};
template <class R, class... A>
struct CallableOf<R (*)(A...)> : HostOf<false, R, A...> {};
template <class C, class R, class... A>
struct CallableOf<R (C::*)(A...)> : HostOf<false, R, A...> {};
template <class C, class R, class... A>
struct CallableOf<R (C::*)(A...) const> : HostOf<false, R, A...> {};
template <class C, class R, class... A>
struct CallableOf<R (C::*)(Caller&, A...)> : HostOf<true, R, A...> {};
template <class C, class R, class... A>
struct CallableOf<R (C::*)(Caller&, A...) const> : HostOf<true, R, A...> {};

/// The ID of something that is made and named on first use.
template <class Make>
MuID namedId(ContextRef& context, const std::string& name, Make make) {
  MuCtx* ctx = context.get();
  MuID id = ctx->id_of(ctx, text(name.c_str()));
  if (id != MU_NO_ID) return id;
  auto builder = context.builder();
  if (!builder) return MU_NO_ID;
  make(*builder, name.c_str());
  // Another thread may have been first; then this fails, and the name is there.
  static_cast<void>(builder->load());
  id = ctx->id_of(ctx, text(name.c_str()));
  return id;
}

}  // namespace detail

template <class F>
Value ContextRef::host(F&& callable, const char* name) {
  using T = std::decay_t<F>;
  using Host = detail::CallableOf<T>;
  static_assert(Host::template check<T>());
  using Signature = typename Host::Signature;
  auto makeSignature = [](Builder& builder, const char* own) { Signature::make(builder, own); };
  const MuID signature = detail::namedId(*this, Signature::name(), makeSignature);
  vm_->clear_error(vm_);
  if constexpr (std::is_empty_v<T> || std::is_pointer_v<T>) {
    const MuID type =
        detail::namedId(*this, Signature::name() + ".fp",
                        [&](Builder& builder, const char* own) { builder.ufuncptrType(signature, own); });
    vm_->clear_error(vm_);
    if constexpr (std::is_pointer_v<T>)
      return functionPointer(type, callable);
    else
      return functionPointer(type, &Host::template callPlain<T>);
  } else {
    auto* environment = new (std::nothrow) T(std::forward<F>(callable));
    if (!environment) return {};
    const auto code = reinterpret_cast<MuCFP>(&Host::template call<T>);
    Value made(vm_, ctx_,
               ctx_->new_host_function(
                   ctx_, signature, code, environment,
                   [](MuCPtr captures) { delete static_cast<T*>(captures); }, detail::text(name)));
    if (!made) delete environment;
    return made;
  }
}

template <class F>
Status ContextRef::bind(const char* name, F&& callable) {
  const Value function = host(std::forward<F>(callable), name);
  if (!function) return lastError().value_or(Error{"", "no memory for a host function", 0, 0});
  return bindValue(name, function);
}

inline Status ContextRef::bindValue(const char* name, const Value& function) {
  return detail::checked(vm_, [&] { ctx_->bind_symbol(ctx_, detail::text(name), function.get()); });
}

inline Status ContextRef::unbind(const char* name) {
  return detail::checked(vm_, [&] { ctx_->bind_symbol(ctx_, detail::text(name), nullptr); });
}

/// A host function's pointer for native code, good until its end. Must not outlive the context.
template <class Signature>
class [[nodiscard]] PinnedFunction {
 public:
  explicit PinnedFunction(Value function) : function_(std::move(function)) {
    if (function_)
      pointer_ = reinterpret_cast<Signature*>(
          function_.context()->pin_host_function(function_.context(), function_.get()));
  }
  PinnedFunction(const PinnedFunction&) = delete;
  PinnedFunction& operator=(const PinnedFunction&) = delete;
  ~PinnedFunction() {
    if (pointer_) function_.context()->unpin_host_function(function_.context(), function_.get());
  }
  /// Null where the value was no host function.
  Signature* get() const { return pointer_; }

 private:
  Value function_;
  Signature* pointer_ = nullptr;
};

}  // namespace mu

#endif  // MU_GAUR_HOST_HPP
