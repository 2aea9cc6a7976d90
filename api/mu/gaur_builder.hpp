// The part of gaur.hpp that builds bundles without text: a Builder makes IDs and top-level definitions, a
// Block puts instructions at its end.
//
//   auto b = context.builder().value();
//   const MuID i64 = b.intType(64), sig = b.signature({i64}, {i64}), square = b.function(sig, "@square");
//   auto entry = b.block({i64});
//   entry.ret({entry.binop(MU_BINOP_MUL, i64, entry[0], entry[0])});
//   b.version(square, {&entry});
//   b.load().value();
#include "gaur.hpp"  // which includes this file in its turn

#ifndef MU_GAUR_BUILDER_HPP
#define MU_GAUR_BUILDER_HPP

namespace mu {

/// A list of IDs, as an argument of a call: {a, b, c}, or a vector.
class Ids {
 public:
  Ids(std::initializer_list<MuID> ids) : begin_(std::data(ids)), size_(ids.size()) {}
  Ids(const std::vector<MuID>& ids) : begin_(ids.data()), size_(ids.size()) {}
  const MuID* begin() const { return begin_; }
  const MuID* end() const { return begin_ + size_; }
  std::size_t size() const { return size_; }

 private:
  const MuID* begin_;
  std::size_t size_;
};

class Builder;

/// What leads to a location: an iref, or a uptr.
enum class Via : MuBool { Iref = 0, Pointer = 1 };

/// A basic block under construction: instructions are put at its end. Made with the version that has it.
class Block {
 public:
  MuID id() const { return id_; }
  /// A parameter.
  MuID operator[](std::size_t index) const { return parameters_[index]; }
  /// The exception parameter; MU_NO_ID where it has none.
  MuID exception() const { return exception_; }

  /// Puts an instruction of any slot at the end; its result, for slots that have one ID of a result behind
  /// their own.
  template <class Slot, class... Arguments>
  MuID put(Slot slot, Arguments... arguments);
  /// The same for slots without, such as new_branch.
  template <class Slot, class... Arguments>
  void end(Slot slot, Arguments... arguments);

