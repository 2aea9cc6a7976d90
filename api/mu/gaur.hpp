// The C interface for C++17: machines, contexts and values that end with their scope, results that are a
// value or an error, trap and error handlers from lambdas. Nothing here throws, and nothing is in the
// library: all of it is in terms of muapi.h, whose comments tell what the operations mean and what they want.
// This file has results, contexts and values; those included at its end have machines, builders and host
// functions.
//
//   auto vm = mu::Vm::create("heap=64M").value();
//   auto context = vm.context().value();
//
//   if (auto status = context.load(text); !status) return complain(status.error().message);
//
//   auto* square = context.native<int64_t(int64_t)>("@square").value();
//
//   std::printf("%d", int(square(7)));
//
// `value()` of something that failed prints the error and aborts; programs that go on look first. A Value may
// be empty, from a call that failed; calls with an empty one fail too, so that only the end of a chain has to
// be looked at: `context.lastError()` has the reason.
//
// Threads: a Vm serves any number, a Context and its Values one at a time.
#ifndef MU_GAUR_HPP
#define MU_GAUR_HPP

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "gaur.h"

namespace mu {

// --- Results ------------------------------------------------------------------------------------------

struct Error {
  std::string code;
  std::string message;
  std::uint32_t line = 0;  // of the first mistake in a text, from 1
  std::uint32_t column = 0;
};

/// Prints the error and ends the program.
[[noreturn]] inline void abortWith(const Error& error) {
  std::fprintf(stderr, "[%s] %s\n", error.code.c_str(), error.message.c_str());
  std::abort();
}

/// A T, or why there is none.
template <class T>
class [[nodiscard]] Expected {
 public:
  Expected(T held) : value_(std::move(held)) {}
  Expected(Error error) : error_(std::move(error)) {}
  explicit operator bool() const { return value_.has_value(); }
  bool ok() const { return value_.has_value(); }
  /// Aborts where there is none.
  T& value() & { return checked(); }
  const T& value() const& { return const_cast<Expected*>(this)->checked(); }
  T value() && { return std::move(checked()); }
  T valueOr(T other) const { return value_ ? *value_ : std::move(other); }
  T& operator*() { return checked(); }
  T* operator->() { return &checked(); }
  const Error& error() const { return error_; }

 private:
  T& checked() {
    if (!value_) abortWith(error_);
    return *value_;
  }
  std::optional<T> value_;
  Error error_;
};

template <>
class [[nodiscard]] Expected<void> {
 public:
  Expected() = default;
  Expected(Error error) : error_(std::move(error)) {}
  explicit operator bool() const { return !error_; }
  bool ok() const { return !error_; }
  void value() const {
    if (error_) abortWith(*error_);
  }
  const Error& error() const {
    static const Error none;
    return error_ ? *error_ : none;
  }

 private:
  std::optional<Error> error_;
};
using Status = Expected<void>;

namespace detail {

inline char* text(const char* name) { return const_cast<char*>(name); }
/// Of a text of C's, or of NULL.
inline std::string string(const char* text) { return text ? text : ""; }

inline Error copyOf(const MuError& error) { return {error.code, error.message, error.line, error.column}; }
inline std::optional<Error> lastError(MuVM* vm) {
  MuError error;
  if (!vm || !vm->get_error(vm, &error)) return std::nullopt;
  return copyOf(error);
}

/// Calls f and tells whether it made an error.
template <class F>
auto checked(MuVM* vm, F f) -> Expected<decltype(f())> {
  if (!vm) return Error{"", "the machine is gone", 0, 0};
  vm->clear_error(vm);
  if constexpr (std::is_void_v<decltype(f())>) {
    f();
    if (auto error = lastError(vm)) return *std::move(error);
    return {};
  } else {
    auto result = f();
    if (auto error = lastError(vm)) return *std::move(error);
    return result;
  }
}

}  // namespace detail

/// An entity: by its ID, or by its name, with or without the @.
class Entity {
 public:
  Entity(MuID id) : id_(id) {}
  Entity(const char* name) : name_(name) {}
  Entity(const std::string& name) : name_(name.c_str()) {}
  /// 0 where there is no such name; the error is kept.
  MuID in(MuCtx* ctx) const { return name_ ? ctx->id_of(ctx, detail::text(name_)) : id_; }

