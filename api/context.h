// A context: its handles, its pins, and one method for each slot of MuCtx (muapi.h tells what they do). The
// methods lie in context_<family>.cpp.
#pragma once

#include <memory>

#include "api/handle_table.h"
#include "api/machine.h"
#include "bootimage/image_output.h"
#include "vm/abi/function_record.h"
#include "vm/abi/native_target.h"
#include "vm/ir/memory_rules.h"
#include "vm/runtime/frame_cursor.h"
#include "vm/runtime/pins.h"
#include "vm/runtime/why_alive.h"

namespace gaur::api {

class Context {
 public:
  explicit Context(Machine& machine);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// Null, and reported, where there is no context or it is closed.
  static Context* openOne(const char* slot, MuCtx* ctx);
  /// Begins a call of the calling thread. The same, also null where another thread is in a call with it:
  /// always in checking builds, mostly in others.
  static Context* enter(const char* slot, MuCtx* ctx);
  void leave() { isInUse_.store(false, std::memory_order_release); }
  MuCtx* table() { return &table_; }
  Machine& machine() { return machine_; }
  bool isHandlers() const { return isHandlers_; }
  /// A thread's own (MuVM::current_context) or not any more.
  void setThreads(bool isThreads) { isThreads_ = isThreads; }
  void open(bool isHandlers);
  void close();
  /// In a collection.
  void push(gc::RootSink& sink) const;

  Context* nextOfAll = nullptr;
  /// Place in the text of the error that a method returns.
  LineColumn errorPosition;

  // --- Bundles ------------------------------------------------------------------------------------
  Result<void> closeContext();
  Result<void> loadBundle(char* text, MuArraySize bytes);
  Result<void> loadCollectible(char* text, MuArraySize bytes);
  Result<void> makeCollectible(MuIRBuilder* builder);
  Result<void> unload(MuID member);
  Result<MuCString> why(MuID entity);
  Result<MuCString> whyHostFunction(MuValue function);
  Result<MuCString> whyJson();
  Result<MuIRBuilder*> newIrBuilder();
  Result<void> loadHail(char* text, MuArraySize bytes);

  // --- Conversions ---------------------------------------------------------------------------------
  template <class T>
  Result<MuValue> handleFrom(T number, int bits) {
    const std::uint64_t high = number < T(0) ? ~std::uint64_t{0} : 0;
    return handleFromWord(static_cast<std::uint64_t>(number), high, bits);
  }
  Result<MuValue> handleFromWords(std::uint64_t* words, MuArraySize count, int bits);
  Result<MuValue> handleFromFloat(float number);
  Result<MuValue> handleFromDouble(double number);
  Result<MuValue> handleFromPointer(MuID type, MuCPtr pointer);
  Result<MuValue> handleFromFunctionPointer(MuID type, MuCFP pointer);
  template <class T>
  Result<T> handleTo(MuValue value) {
    GAUR_TRY_ASSIGN(const Handle* number, operand(value, "opnd", ir::TypeKind::Int));
    return static_cast<T>(std::is_signed_v<T> ? static_cast<std::uint64_t>(signedWord(*number))
                                              : lowWord(*number));
  }
  Result<float> handleToFloat(MuValue value);
  Result<double> handleToDouble(MuValue value);
  Result<MuCPtr> handleToPointer(MuValue value);
  Result<MuCFP> handleToFunctionPointer(MuValue value);
  Result<MuValue> handleFromConstant(MuID id);
  Result<MuValue> handleFromGlobal(MuID id);
  Result<MuValue> handleFromFunction(MuID id);
  Result<MuValue> handleFromExposed(MuID id);
  Result<void> deleteValue(MuValue value);

  // --- Values --------------------------------------------------------------------------------------
  Result<MuBool> refEq(MuValue a, MuValue b);
  Result<MuBool> refUlt(MuValue a, MuValue b);
  Result<MuValue> extractValue(MuValue value, int index);
  Result<MuValue> insertValue(MuValue value, int index, MuValue field);
  Result<MuValue> extractElement(MuValue value, MuValue index);
  Result<MuValue> insertElement(MuValue value, MuValue index, MuValue element);
  Result<MuValue> refcast(MuValue value, MuID type);
  Result<MuBool> tagrefIsFloat(MuValue value);
  Result<MuBool> tagrefIsInt(MuValue value);
  Result<MuBool> tagrefIsRef(MuValue value);
  Result<MuValue> tagrefToFloat(MuValue value);
  Result<MuValue> tagrefToInt(MuValue value);
  Result<MuValue> tagrefToRef(MuValue value);
  Result<MuValue> tagrefToTag(MuValue value);
  Result<MuValue> tagrefFromFloat(MuValue value);
  Result<MuValue> tagrefFromInt(MuValue value);
  Result<MuValue> tagrefFromRef(MuValue ref, MuValue tag);