  MuID binop(MuBinOptr op, MuID type, MuID a, MuID b, MuID exc = 0) {
    return put(&MuIRBuilder::new_binop, op, type, a, b, exc);
  }
  MuID cmp(MuCmpOptr op, MuID type, MuID a, MuID b) { return put(&MuIRBuilder::new_cmp, op, type, a, b); }
  MuID convert(MuConvOptr op, MuID from, MuID to, MuID value) {
    return put(&MuIRBuilder::new_conv, op, from, to, value);
  }
  MuID select(MuID condition, MuID type, MuID cond, MuID ifTrue, MuID ifFalse) {
    return put(&MuIRBuilder::new_select, condition, type, cond, ifTrue, ifFalse);
  }
  /// The result, then one int<1> for each of MU_BOS_N, Z, C, V that is asked for, in this order.
  std::vector<MuID> binopWithStatus(MuBinOptr op, MuBinOpStatus flags, MuID type, MuID a, MuID b,
                                    MuID exc = 0);
  MuID extractValue(MuID type, int index, MuID value) {
    return put(&MuIRBuilder::new_extractvalue, type, index, value);
  }
  MuID insertValue(MuID type, int index, MuID value, MuID field) {
    return put(&MuIRBuilder::new_insertvalue, type, index, value, field);
  }
  MuID extractElement(MuID type, MuID indexType, MuID value, MuID index) {
    return put(&MuIRBuilder::new_extractelement, type, indexType, value, index);
  }
  MuID insertElement(MuID type, MuID indexType, MuID value, MuID index, MuID element) {
    return put(&MuIRBuilder::new_insertelement, type, indexType, value, index, element);
  }
  MuID shuffle(MuID type, MuID maskType, MuID a, MuID b, MuID mask) {
    return put(&MuIRBuilder::new_shufflevector, type, maskType, a, b, mask);
  }
  MuID allocaFixed(MuID type, MuID exc = 0) { return put(&MuIRBuilder::new_alloca, type, exc); }
  MuID allocaHybrid(MuID type, MuID lengthType, MuID length, MuID exc = 0) {
    return put(&MuIRBuilder::new_allocahybrid, type, lengthType, length, exc);
  }
  MuID newFixed(MuID type, MuID exc = 0) { return put(&MuIRBuilder::new_new, type, exc); }
  MuID newHybrid(MuID type, MuID lengthType, MuID length, MuID exc = 0) {
    return put(&MuIRBuilder::new_newhybrid, type, lengthType, length, exc);
  }
  MuID getIref(MuID type, MuID ref) { return put(&MuIRBuilder::new_getiref, type, ref); }
  MuID getField(MuID type, int index, MuID location, Via via = Via::Iref) {
    return put(&MuIRBuilder::new_getfieldiref, static_cast<MuBool>(via), type, index, location);
  }
  MuID getElement(MuID type, MuID indexType, MuID location, MuID index, Via via = Via::Iref) {
    return put(&MuIRBuilder::new_getelemiref, static_cast<MuBool>(via), type, indexType, location, index);
  }
  MuID shift(MuID type, MuID offsetType, MuID location, MuID offset, Via via = Via::Iref) {
    return put(&MuIRBuilder::new_shiftiref, static_cast<MuBool>(via), type, offsetType, location, offset);
  }
  MuID variablePart(MuID type, MuID location, Via via = Via::Iref) {
    return put(&MuIRBuilder::new_getvarpartiref, static_cast<MuBool>(via), type, location);
  }
  MuID load(MuID type, MuID location, Order order = Order::NotAtomic, Via via = Via::Iref, MuID exc = 0) {
    return put(&MuIRBuilder::new_load, static_cast<MuBool>(via), static_cast<MuMemOrd>(order), type, location,
               exc);
  }
  void store(MuID type, MuID location, MuID value, Order order = Order::NotAtomic, Via via = Via::Iref,
             MuID exc = 0) {
    end(&MuIRBuilder::new_store, static_cast<MuBool>(via), static_cast<MuMemOrd>(order), type, location,
        value, exc);
  }
  /// What was found, and an int<1> that tells whether it was as expected.
  std::pair<MuID, MuID> compareExchange(MuID type, MuID location, MuID expected, MuID desired,
                                        Order success = Order::SeqCst, Order failure = Order::SeqCst,
                                        Via via = Via::Iref, bool isWeak = false, MuID exc = 0);
  /// `op` is one of MU_ARMW_*; the value before.
  MuID update(MuAtomicRMWOptr op, MuID type, MuID location, MuID operand, Order order = Order::SeqCst,
              Via via = Via::Iref, MuID exc = 0) {
    return put(&MuIRBuilder::new_atomicrmw, static_cast<MuBool>(via), static_cast<MuMemOrd>(order), op, type,
               location, operand, exc);
  }
  void fence(Order order) { end(&MuIRBuilder::new_fence, static_cast<MuMemOrd>(order)); }
  /// The results, as many as the signature has.
  std::vector<MuID> call(std::size_t results, MuID signature, MuID callee, Ids arguments, MuID exc = 0,
                         MuID keepalives = 0);
  /// A native function with the C convention; `type` is its ufuncptr or uptr type.
  std::vector<MuID> ccall(std::size_t results, MuID type, MuID signature, MuID callee, Ids arguments,
                          MuID exc = 0, MuID keepalives = 0);
  /// The results, one of each type.
  std::vector<MuID> trap(Ids types, MuID exc = 0, MuID keepalives = 0);
  /// Its destinations are clauses, also that of an exception, which may be left out; the results are of the
  /// enabled one.
  std::vector<MuID> watchpoint(MuWPID number, Ids types, MuID disabled, MuID enabled, MuID exceptional = 0,
                               MuID keepalives = 0);
  void watchpointBranch(MuWPID number, MuID disabled, MuID enabled) {
    end(&MuIRBuilder::new_wpbranch, number, disabled, enabled);
  }
  /// A threadref. `newStack` is a clause, of passValues or throwExc.
  MuID newThread(MuID stack, MuID newStack, MuID threadLocal = 0, MuID exc = 0) {
    return put(&MuIRBuilder::new_newthread, stack, threadLocal, newStack, exc);
  }
  /// As many results as `currentStack`, a clause of retWith, has types; none with killOld.
  std::vector<MuID> swapStack(std::size_t results, MuID stack, MuID currentStack, MuID newStack, MuID exc = 0,
                              MuID keepalives = 0);
  /// A common instruction, MU_CI_*, with as many results.
  std::vector<MuID> common(std::size_t results, MuCommInst opcode, Ids arguments = {}, Ids types = {},
                           Ids signatures = {}, Ids flags = {}, MuID exc = 0, MuID keepalives = 0);
  void branch(const Block& target, Ids arguments = {});
  /// A constant and a destination clause for each case.
  void switchOn(MuID type, MuID value, MuID otherwise, const std::vector<std::pair<MuID, MuID>>& cases);
  void tailCall(MuID signature, MuID callee, Ids arguments);
  void branch2(MuID condition, MuID ifTrue, MuID ifFalse) {
    end(&MuIRBuilder::new_branch2, condition, ifTrue, ifFalse);
  }
  void ret(Ids values = {});
  void raise(MuID exception) { end(&MuIRBuilder::new_throw, exception); }