 private:
  MuID id_ = MU_NO_ID;
  const char* name_ = nullptr;
};

// --- Values -------------------------------------------------------------------------------------------

enum class Order : MuMemOrd {
  NotAtomic = MU_ORD_NOT_ATOMIC,
  Relaxed = MU_ORD_RELAXED,
  Consume = MU_ORD_CONSUME,
  Acquire = MU_ORD_ACQUIRE,
  Release = MU_ORD_RELEASE,
  AcqRel = MU_ORD_ACQ_REL,
  SeqCst = MU_ORD_SEQ_CST
};

class Value;
class Builder;

/// A symbol for an iref to a field, in an image.
struct ImageField {
  const Value* field;
  const char* symbol;
};

/// What a boot image has besides the entities of its list, all of it optional.
struct ImageStart {
  /// With what a process begins: a function, or a READY stack; and the thread-local of its thread.
  const Value* function = nullptr;
  const Value* stack = nullptr;
  const Value* threadLocal = nullptr;
  /// Pointers that get the address of the symbol, as by Value::relocate, in this image only.
  std::vector<ImageField> relocations{};
  /// Names for places; they have no effect.
  std::vector<ImageField> symbols{};
};

/// What may be asked of a context, whoever closes it: the client's own (Context) or a trap handler's.
class ContextRef {
 public:
  ContextRef(MuVM* vm, MuCtx* ctx) : vm_(vm), ctx_(ctx) {}
  MuCtx* get() const { return ctx_; }
  MuVM* vm() const { return vm_; }
  /// Of the calling thread, since something was last done through this header.
  std::optional<Error> lastError() const { return detail::lastError(vm_); }

  // --- Bundles and names ---
  Status load(std::string_view text) {
    return detail::checked(vm_,
                           [&] { ctx_->load_bundle(ctx_, const_cast<char*>(text.data()), text.size()); });
  }
  /// A bundle that `unload` takes out again: from text, or one that is being built.
  Status loadCollectible(std::string_view text) {
    return detail::checked(
        vm_, [&] { ctx_->load_collectible(ctx_, const_cast<char*>(text.data()), text.size()); });
  }
  Status makeCollectible(Builder& builder);
  /// Unloads the collectible bundle that brought the entity: its names are free at once, and what it brought
  /// goes when the last way to it is gone.
  Status unload(MuID member) {
    return detail::checked(vm_, [&] { ctx_->unload(ctx_, member); });
  }
  /// What keeps a function, version or cell that could go, a line a step from the root on.
  Expected<std::string> why(MuID entity) {
    return detail::checked(vm_, [&] { return detail::string(ctx_->why(ctx_, entity)); });
  }
  /// The same of a host function, by its pointer; this value does not count.
  Expected<std::string> why(const Value& function);
  /// What was told last, as JSON: {"permanent":false,"path":["the root",...]}.
  Expected<std::string> whyJson() {
    return detail::checked(vm_, [&] { return detail::string(ctx_->why_json(ctx_)); });
  }
  Status loadHail(std::string_view text) {
    return detail::checked(vm_, [&] { ctx_->load_hail(ctx_, const_cast<char*>(text.data()), text.size()); });
  }
  /// A bundle without text.
  Expected<Builder> builder();
  Expected<MuID> id(const char* name) const {
    return detail::checked(vm_, [&] { return ctx_->id_of(ctx_, detail::text(name)); });
  }
  /// With its @; empty where it has none.
  Expected<std::string> name(MuID id) const {
    return detail::checked(vm_, [&] { return detail::string(ctx_->name_of(ctx_, id)); });
  }

  // --- From C++ to Mu ---
  /// int<n> of as many bits as the type has, or `bits`; float; double.
  template <class T>
  Value value(T number, int bits = 0);
  Value words(std::initializer_list<std::uint64_t> lowFirst, int bits);
  /// `type` is a uptr, for functions a ufuncptr.
  Value pointer(Entity type, void* address);
  template <class R, class... Arguments>
  Value functionPointer(Entity type, R (*code)(Arguments...));
  /// A tagref64.
  Value tagged(double number);
  Value taggedInt(std::int64_t number);
  Value taggedRef(const Value& ref, unsigned tag = 0);