  // --- Memory --------------------------------------------------------------------------------------
  Result<MuValue> newFixed(MuID type);
  Result<MuValue> newHybrid(MuID type, MuValue length);
  Result<MuValue> getIref(MuValue ref);
  Result<MuValue> getFieldIref(MuValue iref, int field);
  Result<MuValue> getElemIref(MuValue iref, MuValue index);
  Result<MuValue> shiftIref(MuValue iref, MuValue offset);
  Result<MuValue> getVarPartIref(MuValue iref);
  Result<MuValue> load(MuMemOrd order, MuValue location);
  Result<void> store(MuMemOrd order, MuValue location, MuValue value);
  Result<MuValue> cmpxchg(MuMemOrd success, MuMemOrd failure, MuBool weak, MuValue location, MuValue expected,
                          MuValue desired, MuBool* isSuccess);
  Result<MuValue> atomicRmw(MuMemOrd order, MuAtomicRMWOptr operation, MuValue location, MuValue value);
  Result<void> fence(MuMemOrd order);

  // --- Threads and stacks --------------------------------------------------------------------------
  Result<MuValue> newStack(MuValue function);
  Result<MuValue> newThreadWithValues(MuValue stack, MuValue threadLocal, MuValue* values, MuArraySize count);
  Result<MuValue> newThreadWithException(MuValue stack, MuValue threadLocal, MuValue exception);
  Result<void> killStack(MuValue stack);
  Result<void> setThreadLocal(MuValue thread, MuValue threadLocal);
  Result<MuValue> getThreadLocal(MuValue thread);
  Result<MuValue> newCursor(MuValue stack);
  Result<void> nextFrame(MuValue cursor);
  Result<MuValue> copyCursor(MuValue cursor);
  Result<void> closeCursor(MuValue cursor);
  Result<MuID> currentFunction(MuValue cursor);
  Result<MuID> currentVersion(MuValue cursor);
  Result<MuID> currentInstruction(MuValue cursor);
  Result<void> dumpKeepalives(MuValue cursor, MuValue* results);
  Result<void> popFramesTo(MuValue cursor);
  Result<void> pushFrame(MuValue stack, MuValue function);
  Result<void> enableWatchpoint(MuWPID id) { return setWatchpoint(id, true); }
  Result<void> disableWatchpoint(MuWPID id) { return setWatchpoint(id, false); }

  // --- Native interface ----------------------------------------------------------------------------
  Result<MuValue> pin(MuValue location);
  Result<void> unpin(MuValue location);
  Result<MuValue> getAddress(MuValue location);
  Result<MuValue> expose(MuValue function, MuCallConv convention, MuValue cookie);
  Result<void> unexpose(MuCallConv convention, MuValue value);
  Result<void> addPointerRelocation(MuValue field, MuCString symbol);
  Result<void> makeBootImage(MuID* whitelist, MuArraySize whitelistSize, MuValue primordialFunction,
                             MuValue primordialStack, MuValue primordialThreadLocal, MuValue* symbolFields,
                             MuCString* symbolNames, MuArraySize symbolCount, MuValue* relocatedFields,
                             MuCString* relocatedNames, MuArraySize relocatedCount, MuCString output);

  Result<bootimage::ImageFormat> formatOf(const bootimage::BuildRequest& request,
                                          std::string_view output) const;

  // --- Host functions ------------------------------------------------------------------------------
  Result<MuValue> newHostFunction(MuID signature, MuCFP code, MuCPtr environment, MuHostFinaliser finaliser,
                                  MuCString name);
  Result<MuCFP> pinHostFunction(MuValue function);
  Result<void> unpinHostFunction(MuValue function);
  Result<void> bindSymbol(MuCString name, MuValue function);
  Result<MuValue> weakRef(MuValue ref);
  Result<MuValue> strongRef(MuValue weakref);
  /// Outside of run(): they look at the stack of their caller.
  static void disposeHostFunction(MuCtx* ctx, MuValue function);
  static MuBool getCaller(MuCtx* ctx, MuID* function, MuID* version, MuID* instruction);
  static void throwException(MuCtx* ctx, MuValue exception);

  // --- What the methods share ----------------------------------------------------------------------
  Result<Handle*> operand(MuValue value, std::string_view name) const;
  Result<Handle*> operand(MuValue value, std::string_view name, ir::TypeKind kind) const;
  /// The loaded entity.
  template <class T>
  Result<const T*> entity(MuID id) const {
    const ir::Entity* found = machine_.program().entity(id);
    if (!found) return makeError(ErrorId::ApiUnknownId, {std::to_string(id)});
    if (found->entityKind == T::kKind) return static_cast<const T*>(found);
    return makeError(ErrorId::ApiEntityKind,
                     {ir::describe(*found), ir::text(found->entityKind), ir::text(T::kKind)});
  }
  Result<const ir::Type*> typeWithId(MuID id) const;
  /// The one that has this kind.
  Result<const ir::Type*> typeWithId(MuID id, ir::TypeKind kind) const;