 private:
  friend class Builder;
  Block(Builder* builder, MuID id) : builder_(builder), id_(id) {}
  MuIRBuilder* slots() const;
  std::vector<MuID> results(std::size_t count) const;
  Builder* builder_;
  MuID id_;
  MuID exception_ = MU_NO_ID;
  std::vector<MuID> types_;
  std::vector<MuID> parameters_;
  std::vector<MuID> instructions_;
};

/// One bundle. What it makes has IDs, which it makes itself and returns; names may be left out. Given up at
/// its end, unless it was loaded. What is wrong is told by load. Blocks must not outlive it, and it must not
/// be moved while there are any.
class [[nodiscard]] Builder {
 public:
  Builder(MuVM* vm, MuIRBuilder* builder) : vm_(vm), builder_(builder) {}
  Builder(Builder&& other) noexcept : vm_(other.vm_), builder_(std::exchange(other.builder_, nullptr)) {}
  Builder& operator=(Builder&&) = delete;
  ~Builder() {
    if (builder_) builder_->abort(builder_);
  }
  MuIRBuilder* get() const { return builder_; }

  /// A fresh ID, or the ID of what is loaded under the name.
  MuID symbol(const char* name = nullptr) { return builder_->gen_sym(builder_, detail::text(name)); }
  /// What any slot new_X makes, under a new ID: make(&MuIRBuilder::new_type_int, "@i64", 64).
  template <class Slot, class... Arguments>
  MuID make(Slot slot, const char* name, Arguments... arguments) {
    const MuID id = symbol(name);
    (builder_->*slot)(builder_, id, arguments...);
    return id;
  }