  // --- What bundles define ---
  Value constant(Entity entity);
  Value global(Entity entity);
  Value function(Entity entity);
  Value exposed(Entity entity);
  /// The exposed function as one that C++ can call, as long as the machine is there.
  template <class Signature>
  Expected<Signature*> native(Entity entity);

  // --- Host functions (gaur_host.hpp) ---
  /// The callable as a ufuncptr, which keeps what it captured. `name` is for messages.
  template <class F>
  Value host(F&& callable, const char* name = nullptr);
  /// From now on EXTERN constants of this name stand for the callable, which is kept until the name is bound
  /// anew.
  template <class F>
  Status bind(const char* name, F&& callable);
  Status bindValue(const char* name, const Value& function);
  Status unbind(const char* name);

  // --- Heap, stacks, threads ---
  Value newFixed(Entity type);
  Value newHybrid(Entity type, std::uint64_t length);
  Value newStack(const Value& function);
  /// A thread that goes on with a READY stack, which gets the values.
  template <class... Values>
  Value start(const Value& stack, const Values&... values);
  /// The same; the thread-local of the thread is a ref, or empty.
  template <class... Values>
  Value startWithThreadLocal(const Value& threadLocal, const Value& stack, const Values&... values);
  /// A thread that goes on with a READY stack by throwing there.
  Value startThrowing(const Value& stack, const Value& exception);
  Value startThrowing(const Value& stack, const Value& exception, const Value& threadLocal);
  /// A thread that runs the function from its beginning.
  template <class... Values>
  Value run(Entity function, const Values&... values);

  Status enableWatchpoint(MuWPID id) {
    return detail::checked(vm_, [&] { ctx_->enable_watchpoint(ctx_, id); });
  }
  Status disableWatchpoint(MuWPID id) {
    return detail::checked(vm_, [&] { ctx_->disable_watchpoint(ctx_, id); });
  }
  /// A boot image of the program as it stands; what it holds beyond what these need is left out.
  Status makeImage(const char* path, const std::vector<MuID>& whitelist, const ImageStart& start = {});
  Status fence(Order order) {
    return detail::checked(vm_, [&] { ctx_->fence(ctx_, static_cast<MuMemOrd>(order)); });
  }

 protected:
  MuVM* vm_;
  MuCtx* ctx_;
};

/// A handle, which it gives up at its end. Empty after a call that failed, and where it was moved from.
class [[nodiscard]] Value {
 public:
  Value() = default;
  Value(MuVM* vm, MuCtx* ctx, MuValue handle) : vm_(vm), ctx_(ctx), handle_(handle) {}
  Value(Value&& other) noexcept
      : vm_(other.vm_), ctx_(other.ctx_), handle_(std::exchange(other.handle_, nullptr)) {}
  Value& operator=(Value&& other) noexcept {
    if (this == &other) return *this;
    reset();
    vm_ = other.vm_;
    ctx_ = other.ctx_;
    handle_ = std::exchange(other.handle_, nullptr);
    return *this;
  }
  ~Value() { reset(); }

  explicit operator bool() const { return handle_ != nullptr; }
  MuValue get() const { return handle_; }
  /// The context that the handle is of; NULL of a value that was always empty.
  MuCtx* context() const { return ctx_; }
  /// The handle, which is the caller's now.
  MuValue release() { return std::exchange(handle_, nullptr); }
  void reset() {
    if (handle_) ctx_->delete_value(ctx_, std::exchange(handle_, nullptr));
  }

  // --- From Mu to C++ ---
  /// Of int<n> to any integer, float to float, double to double, uptr to a pointer, ufuncptr to a function
  /// pointer.
  template <class T>
  Expected<T> to() const {
    return ask([&] { return convert<T>(); });
  }