  MuValue add(const ir::Type* type, std::uint64_t word) {
    return handles_.add(machine_.layoutOf(type), word);
  }
  MuValue add(const ir::Type* type, const void* address) {
    return add(type, reinterpret_cast<std::uintptr_t>(address));
  }
  /// A copy of the value at this address.
  MuValue addCopy(const ir::Type* type, const void* bytes) {
    return handles_.add(machine_.layoutOf(type), bytes);
  }
  ir::TypeTable& types() const { return machine_.program().types(); }

  MuValue add(ir::TypeKind kind, std::uint64_t word) {
    return handles_.add(machine_.plainLayout(kind), word);
  }
  MuValue add(ir::TypeKind kind, const void* address) {
    return add(kind, reinterpret_cast<std::uintptr_t>(address));
  }
  /// A stack that can be resumed, looked into or killed.
  Result<abi::StackObject*> readyStack(MuValue value, std::string_view name) const;
  /// Prepares the resumption of a READY stack with these values; they must be what it waits for.
  Result<void> passValues(abi::StackObject& stack, const MuValue* values, MuArraySize count,
                          abi::ResumeImage& image) const;
  /// The same with an exception.
  Result<void> throwException(MuValue exception, abi::ResumeImage& image) const;

  /// Bits 0 to 63 of an int.
  static std::uint64_t lowWord(const Handle& number);
  /// The same with the sign of a shorter one above.
  static std::int64_t signedWord(const Handle& number);
  /// The number of an int, or the biggest one where it is more.
  static std::uint64_t unsignedNumber(const Handle& number);

 private:
  /// Loads a text through `load`, which tells whether that went well.
  template <class Load>
  Result<void> loadText(const char* name, char* text, MuArraySize bytes, Load load);
  struct Location {
    const ir::Type* type;
    char* address;
  };
  Result<MuValue> handleFromWord(std::uint64_t word, std::uint64_t high, int bits);
  Result<const abi::Layout*> intLayout(int bits);
  Result<const Handle*> pinnable(MuValue location);
  Result<abi::HostRecord*> hostFunction(MuValue function) const;
  Result<std::uintptr_t> hiddenPointerOf(MuValue function) const;
  Result<MuCString> answer(Result<runtime::KeepPath> path);
  MuValue addressOf(const Handle& location);
  Result<Location> location(MuValue iref) const;
  Result<runtime::PointerRelocation> pointerRelocation(MuValue field, MuCString symbol) const;
  /// A location whose values can be loaded and stored.
  Result<Location> cell(MuValue iref) const;
  /// What is wrong with one of the values that are to be passed.
  Error wrongValue(std::size_t index, MuValue value, const ir::Type* wanted) const;
  Result<void> setWatchpoint(MuWPID id, bool enabled);
  Result<void*> threadLocalOf(MuValue value) const;
  Result<runtime::FrameCursor*> cursorOf(MuValue value) const;
  Result<runtime::FrameIds> idsAt(MuValue cursor) const;
  Result<MuValue> startThread(abi::StackObject& stack, MuValue threadLocal, const abi::ResumeImage& image);
  /// A value that can be stored in locations of this type.
  Result<const Handle*> storable(MuValue value, std::string_view name, const ir::Type* type) const;

  /// `header` is null while the context is closed.
  struct Table : MuCtx {
    Context* owner;
  };
  bool beginUse() {
#if GAUR_CHECK_LEVEL >= 2
    return !isInUse_.exchange(true, std::memory_order_acquire);
#else
    if (isInUse_.load(std::memory_order_relaxed)) return false;
    isInUse_.store(true, std::memory_order_relaxed);
    return true;
#endif
  }

  Table table_;
  Machine& machine_;
  std::atomic<bool> isInUse_{false};
  HandleTable handles_;
  /// Null until something is pinned.
  std::atomic<runtime::PinTable*> pins_{nullptr};
  bool isHandlers_ = false;
  bool isThreads_ = false;
  /// The answer of the last `why` or `why_host_function`, and as JSON.
  std::string why_;
  std::string whyJson_;
  /// The pointer type of the last host function made: types are the process's, and many are made of one.
  const ir::Type* lastHostType_ = nullptr;
};

/// The memory order with this number, if it is one of the set.
Result<ir::MemoryOrder> memoryOrder(MuMemOrd number, const ir::OrderSet& legal);
/// "an int", "a struct", ... for messages.
std::string oneOf(ir::TypeKind kind);

/// The structure with all slots of a context, but its header.
extern const MuCtx kContextTable;

}  // namespace gaur::api