  MuID intType(int bits, const char* name = nullptr) { return make(&MuIRBuilder::new_type_int, name, bits); }
  MuID floatType(const char* name = nullptr) { return make(&MuIRBuilder::new_type_float, name); }
  MuID doubleType(const char* name = nullptr) { return make(&MuIRBuilder::new_type_double, name); }
  MuID voidType(const char* name = nullptr) { return make(&MuIRBuilder::new_type_void, name); }
  MuID refType(MuID type, const char* name = nullptr) { return make(&MuIRBuilder::new_type_ref, name, type); }
  MuID irefType(MuID type, const char* name = nullptr) {
    return make(&MuIRBuilder::new_type_iref, name, type);
  }
  MuID uptrType(MuID type, const char* name = nullptr) {
    return make(&MuIRBuilder::new_type_uptr, name, type);
  }
  MuID funcrefType(MuID signature, const char* name = nullptr) {
    return make(&MuIRBuilder::new_type_funcref, name, signature);
  }
  MuID ufuncptrType(MuID signature, const char* name = nullptr) {
    return make(&MuIRBuilder::new_type_ufuncptr, name, signature);
  }
  MuID structType(Ids fields, const char* name = nullptr) {
    return make(&MuIRBuilder::new_type_struct, name, data(fields), fields.size());
  }
  MuID hybridType(Ids fixed, MuID variable, const char* name = nullptr) {
    return make(&MuIRBuilder::new_type_hybrid, name, data(fixed), fixed.size(), variable);
  }
  MuID arrayType(MuID element, std::uint64_t length, const char* name = nullptr) {
    return make(&MuIRBuilder::new_type_array, name, element, length);
  }
  MuID vectorType(MuID element, std::uint64_t length, const char* name = nullptr) {
    return make(&MuIRBuilder::new_type_vector, name, element, length);
  }
  MuID weakrefType(MuID type, const char* name = nullptr) {
    return make(&MuIRBuilder::new_type_weakref, name, type);
  }
  MuID tagref64Type(const char* name = nullptr) { return make(&MuIRBuilder::new_type_tagref64, name); }
  MuID stackrefType(const char* name = nullptr) { return make(&MuIRBuilder::new_type_stackref, name); }
  MuID threadrefType(const char* name = nullptr) { return make(&MuIRBuilder::new_type_threadref, name); }
  MuID framecursorrefType(const char* name = nullptr) {
    return make(&MuIRBuilder::new_type_framecursorref, name);
  }
  MuID irbuilderrefType(const char* name = nullptr) {
    return make(&MuIRBuilder::new_type_irbuilderref, name);
  }
  MuID signature(Ids parameters, Ids results, const char* name = nullptr) {
    return make(&MuIRBuilder::new_funcsig, name, data(parameters), parameters.size(), data(results),
                results.size());
  }
  /// Of an int of up to 64 bits, uptr, ufuncptr.
  MuID intConstant(MuID type, std::uint64_t number, const char* name = nullptr) {
    return make(&MuIRBuilder::new_const_int, name, type, number);
  }
  /// Of an int of any width, in words of 64 bits, the low one first.
  MuID wideConstant(MuID type, const std::vector<std::uint64_t>& words, const char* name = nullptr) {
    return make(&MuIRBuilder::new_const_int_ex, name, type, const_cast<std::uint64_t*>(words.data()),
                words.size());
  }
  MuID floatConstant(MuID type, float number, const char* name = nullptr) {
    return make(&MuIRBuilder::new_const_float, name, type, number);
  }
  MuID doubleConstant(MuID type, double number, const char* name = nullptr) {
    return make(&MuIRBuilder::new_const_double, name, type, number);
  }
  MuID nullConstant(MuID type, const char* name = nullptr) {
    return make(&MuIRBuilder::new_const_null, name, type);
  }
  MuID sequenceConstant(MuID type, Ids elements, const char* name = nullptr) {
    return make(&MuIRBuilder::new_const_seq, name, type, data(elements), elements.size());
  }
  MuID externConstant(MuID type, const char* symbol, const char* name = nullptr) {
    return make(&MuIRBuilder::new_const_extern, name, type, detail::text(symbol));
  }
  MuID cell(MuID type, const char* name = nullptr) { return make(&MuIRBuilder::new_global_cell, name, type); }
  MuID function(MuID signature, const char* name = nullptr) {
    return make(&MuIRBuilder::new_func, name, signature);
  }
  /// `cookie`: a constant of an int<64>.
  MuID expose(MuID function, MuID cookie, const char* name = nullptr) {
    return make(&MuIRBuilder::new_exp_func, name, function, MU_CC_DEFAULT, cookie);
  }

  Block block(Ids types = {}, bool hasException = false, const char* name = nullptr) {
    Block made(this, symbol(name));
    made.types_.assign(types.begin(), types.end());
    for (std::size_t i = 0; i < types.size(); ++i) made.parameters_.push_back(symbol());
    if (hasException) made.exception_ = symbol();
    return made;
  }
  /// A version of the function; the first block is the entry.
  MuID version(MuID function, const std::vector<const Block*>& blocks, const char* name = nullptr) {
    std::vector<MuID> ids;
    for (const Block* block : blocks) {
      ids.push_back(block->id_);
      builder_->new_bb(builder_, block->id_, data(block->parameters_), data(block->types_),
                       block->types_.size(), block->exception_, data(block->instructions_),
                       block->instructions_.size());
    }
    return make(&MuIRBuilder::new_func_ver, name, function, data(ids), ids.size());
  }