  // --- References ---
  Expected<bool> equals(const Value& other) const {
    return ask([&] { return ctx_->ref_eq(ctx_, handle_, other.handle_) != 0; });
  }
  /// Of irefs into one array.
  Expected<bool> isBefore(const Value& other) const {
    return ask([&] { return ctx_->ref_ult(ctx_, handle_, other.handle_) != 0; });
  }
  Value refcast(Entity type) const { return made(&MuCtx::refcast, handle_, type.in(ctx_)); }
  Value iref() const { return made(&MuCtx::get_iref, handle_); }
  Value field(int index) const { return made(&MuCtx::get_field_iref, handle_, index); }
  Value element(std::int64_t index) const {
    return made(&MuCtx::get_elem_iref, handle_, number(index).handle_);
  }
  Value shift(std::int64_t offset) const { return made(&MuCtx::shift_iref, handle_, number(offset).handle_); }
  Value variablePart() const { return made(&MuCtx::get_var_part_iref, handle_); }

  // --- Memory: of irefs ---
  Value load(Order order = Order::NotAtomic) const {
    return made(&MuCtx::load, static_cast<MuMemOrd>(order), handle_);
  }
  Status store(const Value& value, Order order = Order::NotAtomic) const {
    return ask([&] { ctx_->store(ctx_, static_cast<MuMemOrd>(order), handle_, value.handle_); });
  }
  /// The value found; `exchanged` tells whether it was as expected.
  Value compareExchange(const Value& expected, const Value& desired, bool& exchanged,
                        Order success = Order::SeqCst, Order failure = Order::SeqCst,
                        bool isWeak = false) const {
    MuBool done = 0;
    Value found = made(&MuCtx::cmpxchg, static_cast<MuMemOrd>(success), static_cast<MuMemOrd>(failure),
                       MuBool{isWeak}, handle_, expected.handle_, desired.handle_, &done);
    exchanged = done != 0;
    return found;
  }
  /// `operation` is one of MU_ARMW_*; the value before.
  Value update(MuAtomicRMWOptr operation, const Value& operand, Order order = Order::SeqCst) const {
    return made(&MuCtx::atomicrmw, static_cast<MuMemOrd>(order), operation, handle_, operand.handle_);
  }

  // --- Composites ---
  Value extract(int index) const { return made(&MuCtx::extract_value, handle_, index); }
  Value insert(int index, const Value& value) const {
    return made(&MuCtx::insert_value, handle_, index, value.handle_);
  }
  Value at(std::uint64_t index) const {
    return made(&MuCtx::extract_element, handle_, number(static_cast<std::int64_t>(index)).handle_);
  }
  Value with(std::uint64_t index, const Value& value) const {
    return made(&MuCtx::insert_element, handle_, number(static_cast<std::int64_t>(index)).handle_,
                value.handle_);
  }

  // --- Tagged references ---
  bool holdsDouble() const { return handle_ && ctx_->tr64_is_fp(ctx_, handle_); }
  bool holdsInt() const { return handle_ && ctx_->tr64_is_int(ctx_, handle_); }
  bool holdsRef() const { return handle_ && ctx_->tr64_is_ref(ctx_, handle_); }
  Value taggedDouble() const { return made(&MuCtx::tr64_to_fp, handle_); }
  Value taggedInt() const { return made(&MuCtx::tr64_to_int, handle_); }
  Value taggedRef() const { return made(&MuCtx::tr64_to_ref, handle_); }
  Value tag() const { return made(&MuCtx::tr64_to_tag, handle_); }

  // --- Native interface ---
  Value address() const { return made(&MuCtx::get_addr, handle_); }
  /// Of a funcref, until unexpose: a function that C++ can call.
  Value expose(std::int64_t cookie = 0) const {
    return made(&MuCtx::expose, handle_, MU_CC_DEFAULT, number(cookie).handle_);
  }
  Status unexpose() const {
    return ask([&] { ctx_->unexpose(ctx_, MU_CC_DEFAULT, handle_); });
  }

  /// Of the pointer of a host function: ends it, whatever refers to it.
  Status dispose() const {
    return ask([&] { ctx_->dispose_host_function(ctx_, handle_); });
  }
  /// Of an iref to a pointer: in boot images it becomes the address of the symbol.
  Status relocate(const char* symbol) const {
    return ask([&] { ctx_->add_ptr_reloc(ctx_, handle_, detail::text(symbol)); });
  }

  // --- Threads, in a trap handler: of the thread that trapped ---
  Value threadLocal() const { return made(&MuCtx::get_threadlocal, handle_); }
  Status setThreadLocal(const Value& ref) const {
    return ask([&] { ctx_->set_threadlocal(ctx_, handle_, ref.handle_); });
  }

