// The generator of one function: blocks, values that live in them, and the operations it may emit. Private to
// random*.cpp.
#pragma once

#include "vm/ir/random_text.h"

namespace gaur::ir {

/// Writes one function. Invariants that keep the program free of undefined behaviour: values of ref and iref
/// types are never NULL and never refer to a dead frame; raw bits of addresses and NaNs never reach the hash;
/// every cycle takes fuel.
class RandomFunctionText {
 public:
  RandomFunctionText(RandomTopLevel& top, std::size_t function);
  std::string run();

  /// `@main`: calls every function, then hashes the global cells.
  static std::string main(RandomTopLevel& top);

 private:
  struct Value {
    std::string name;
    TypeNumber type;
  };
  struct Block {
    std::string name;
    std::vector<TypeNumber> parameters;  // behind the depth and the hash
  };
  using Operation = void (RandomFunctionText::*)();

  // --- Blocks ------------------------------------------------------------------------------------
  explicit RandomFunctionText(RandomTopLevel& top) : top_(top), random_(top.random) {}
  void entry();
  void beginBlock(const std::string& name, const std::vector<TypeNumber>& parameters,
                  const std::string& exception = {});
  void body();
  void finish(std::size_t index);
  void leave();
  /// Ends the block with a watchpoint that goes to one of two destinations.
  void watchpoint(const std::string& one, const std::string& other);
  std::string dest(const Block& block);
  std::string resultList();
  /// The rest of the block goes on in a new one, whether `instruction` ends normally or not. Its results are
  /// put among the values.
  void withExc(const std::string& instruction, const std::vector<TypeNumber>& results, bool throws);
  void mixException(const std::string& name, bool throws);

  // --- Values ------------------------------------------------------------------------------------
  std::string fresh() { return "%v" + std::to_string(counter_++); }
  void line(const std::string& text) { text_ += "    " + text + "\n"; }
  /// `%new = text`, not put among the values.
  std::string let(const std::string& text);
  /// `%new = text`, put among the values.
  std::string add(TypeNumber type, const std::string& text);
  /// A value of the type: one there is, or a new one.
  std::string value(TypeNumber type);
  std::string make(TypeNumber type);
  std::string location(TypeNumber type) { return value(top_.iref(type)); }
  /// A number below `count`, a power of two, as int<64>.
  std::string index(std::uint64_t count);
  const Value* anyValue(bool (*fits)(const RandomType&));
  std::string nonZero(TypeNumber type);
  std::string notNull(TypeNumber type, const std::string& name);
  /// Not a NaN, so that the bits are the same everywhere.
  std::string canonical(TypeNumber type, const std::string& name);
  /// Bits of a scalar as int<64>.
  std::string bitsOf(TypeNumber type, const std::string& name);
  void mixBits(const std::string& bits);
  void mix(TypeNumber type, const std::string& name);
  void mixSome(std::size_t count);
  void mixLocation(TypeNumber type, const std::string& name, unsigned levels);
  std::string instruction(const std::string& word, TypeNumber type, const std::string& operands);

  // --- Operations (random_operations.cpp) --------------------------------------------------------
  void binary();
  void binaryStatus();
  void divide();
  void floatBinary();
  void compare();
  void convertInt();
  void convertFloat();
  void bitcast();
  void select();
  void extractInsertField();
  void extractInsertElement();
  void shuffle();
  void allocate();
  void allocateHybrid();
  void addressField();
  void addressElement();
  void loadStore();
  void loadNullable();
  void compareExchange();
  void readModifyWrite();
  void globalAccess();
  void castReference();
  void tagged();
  void weak();
  void threadLocal();
  void fenceOrKill();
  void pinned();
  void offsetOf();
  void toggleWatchpoint();
  void native();
  void call();
  void callOf(const RandomSignature& signature, const std::string& function, const std::string& arguments,
              bool catches);
  void pushLocation(TypeNumber type, const std::string& name);
  std::string access(TypeNumber type, const char* word, const std::vector<const char*>& orders);
  void emitOperation();

  RandomTopLevel& top_;
  RandomNumbers& random_;
  const RandomSignature* signature_ = nullptr;
  std::string name_;
  std::string text_;
  std::string depth_, hash_;
  std::vector<Value> values_;
  std::vector<Block> blocks_;
  unsigned counter_ = 0;
  unsigned splits_ = 0;
};

}  // namespace gaur::ir