  MuID dest(const Block& block, Ids arguments = {}) {
    return make(&MuIRBuilder::new_dest_clause, nullptr, block.id(), data(arguments), arguments.size());
  }
  MuID excClause(MuID normal, MuID exceptional) {
    return make(&MuIRBuilder::new_exc_clause, nullptr, normal, exceptional);
  }
  MuID keepalives(Ids values) {
    return make(&MuIRBuilder::new_keepalive_clause, nullptr, data(values), values.size());
  }
  /// What becomes of the stack that is left: it waits for values of these types, or ends.
  MuID retWith(Ids types) { return make(&MuIRBuilder::new_csc_ret_with, nullptr, data(types), types.size()); }
  MuID killOld() { return make(&MuIRBuilder::new_csc_kill_old, nullptr); }
  /// What the other stack goes on with: as many values as types, or an exception.
  MuID passValues(Ids types, Ids values) {
    return make(&MuIRBuilder::new_nsc_pass_values, nullptr, data(types), data(values), types.size());
  }
  MuID throwExc(MuID exception) { return make(&MuIRBuilder::new_nsc_throw_exc, nullptr, exception); }

  /// Checks and loads the bundle, all or nothing. The builder is used up.
  Status load() { return endWith(&MuIRBuilder::load); }
  /// Gives the bundle up, as the end of a builder that was not loaded does.
  Status abort() { return endWith(&MuIRBuilder::abort); }