  /// Of a ref: a handle that keeps nothing alive; and back.
  Value weak() const { return made(&MuCtx::weak_ref, handle_); }
  Value strong() const { return made(&MuCtx::strong_ref, handle_); }

  // --- Stacks ---
  Status kill() const {
    return ask([&] { ctx_->kill_stack(ctx_, handle_); });
  }
  Status pushFrame(const Value& function) const {
    return ask([&] { ctx_->push_frame(ctx_, handle_, function.handle_); });
  }

 private:
  friend class ContextRef;
  friend class Cursor;
  friend class Pin;
  template <class F>
  auto ask(F f) const -> Expected<decltype(f())> {
    if (!ctx_) return Error{"", "the value is empty", 0, 0};
    return detail::checked(vm_, f);
  }
  /// A new value from a slot of the context.
  template <class Slot, class... Arguments>
  Value made(Slot slot, Arguments... arguments) const {
    if (!ctx_) return {};
    vm_->clear_error(vm_);
    return {vm_, ctx_, (ctx_->*slot)(ctx_, arguments...)};
  }
  Value number(std::int64_t number) const {
    return ctx_ ? Value(vm_, ctx_, ctx_->handle_from_sint64(ctx_, number, 64)) : Value();
  }
  template <class T>
  T convert() const {
    if constexpr (std::is_same_v<T, bool>) {
      return (ctx_->handle_to_uint8(ctx_, handle_) & 1) != 0;
    } else if constexpr (std::is_same_v<T, float>) {
      return ctx_->handle_to_float(ctx_, handle_);
    } else if constexpr (std::is_same_v<T, double>) {
      return ctx_->handle_to_double(ctx_, handle_);
    } else if constexpr (std::is_pointer_v<T> && std::is_function_v<std::remove_pointer_t<T>>) {
      return reinterpret_cast<T>(ctx_->handle_to_fp(ctx_, handle_));
    } else if constexpr (std::is_pointer_v<T>) {
      return static_cast<T>(ctx_->handle_to_ptr(ctx_, handle_));
    } else {
      static_assert(std::is_integral_v<T> && sizeof(T) <= sizeof(std::uint64_t),
                    "no Mu value becomes one of this type");
      if constexpr (std::is_signed_v<T>) return static_cast<T>(ctx_->handle_to_sint64(ctx_, handle_));
      return static_cast<T>(ctx_->handle_to_uint64(ctx_, handle_));
    }
  }

  MuVM* vm_ = nullptr;
  MuCtx* ctx_ = nullptr;
  MuValue handle_ = nullptr;
};

/// Keeps an object where it is, and alive, until its end. `location`, a ref or iref, must outlive it.
class [[nodiscard]] Pin {
 public:
  explicit Pin(const Value& location)
      : location_(location), address_(location.made(&MuCtx::pin, location.get())) {}
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;
  ~Pin() {
    if (address_) location_.ctx_->unpin(location_.ctx_, location_.get());
  }
  explicit operator bool() const { return static_cast<bool>(address_); }
  template <class T>
  T* as() const {
    return address_ ? address_.to<T*>().valueOr(nullptr) : nullptr;
  }

 private:
  const Value& location_;
  Value address_;
};

/// Stands at a frame of a READY stack, first at the innermost.
class [[nodiscard]] Cursor {
 public:
  explicit Cursor(const Value& stack) : cursor_(stack.made(&MuCtx::new_cursor, stack.get())) {}
  Cursor(Cursor&&) = default;
  Cursor& operator=(Cursor&&) = delete;
  ~Cursor() {
    if (cursor_) cursor_.ctx_->close_cursor(cursor_.ctx_, cursor_.get());
  }
  explicit operator bool() const { return static_cast<bool>(cursor_); }
  Cursor copy() const { return Cursor(cursor_.made(&MuCtx::copy_cursor, cursor_.get()), Copied()); }
  /// To the caller's frame.
  Status next() {
    return cursor_.ask([&] { ctx()->next_frame(ctx(), cursor_.get()); });
  }
  /// MU_NO_ID for what native frames, functions without a version and frames that have not begun do not have.
  Expected<MuID> function() const {
    return cursor_.ask([&] { return ctx()->cur_func(ctx(), cursor_.get()); });
  }
  Expected<MuID> version() const {
    return cursor_.ask([&] { return ctx()->cur_func_ver(ctx(), cursor_.get()); });
  }
  Expected<MuID> instruction() const {
    return cursor_.ask([&] { return ctx()->cur_inst(ctx(), cursor_.get()); });
  }
  /// The values of the frame's KEEPALIVE clause, which has `count` of them.
  std::vector<Value> keepalives(std::size_t count) const {
    std::vector<Value> values;
    if (!cursor_) return values;
    std::vector<MuValue> handles(count, nullptr);
    ctx()->dump_keepalives(ctx(), cursor_.get(), handles.data());
    for (MuValue handle : handles) values.emplace_back(cursor_.vm_, ctx(), handle);
    return values;
  }
  /// The frames inside this one are gone; it waits for results.
  Status popFrames() {
    return cursor_.ask([&] { ctx()->pop_frames_to(ctx(), cursor_.get()); });
  }

 private:
  struct Copied {};
  Cursor(Value cursor, Copied) : cursor_(std::move(cursor)) {}
  MuCtx* ctx() const { return cursor_.ctx_; }
  Value cursor_;
};

template <class T>
Value ContextRef::value(T number, int bits) {
  static_assert(std::is_arithmetic_v<T>, "numbers become values; pointers by pointer()");
  vm_->clear_error(vm_);
  MuValue handle = nullptr;
  if constexpr (std::is_same_v<T, float>) {
    handle = ctx_->handle_from_float(ctx_, number);
  } else if constexpr (std::is_floating_point_v<T>) {
    handle = ctx_->handle_from_double(ctx_, static_cast<double>(number));
  } else {
    const int length = bits != 0 ? bits : std::is_same_v<T, bool> ? 1 : static_cast<int>(8 * sizeof(T));
    if constexpr (std::is_signed_v<T>) {
      handle = ctx_->handle_from_sint64(ctx_, static_cast<std::int64_t>(number), length);
    } else {
      handle = ctx_->handle_from_uint64(ctx_, static_cast<std::uint64_t>(number), length);
    }
  }
  return {vm_, ctx_, handle};
}

inline Value ContextRef::words(std::initializer_list<std::uint64_t> lowFirst, int bits) {
  vm_->clear_error(vm_);
  return {
      vm_, ctx_,
      ctx_->handle_from_uint64s(ctx_, const_cast<std::uint64_t*>(lowFirst.begin()), lowFirst.size(), bits)};
}

inline Value ContextRef::pointer(Entity type, void* address) {
  vm_->clear_error(vm_);
  return {vm_, ctx_, ctx_->handle_from_ptr(ctx_, type.in(ctx_), address)};
}

template <class R, class... Arguments>
Value ContextRef::functionPointer(Entity type, R (*code)(Arguments...)) {
  vm_->clear_error(vm_);
  return {vm_, ctx_, ctx_->handle_from_fp(ctx_, type.in(ctx_), reinterpret_cast<MuCFP>(code))};
}

inline Value ContextRef::tagged(double number) {
  const Value untagged = value(number);
  return untagged.made(&MuCtx::tr64_from_fp, untagged.get());
}

inline Value ContextRef::taggedInt(std::int64_t number) {
  const Value untagged = value(number, 52);
  return untagged.made(&MuCtx::tr64_from_int, untagged.get());
}

inline Value ContextRef::taggedRef(const Value& ref, unsigned tag) {
  const Value bits = value(tag, 6);
  return ref.made(&MuCtx::tr64_from_ref, ref.get(), bits.get());
}

inline Expected<std::string> ContextRef::why(const Value& function) {
  return detail::checked(vm_, [&] { return detail::string(ctx_->why_host_function(ctx_, function.get())); });
}

inline Status ContextRef::makeImage(const char* path, const std::vector<MuID>& whitelist,
                                    const ImageStart& start) {
  const auto handle = [](const Value* value) { return value ? value->get() : nullptr; };
  struct Fields {
    std::vector<MuValue> places;
    std::vector<MuCString> names;
  };
  const auto split = [&](const std::vector<ImageField>& list) {
    Fields fields;
    for (const ImageField& one : list) {
      fields.places.push_back(handle(one.field));
      fields.names.push_back(detail::text(one.symbol));
    }
    return fields;
  };
  Fields symbols = split(start.symbols), relocations = split(start.relocations);
  return detail::checked(vm_, [&] {
    ctx_->make_boot_image(ctx_, const_cast<MuID*>(whitelist.data()), whitelist.size(), handle(start.function),
                          handle(start.stack), handle(start.threadLocal), symbols.places.data(),
                          symbols.names.data(), symbols.places.size(), relocations.places.data(),
                          relocations.names.data(), relocations.places.size(), detail::text(path));
  });
}

inline Value ContextRef::constant(Entity entity) {
  vm_->clear_error(vm_);
  return {vm_, ctx_, ctx_->handle_from_const(ctx_, entity.in(ctx_))};
}

inline Value ContextRef::global(Entity entity) {
  vm_->clear_error(vm_);
  return {vm_, ctx_, ctx_->handle_from_global(ctx_, entity.in(ctx_))};
}

inline Value ContextRef::function(Entity entity) {
  vm_->clear_error(vm_);
  return {vm_, ctx_, ctx_->handle_from_func(ctx_, entity.in(ctx_))};
}

inline Value ContextRef::exposed(Entity entity) {
  vm_->clear_error(vm_);
  return {vm_, ctx_, ctx_->handle_from_expose(ctx_, entity.in(ctx_))};
}

template <class Signature>
Expected<Signature*> ContextRef::native(Entity entity) {
  static_assert(std::is_function_v<Signature>, "such as native<int64_t(int64_t)>");
  Value function = exposed(entity);
  if (!function) return lastError().value_or(Error{});
  return function.to<Signature*>();
}

inline Value ContextRef::newFixed(Entity type) {
  vm_->clear_error(vm_);
  return {vm_, ctx_, ctx_->new_fixed(ctx_, type.in(ctx_))};
}

inline Value ContextRef::newHybrid(Entity type, std::uint64_t length) {
  const Value count = value(length);
  return {vm_, ctx_, ctx_->new_hybrid(ctx_, type.in(ctx_), count.get())};
}

inline Value ContextRef::newStack(const Value& function) {
  vm_->clear_error(vm_);
  return {vm_, ctx_, ctx_->new_stack(ctx_, function.get())};
}

template <class... Values>
Value ContextRef::start(const Value& stack, const Values&... values) {
  return startWithThreadLocal(Value(), stack, values...);
}

template <class... Values>
Value ContextRef::startWithThreadLocal(const Value& threadLocal, const Value& stack,
                                       const Values&... values) {
  vm_->clear_error(vm_);
  MuValue handles[sizeof...(values) + 1] = {values.get()...};
  return {vm_, ctx_, ctx_->new_thread_nor(ctx_, stack.get(), threadLocal.get(), handles, sizeof...(values))};
}

inline Value ContextRef::startThrowing(const Value& stack, const Value& exception) {
  return startThrowing(stack, exception, Value());
}

inline Value ContextRef::startThrowing(const Value& stack, const Value& exception, const Value& threadLocal) {
  vm_->clear_error(vm_);
  return {vm_, ctx_, ctx_->new_thread_exc(ctx_, stack.get(), threadLocal.get(), exception.get())};
}

template <class... Values>
Value ContextRef::run(Entity entity, const Values&... values) {
  const Value first = function(entity);
  if (!first) return {};
  const Value stack = newStack(first);
  return stack ? start(stack, values...) : Value();
}

/// The client's own context; closed at its end, with all handles. Values must not outlive it.
class [[nodiscard]] Context : public ContextRef {
 public:
  Context(MuVM* vm, MuCtx* ctx) : ContextRef(vm, ctx) {}
  Context(Context&& other) noexcept : ContextRef(other.vm_, std::exchange(other.ctx_, nullptr)) {}
  Context& operator=(Context&& other) noexcept {
    std::swap(vm_, other.vm_);
    std::swap(ctx_, other.ctx_);
    return *this;
  }
  ~Context() {
    if (ctx_) ctx_->close_context(ctx_);
  }
};

}  // namespace mu

#include "gaur_builder.hpp"
#include "gaur_host.hpp"
#include "gaur_machine.hpp"

#endif  // MU_GAUR_HPP