 private:
  friend class Block;
  Status endWith(void (*MuIRBuilder::*slot)(MuIRBuilder*)) {
    if (!builder_) return Error{"", "the builder is used up", 0, 0};
    return detail::checked(vm_, [&] {
      MuIRBuilder* builder = std::exchange(builder_, nullptr);
      (builder->*slot)(builder);
    });
  }
  // The interface takes pointers to what it does not change.
  static MuID* data(Ids ids) { return const_cast<MuID*>(ids.begin()); }
  static MuID* data(const std::vector<MuID>& ids) { return const_cast<MuID*>(ids.data()); }
  MuVM* vm_;
  MuIRBuilder* builder_;
};

inline MuIRBuilder* Block::slots() const { return builder_->builder_; }

template <class Slot, class... Arguments>
MuID Block::put(Slot slot, Arguments... arguments) {
  const MuID result = builder_->symbol();
  end(slot, result, arguments...);
  return result;
}

template <class Slot, class... Arguments>
void Block::end(Slot slot, Arguments... arguments) {
  const MuID instruction = builder_->symbol();
  (slots()->*slot)(slots(), instruction, arguments...);
  instructions_.push_back(instruction);
}

inline std::vector<MuID> Block::results(std::size_t count) const {
  std::vector<MuID> ids(count);
  for (MuID& id : ids) id = builder_->symbol();
  return ids;
}

inline std::vector<MuID> Block::call(std::size_t results, MuID signature, MuID callee, Ids arguments,
                                     MuID exc, MuID keepalives) {
  std::vector<MuID> ids = this->results(results);
  end(&MuIRBuilder::new_call, ids.data(), ids.size(), signature, callee, Builder::data(arguments),
      arguments.size(), exc, keepalives);
  return ids;
}

inline std::vector<MuID> Block::ccall(std::size_t results, MuID type, MuID signature, MuID callee,
                                      Ids arguments, MuID exc, MuID keepalives) {
  std::vector<MuID> ids = this->results(results);
  end(&MuIRBuilder::new_ccall, ids.data(), ids.size(), MU_CC_DEFAULT, type, signature, callee,
      Builder::data(arguments), arguments.size(), exc, keepalives);
  return ids;
}

inline std::vector<MuID> Block::trap(Ids types, MuID exc, MuID keepalives) {
  std::vector<MuID> ids = results(types.size());
  end(&MuIRBuilder::new_trap, ids.data(), Builder::data(types), types.size(), exc, keepalives);
  return ids;
}

inline std::vector<MuID> Block::binopWithStatus(MuBinOptr op, MuBinOpStatus flags, MuID type, MuID a, MuID b,
                                                MuID exc) {
  std::size_t count = 1;
  for (const MuBinOpStatus flag : {MU_BOS_N, MU_BOS_Z, MU_BOS_C, MU_BOS_V}) count += (flags & flag) != 0;
  std::vector<MuID> ids = results(count);
  end(&MuIRBuilder::new_binop_with_status, ids[0], ids.data() + 1, ids.size() - 1, op, flags, type, a, b,
      exc);
  return ids;
}

inline std::pair<MuID, MuID> Block::compareExchange(MuID type, MuID location, MuID expected, MuID desired,
                                                    Order success, Order failure, Via via, bool isWeak,
                                                    MuID exc) {
  const MuID found = builder_->symbol(), exchanged = builder_->symbol();
  end(&MuIRBuilder::new_cmpxchg, found, exchanged, static_cast<MuBool>(via), MuBool{isWeak},
      static_cast<MuMemOrd>(success), static_cast<MuMemOrd>(failure), type, location, expected, desired, exc);
  return {found, exchanged};
}

inline std::vector<MuID> Block::watchpoint(MuWPID number, Ids types, MuID disabled, MuID enabled,
                                           MuID exceptional, MuID keepalives) {
  std::vector<MuID> ids = results(types.size());
  end(&MuIRBuilder::new_watchpoint, number, ids.data(), Builder::data(types), types.size(), disabled, enabled,
      exceptional, keepalives);
  return ids;
}

inline std::vector<MuID> Block::swapStack(std::size_t results, MuID stack, MuID currentStack, MuID newStack,
                                          MuID exc, MuID keepalives) {
  std::vector<MuID> ids = this->results(results);
  end(&MuIRBuilder::new_swapstack, ids.data(), ids.size(), stack, currentStack, newStack, exc, keepalives);
  return ids;
}

inline std::vector<MuID> Block::common(std::size_t results, MuCommInst opcode, Ids arguments, Ids types,
                                       Ids signatures, Ids flags, MuID exc, MuID keepalives) {
  std::vector<MuID> ids = this->results(results);
  end(&MuIRBuilder::new_comminst, ids.data(), ids.size(), opcode, Builder::data(flags), flags.size(),
      Builder::data(types), types.size(), Builder::data(signatures), signatures.size(),
      Builder::data(arguments), arguments.size(), exc, keepalives);
  return ids;
}

inline void Block::switchOn(MuID type, MuID value, MuID otherwise,
                            const std::vector<std::pair<MuID, MuID>>& cases) {
  std::vector<MuID> constants, dests;
  for (const auto& [constant, dest] : cases) {
    constants.push_back(constant);
    dests.push_back(dest);
  }
  end(&MuIRBuilder::new_switch, type, value, otherwise, constants.data(), dests.data(), cases.size());
}

inline void Block::tailCall(MuID signature, MuID callee, Ids arguments) {
  end(&MuIRBuilder::new_tailcall, signature, callee, Builder::data(arguments), arguments.size());
}

inline void Block::branch(const Block& target, Ids arguments) {
  end(&MuIRBuilder::new_branch, builder_->dest(target, arguments));
}

inline void Block::ret(Ids values) { end(&MuIRBuilder::new_ret, Builder::data(values), values.size()); }

inline Status ContextRef::makeCollectible(Builder& builder) {
  return detail::checked(vm_, [&] { ctx_->make_collectible(ctx_, builder.get()); });
}

inline Expected<Builder> ContextRef::builder() {
  auto made = detail::checked(vm_, [&] { return ctx_->new_ir_builder(ctx_); });
  if (!made) return made.error();
  return Builder(vm_, *made);
}

}  // namespace mu

#endif  // MU_GAUR_BUILDER_HPP
