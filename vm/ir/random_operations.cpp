// The operations of random functions. Each leaves its results among the values of the block, or mixes them
// into the hash.
#include <algorithm>
#include <iterator>

#include "vm/ir/random_function.h"

namespace gaur::ir {

namespace {

const std::vector<const char*> kLoadOrders = {"",         "NOT_ATOMIC ", "RELAXED ",
                                              "CONSUME ", "ACQUIRE ",    "SEQ_CST "};
const std::vector<const char*> kStoreOrders = {"", "NOT_ATOMIC ", "RELAXED ", "RELEASE ", "SEQ_CST "};
const std::vector<const char*> kUpdateOrders = {"RELAXED ", "ACQUIRE ", "RELEASE ", "ACQ_REL ", "SEQ_CST "};
const std::vector<const char*> kFailureOrders = {"RELAXED ", "ACQUIRE ", "SEQ_CST "};
constexpr const char* kIntOperators[] = {"ADD", "SUB", "MUL", "SHL", "LSHR", "ASHR", "AND", "OR", "XOR"};
constexpr const char* kDivisions[] = {"SDIV", "SREM", "UDIV", "UREM"};
constexpr const char* kFloatOperators[] = {"FADD", "FSUB", "FMUL", "FDIV", "FREM"};
constexpr const char* kIntComparisons[] = {"EQ",  "NE",  "SGE", "SGT", "SLE",
                                           "SLT", "UGE", "UGT", "ULE", "ULT"};
constexpr const char* kFloatComparisons[] = {"FFALSE", "FTRUE", "FUNO", "FUEQ", "FUNE", "FUGT",
                                             "FUGE",   "FULT",  "FULE", "FORD", "FOEQ", "FONE",
                                             "FOGT",   "FOGE",  "FOLT", "FOLE"};
constexpr const char* kRmwOperators[] = {"XCHG", "ADD", "SUB", "AND",  "NAND", "OR",
                                         "XOR",  "MAX", "MIN", "UMAX", "UMIN"};

bool isWord(std::uint64_t bits) { return bits == 8 || bits == 16 || bits == 32 || bits == 64; }
bool isAtomic(const RandomType& type) {
  bool isNumber = type.kind == RandomType::Float || type.kind == RandomType::Double;
  return isNumber || type.kind == RandomType::Ref || type.kind == RandomType::Weakref ||
         (type.kind == RandomType::Int && isWord(type.length));
}
bool isIrefTo(const RandomType& type) { return type.kind == RandomType::Iref; }

}  // namespace

void RandomFunctionText::emitOperation() {
  struct Row {
    Operation operation;
    unsigned weight;
    bool enabled;
  };
  const RandomOptions& options = top_.options;
  const Row rows[] = {
      {&RandomFunctionText::binary, 16, true},
      {&RandomFunctionText::binaryStatus, 5, true},
      {&RandomFunctionText::divide, 6, true},
      {&RandomFunctionText::floatBinary, 8, options.floats},
      {&RandomFunctionText::compare, 8, true},
      {&RandomFunctionText::convertInt, 8, true},
      {&RandomFunctionText::convertFloat, 6, options.floats},
      {&RandomFunctionText::bitcast, 2, options.floats},
      {&RandomFunctionText::select, 5, true},
      {&RandomFunctionText::extractInsertField, 4, true},
      {&RandomFunctionText::extractInsertElement, 5, true},
      {&RandomFunctionText::shuffle, 3, options.vectors},
      {&RandomFunctionText::allocate, 4, true},
      {&RandomFunctionText::allocateHybrid, 3, true},
      {&RandomFunctionText::addressField, 5, true},
      {&RandomFunctionText::addressElement, 4, true},
      {&RandomFunctionText::loadStore, 10, true},
      {&RandomFunctionText::loadNullable, 3, options.exceptions},
      {&RandomFunctionText::compareExchange, 3, true},
      {&RandomFunctionText::readModifyWrite, 3, true},
      {&RandomFunctionText::globalAccess, 4, true},
      {&RandomFunctionText::castReference, 2, true},
      {&RandomFunctionText::tagged, 3, options.tagrefs},
      {&RandomFunctionText::weak, 2, true},
      {&RandomFunctionText::threadLocal, 1, true},
      {&RandomFunctionText::fenceOrKill, 2, true},
      {&RandomFunctionText::pinned, 2, options.native},
      {&RandomFunctionText::offsetOf, 1, options.native},
      {&RandomFunctionText::native, 2, options.native},
      {&RandomFunctionText::call, 5, true},
      {&RandomFunctionText::toggleWatchpoint, 6, options.watchpoints > 0},
  };
  std::size_t total = 0;
  for (const Row& row : rows) total += row.enabled ? row.weight : 0;
  std::size_t at = random_.below(total);
  for (const Row& row : rows) {
    if (!row.enabled) continue;
    if (at < row.weight) return (this->*row.operation)();
    at -= row.weight;
  }
}

std::string RandomFunctionText::instruction(const std::string& word, TypeNumber type,
                                            const std::string& operands) {
  return word + " <" + top_.name(type) + "> " + operands;
}

// --- Arithmetic ----------------------------------------------------------------------------------

void RandomFunctionText::binary() {
  TypeNumber type = random_.pick(top_.ints);
  if (!top_.vectors.empty() && random_.chance(20)) type = top_.vectors[random_.below(3)];
  std::string left = value(type), right = value(type);
  add(type, instruction(random_.pick(kIntOperators), type, left + " " + right));
}

void RandomFunctionText::binaryStatus() {
  TypeNumber type = random_.pick(top_.ints);
  bool overflows = random_.chance(70);
  std::string word = overflows ? kIntOperators[random_.below(3)] : kIntOperators[3 + random_.below(6)];
  std::string left = value(type), right = value(type), flags, names = fresh();
  std::vector<Value> results = {{names, type}};
  for (const char* flag : {"N", "Z", "C", "V"}) {
    if ((!overflows && *flag != 'N' && *flag != 'Z') || random_.chance(40)) continue;
    flags += std::string(flags.empty() ? "#" : " #") + flag;
    results.push_back({fresh(), top_.i1});
    names += " " + results.back().name;
  }
  if (results.size() == 1) {
    line(names + " = " + instruction(word, type, left + " " + right));
  } else {
    line("(" + names + ") = " + instruction(word + " [" + flags + "]", type, left + " " + right));
  }
  for (Value& result : results) {
    if (result.type == top_.i1) mixBits(bitsOf(top_.i1, result.name));
    values_.push_back(std::move(result));
  }
}

void RandomFunctionText::divide() {
  TypeNumber type = random_.pick(top_.ints);
  if (!top_.vectors.empty() && random_.chance(10)) type = top_.vectors[random_.below(3)];
  std::string left = value(type);
  const char* word = random_.pick(kDivisions);
  if (top_.options.exceptions && random_.chance(35)) {
    std::string right = value(type);
    withExc(instruction(word, type, left + " " + right), {type}, false);
  } else {
    std::string right = nonZero(type);
    add(type, instruction(word, type, left + " " + right));
  }
}

void RandomFunctionText::floatBinary() {
  TypeNumber type = random_.pick(top_.floats);
  if (!top_.vectors.empty() && random_.chance(25)) type = top_.vectors[3 + random_.below(2)];
  std::string left = value(type), right = value(type);
  add(type, instruction(random_.pick(kFloatOperators), type, left + " " + right));
}

void RandomFunctionText::compare() {
  switch (random_.below(4)) {
    case 0:
      if (!top_.floats.empty()) {
        TypeNumber type = random_.pick(top_.floats);
        if (!top_.vectors.empty() && random_.chance(30)) type = top_.vectors[3 + random_.below(2)];
        std::string left = value(type), right = value(type);
        add(top_.booleanLike(type), instruction(random_.pick(kFloatComparisons), type, left + " " + right));
        return;
      }
      break;
    case 1: {
      TypeNumber type = top_.ref(random_.chance(50) ? random_.pick(top_.objects) : top_.randomData());
      std::string left = value(type), right = random_.chance(20) ? top_.null(type) : value(type);
      add(top_.i1, instruction(random_.chance(50) ? "EQ" : "NE", type, left + " " + right));
      return;
    }
    default: break;
  }
  TypeNumber type = random_.pick(top_.ints);
  if (!top_.vectors.empty() && random_.chance(20)) type = top_.vectors[random_.below(3)];
  std::string left = value(type), right = value(type);
  add(top_.booleanLike(type), instruction(random_.pick(kIntComparisons), type, left + " " + right));
}

// --- Conversions ---------------------------------------------------------------------------------

void RandomFunctionText::convertInt() {
  TypeNumber from = random_.pick(top_.ints), to = random_.pick(top_.ints);
  const char* word = top_.type(from).length > top_.type(to).length ? "TRUNC"
                     : random_.chance(50)                          ? "ZEXT"
                                                                   : "SEXT";
  std::string operand = value(from);
  add(to, std::string(word) + " <" + top_.name(from) + " " + top_.name(to) + "> " + operand);
}

void RandomFunctionText::convertFloat() {
  TypeNumber real = random_.pick(top_.floats), whole = random_.pick(top_.ints);
  switch (random_.below(3)) {
    case 0: {
      bool narrows = random_.chance(50);
      std::string operand = value(narrows ? top_.f64 : top_.f32);
      if (narrows) {
        add(top_.f32, "FPTRUNC <@f64 @f32> " + operand);
      } else {
        add(top_.f64, "FPEXT <@f32 @f64> " + operand);
      }
      return;
    }
    case 1: {
      std::string operand = value(real);
      add(whole, std::string(random_.chance(50) ? "FPTOUI <" : "FPTOSI <") + top_.name(real) + " " +
                     top_.name(whole) + "> " + operand);
      return;
    }
    default: {
      std::string operand = value(whole);
      add(real, std::string(random_.chance(50) ? "UITOFP <" : "SITOFP <") + top_.name(whole) + " " +
                    top_.name(real) + "> " + operand);
      return;
    }
  }
}

void RandomFunctionText::bitcast() {
  bool isDouble = random_.chance(50);
  TypeNumber real = isDouble ? top_.f64 : top_.f32, whole = isDouble ? top_.i64 : top_.i32;
  if (random_.chance(50)) {
    std::string operand = value(whole);
    add(real, "BITCAST <" + top_.name(whole) + " " + top_.name(real) + "> " + operand);
  } else {
    std::string operand = canonical(real, value(real));
    add(whole, "BITCAST <" + top_.name(real) + " " + top_.name(whole) + "> " + operand);
  }
}

void RandomFunctionText::castReference() {
  TypeNumber type = top_.ref(random_.chance(50) ? random_.pick(top_.objects) : top_.randomData());
  std::string original = value(type);
  std::string universal =
      let("REFCAST <" + top_.name(type) + " " + top_.name(top_.refVoid) + "> " + original);
  std::string back =
      add(type, "REFCAST <" + top_.name(top_.refVoid) + " " + top_.name(type) + "> " + universal);
  mixBits(bitsOf(top_.i1, let(instruction("EQ", type, original + " " + back))));
}

void RandomFunctionText::select() {
  TypeNumber type = top_.randomData();
  if (random_.chance(25)) type = top_.ref(random_.pick(top_.objects));
  if (random_.chance(15)) type = top_.iref(top_.randomData());
  TypeNumber condition =
      top_.is(type, RandomType::Vector) && random_.chance(60) ? top_.booleanLike(type) : top_.i1;
  std::string chooses = value(condition), one = value(type), other = value(type);
  add(type,
      "SELECT <" + top_.name(condition) + " " + top_.name(type) + "> " + chooses + " " + one + " " + other);
}

// --- Composite values ----------------------------------------------------------------------------

void RandomFunctionText::extractInsertField() {
  TypeNumber type = top_.composites[2 * random_.below(top_.composites.size() / 2)];
  std::size_t field = random_.below(top_.type(type).parts.size());
  TypeNumber part = top_.type(type).parts[field];
  std::string head = " <" + top_.name(type) + " " + std::to_string(field) + "> ";
  std::string whole = value(type);
  if (random_.chance(50)) {
    add(part, "EXTRACTVALUE" + head + whole);
  } else {
    std::string element = value(part);
    add(type, "INSERTVALUE" + head + whole + " " + element);
  }
}

void RandomFunctionText::extractInsertElement() {
  TypeNumber type = !top_.vectors.empty() && random_.chance(60)
                        ? random_.pick(top_.vectors)
                        : top_.composites[1 + 2 * random_.below(top_.composites.size() / 2)];
  TypeNumber part = top_.type(type).parts[0];
  std::string whole = value(type);
  std::string at = random_.chance(50) ? index(top_.type(type).length)
                                      : top_.number(top_.i64, random_.below(top_.type(type).length));
  std::string head = " <" + top_.name(type) + " @i64> ";
  if (random_.chance(50)) {
    add(part, "EXTRACTELEMENT" + head + whole + " " + at);
  } else {
    std::string element = value(part);
    add(type, "INSERTELEMENT" + head + whole + " " + at + " " + element);
  }
}

void RandomFunctionText::shuffle() {
  TypeNumber type = random_.pick(top_.vectors);
  TypeNumber mask = top_.vectorOf(top_.i32, random_.chance(50) ? top_.type(type).length : 4);
  std::string one = value(type), other = value(type);
  std::string lanes =
      let(instruction("AND", mask, value(mask) + " " + top_.splat(mask, 2 * top_.type(type).length - 1)));
  TypeNumber result = top_.vectorOf(top_.type(type).parts[0], top_.type(mask).length);
  add(result,
      "SHUFFLEVECTOR <" + top_.name(type) + " " + top_.name(mask) + "> " + one + " " + other + " " + lanes);
}

// --- Memory --------------------------------------------------------------------------------------

void RandomFunctionText::pushLocation(TypeNumber type, const std::string& name) {
  if (!top_.is(type, RandomType::Weakref)) values_.push_back({name, top_.iref(type)});
}

void RandomFunctionText::allocate() {
  TypeNumber type = random_.chance(50) ? random_.pick(top_.objects) : top_.randomData();
  const std::string& name = top_.name(type);
  if (random_.chance(40)) {
    add(top_.iref(type), "ALLOCA <" + name + ">");
  } else if (top_.options.exceptions && random_.chance(20)) {
    withExc("NEW <" + name + ">", {top_.ref(type)}, false);
  } else {
    std::string object = add(top_.ref(type), "NEW <" + name + ">");
    add(top_.iref(type), "GETIREF <" + name + "> " + object);
  }
}

void RandomFunctionText::allocateHybrid() {
  TypeNumber type = random_.pick(top_.hybrids);
  const RandomType& form = top_.type(type);
  std::uint64_t length = 1 + random_.below(8);
  std::string whole;
  TypeNumber lengthType = random_.chance(80) ? top_.i64 : top_.i8;
  std::string head = "<" + form.name + " " + top_.name(lengthType) + "> " + top_.number(lengthType, length);
  if (random_.chance(40)) {
    whole = add(top_.iref(type), "ALLOCAHYBRID " + head);
  } else {
    std::string object = add(top_.ref(type), "NEWHYBRID " + head);
    whole = add(top_.iref(type), "GETIREF <" + form.name + "> " + object);
  }
  TypeNumber element = form.parts.back();
  std::string first = let("GETVARPARTIREF <" + form.name + "> " + whole);
  std::string item = let("SHIFTIREF <" + top_.name(element) + " @i64> " + first + " " +
                         top_.number(top_.i64, random_.below(length)));
  std::string stored = value(element);
  line("STORE <" + top_.name(element) + "> " + item + " " + stored);
  std::string last =
      let("SHIFTIREF <" + top_.name(element) + " @i64> " + first + " " + top_.number(top_.i64, length - 1));
  pushLocation(element, last);
  pushLocation(element, item);
}

void RandomFunctionText::addressField() {
  bool isHybrid = random_.chance(20);
  TypeNumber type = isHybrid             ? top_.hybrids[1]
                    : random_.chance(60) ? random_.pick(top_.objects)
                                         : top_.composites[2 * random_.below(top_.composites.size() / 2)];
  const RandomType& form = top_.type(type);
  std::size_t field = random_.below(form.parts.size() - (isHybrid ? 1 : 0));
  std::string whole = location(type);
  std::string found = let("GETFIELDIREF <" + form.name + " " + std::to_string(field) + "> " + whole);
  pushLocation(form.parts[field], found);
}

void RandomFunctionText::addressElement() {
  TypeNumber type = !top_.vectors.empty() && random_.chance(30)
                        ? random_.pick(top_.vectors)
                        : top_.composites[1 + 2 * random_.below(top_.composites.size() / 2)];
  const RandomType& form = top_.type(type);
  TypeNumber element = form.parts[0];
  std::string whole = location(type);
  if (random_.chance(60)) {
    std::string at = index(form.length);
    add(top_.iref(element), "GETELEMIREF <" + form.name + " @i64> " + whole + " " + at);
    return;
  }
  std::string first = let("GETELEMIREF <" + form.name + " @i64> " + whole + " " + top_.number(top_.i64, 0));
  std::string at = index(form.length);
  std::string found =
      add(top_.iref(element), "SHIFTIREF <" + top_.name(element) + " @i64> " + first + " " + at);
  mixBits(bitsOf(top_.i1, let(instruction("ULE", top_.iref(element), first + " " + found))));
}

std::string RandomFunctionText::access(TypeNumber type, const char* word,
                                       const std::vector<const char*>& orders) {
  return std::string(word) + " " + (isAtomic(top_.type(type)) ? random_.pick(orders) : "") + "<" +
         top_.name(type) + "> ";
}

void RandomFunctionText::loadStore() {
  const Value* known = random_.chance(70) ? anyValue(isIrefTo) : nullptr;
  TypeNumber type = known ? top_.type(known->type).parts[0] : top_.randomData();
  RandomType::Kind kind = top_.type(type).kind;
  bool isLoadable = kind != RandomType::Hybrid &&
                    std::find(top_.objects.begin(), top_.objects.end(), type) == top_.objects.end();
  if (!isLoadable) type = top_.randomData();
  std::string where = known && isLoadable ? known->name : location(type);
  if (random_.chance(50)) {
    std::string stored = value(type);
    line(access(type, "STORE", kStoreOrders) + where + " " + stored);
    return;
  }
  std::string loaded = let(access(type, "LOAD", kLoadOrders) + where);
  if (top_.is(type, RandomType::Ref)) {
    notNull(type, loaded);
  } else {
    values_.push_back({loaded, type});
  }
}

/// Through an iref that may be NULL, with EXC.
void RandomFunctionText::loadNullable() {
  TypeNumber type = top_.randomData();
  TypeNumber pointer = top_.iref(type);
  std::string valid = location(type), condition = value(top_.i1);
  std::string where =
      let("SELECT <@i1 " + top_.name(pointer) + "> " + condition + " " + valid + " " + top_.null(pointer));
  if (random_.chance(50)) {
    withExc(access(type, "LOAD", kLoadOrders) + where, {type}, false);
  } else {
    std::string stored = value(type);
    withExc(access(type, "STORE", kStoreOrders) + where + " " + stored, {}, false);
  }
}

void RandomFunctionText::compareExchange() {
  TypeNumber type = top_.intType(random_.chance(50) ? 64 : 32);
  bool isRef = random_.chance(20);
  if (isRef) type = top_.ref(random_.pick(top_.objects));
  std::string where = location(type);
  std::string expected = isRef && random_.chance(50) ? top_.null(type) : value(type), desired = value(type);
  std::string old = fresh(), succeeded = fresh();
  line("(" + old + " " + succeeded + ") = CMPXCHG " + random_.pick(kUpdateOrders) +
       random_.pick(kFailureOrders) + "<" + top_.name(type) + "> " + where + " " + expected + " " + desired);
  values_.push_back({succeeded, top_.i1});
  if (isRef) {
    notNull(type, old);
  } else {
    values_.push_back({old, type});
  }
}

void RandomFunctionText::readModifyWrite() {
  TypeNumber type = top_.intType(std::uint64_t{8} << random_.below(4));
  std::string where = location(type), operand = value(type);
  add(type, std::string("ATOMICRMW ") + random_.pick(kUpdateOrders) + random_.pick(kRmwOperators) + " <" +
                top_.name(type) + "> " + where + " " + operand);
}

void RandomFunctionText::globalAccess() {
  const RandomGlobal& global = top_.globals[random_.below(4)];
  if (random_.chance(50)) {
    std::string stored = value(global.type);
    line(access(global.type, "STORE", kStoreOrders) + global.name + " " + stored);
  } else {
    add(global.type, access(global.type, "LOAD", kLoadOrders) + global.name);
  }
}

// --- Common instructions -------------------------------------------------------------------------

void RandomFunctionText::tagged() {
  switch (random_.below(3)) {
    case 0: {
      std::string small = value(top_.i52);
      std::string tagged = add(top_.tagref, "COMMINST @uvm.tr64.from_int (" + small + ")");
      add(top_.i52, "COMMINST @uvm.tr64.to_int (" + tagged + ")");
      return;
    }
    case 1: {
      std::string number = top_.options.floats ? value(top_.f64) : top_.constant(top_.f64, "0.25 d");
      std::string tagged = add(top_.tagref, "COMMINST @uvm.tr64.from_fp (" + number + ")");
      mixBits(bitsOf(top_.i1, let("COMMINST @uvm.tr64.is_fp (" + tagged + ")")));
      add(top_.f64, "COMMINST @uvm.tr64.to_fp (" + tagged + ")");
      return;
    }
    default: {
      TypeNumber type = top_.ref(random_.pick(top_.objects));
      std::string object = value(type), tag = value(top_.i6);
      std::string universal =
          let("REFCAST <" + top_.name(type) + " " + top_.name(top_.refVoid) + "> " + object);
      std::string tagged = add(top_.tagref, "COMMINST @uvm.tr64.from_ref (" + universal + " " + tag + ")");
      mixBits(bitsOf(top_.i1, let("COMMINST @uvm.tr64.is_ref (" + tagged + ")")));
      add(top_.i6, "COMMINST @uvm.tr64.to_tag (" + tagged + ")");
      std::string back = let("COMMINST @uvm.tr64.to_ref (" + tagged + ")");
      mixBits(bitsOf(top_.i1, let(instruction("EQ", top_.refVoid, back + " " + universal))));
      return;
    }
  }
}

/// The object is used after the weakref is read, so that the collector may not clear it before.
void RandomFunctionText::weak() {
  TypeNumber target = top_.composites[0];
  TypeNumber type = top_.ref(target), cell = top_.weakref(target);
  std::string object = value(type);
  std::string where = let("ALLOCA <" + top_.name(cell) + ">");
  line(access(cell, "STORE", kStoreOrders) + where + " " + object);
  std::string loaded = let(access(cell, "LOAD", kLoadOrders) + where);
  mixBits(bitsOf(top_.i1, let(instruction("EQ", type, loaded + " " + object))));
}

void RandomFunctionText::threadLocal() {
  TypeNumber type = top_.ref(random_.pick(top_.objects));
  std::string object = value(type);
  line("COMMINST @uvm.set_threadlocal (" + object + ")");
  std::string local = let("COMMINST @uvm.get_threadlocal");
  add(type, "REFCAST <" + top_.name(top_.refVoid) + " " + top_.name(type) + "> " + local);
}

void RandomFunctionText::toggleWatchpoint() {
  std::string word = random_.chance(60) ? "enable" : "disable";
  line("COMMINST @uvm.meta." + word + "_watchpoint (@wp" +
       std::to_string(1 + random_.below(top_.options.watchpoints)) + ")");
}

void RandomFunctionText::fenceOrKill() {
  static constexpr const char* kOrders[] = {"ACQUIRE", "RELEASE", "ACQ_REL", "SEQ_CST"};
  if (random_.chance(30)) {
    line(std::string("FENCE ") + random_.pick(kOrders));
    return;
  }
  TypeNumber type = random_.pick(top_.scalars);
  std::string operand = value(type);
  add(type, "COMMINST @uvm.kill_dependency <" + top_.name(type) + "> (" + operand + ")");
}

/// Loads from a global cell by its address; or stores through the raw address of a pinned object and loads
/// through its reference.
void RandomFunctionText::pinned() {
  TypeNumber type = random_.pick(top_.scalars);
  if (random_.chance(30)) {
    const RandomGlobal& global = top_.globals[random_.below(2)];
    const std::string& cell = top_.name(top_.iref(global.type));
    std::string address = let("COMMINST @uvm.native.get_addr <" + cell + "> (" + global.name + ")");
    add(global.type, "LOAD PTR <" + top_.name(global.type) + "> " + address);
    return;
  }
  TypeNumber reference = top_.ref(type);
  std::string object = value(reference), stored = value(type);
  std::string pointer = let("COMMINST @uvm.native.pin <" + top_.name(reference) + "> (" + object + ")");
  line("STORE PTR <" + top_.name(type) + "> " + pointer + " " + stored);
  if (random_.chance(50)) add(type, "LOAD PTR <" + top_.name(type) + "> " + pointer);
  line("COMMINST @uvm.native.unpin <" + top_.name(reference) + "> (" + object + ")");
  std::string where = add(top_.iref(type), "GETIREF <" + top_.name(type) + "> " + object);
  add(type, "LOAD <" + top_.name(type) + "> " + where);
}

/// Address arithmetic on a null pointer gives offsets, which are the same everywhere.
void RandomFunctionText::offsetOf() {
  TypeNumber type = top_.composites[2 * random_.below(top_.composites.size() / 2)];
  const RandomType& form = top_.type(type);
  std::size_t field = random_.below(form.parts.size());
  TypeNumber pointer = top_.uptr(type), inner = top_.uptr(form.parts[field]);
  std::string null = top_.constant(pointer, "0");
  std::string next =
      let("SHIFTIREF PTR <" + form.name + " @i64> " + null + " " + top_.number(top_.i64, random_.below(4)));
  std::string found = let("GETFIELDIREF PTR <" + form.name + " " + std::to_string(field) + "> " + next);
  mixBits(let("PTRCAST <" + top_.name(inner) + " @i64> " + found));
}

void RandomFunctionText::native() {
  bool isFloat = top_.options.floats && random_.chance(50);
  TypeNumber type = isFloat ? top_.f64 : top_.i32;
  std::string operand = value(type);
  if (isFloat) {
    add(type, "CCALL #DEFAULT <@native_fabs @sig_fabs> @fabs (" + operand + ")");
  } else {
    add(type, "CCALL #DEFAULT <@native_ffs @sig_ffs> @ffs (" + operand + ")");
  }
}

// --- Calls ---------------------------------------------------------------------------------------

void RandomFunctionText::call() {
  const RandomFunction& callee = random_.pick(top_.functions);
  const RandomSignature& signature = top_.signatures[callee.signature];
  std::string function = callee.name;
  if (random_.chance(25)) {
    TypeNumber type = top_.funcref(callee.signature);
    std::string condition = value(top_.i1);
    std::string other = make(type);
    function = let("SELECT <@i1 " + top_.name(type) + "> " + condition + " " + callee.name + " " + other);
  }
  std::string deeper = let("ADD <@i64> " + depth_ + " " + top_.number(top_.i64, 1));
  std::string arguments = deeper + " " + hash_;
  for (TypeNumber type : signature.parameters) arguments += " " + value(type);
  callOf(signature, function, arguments, top_.options.exceptions && random_.chance(40));
}

void RandomFunctionText::callOf(const RandomSignature& signature, const std::string& function,
                                const std::string& arguments, bool catches) {
  std::string text = "CALL <" + signature.name + "> " + function + " (" + arguments + ")";
  std::vector<TypeNumber> results = {top_.i64};
  results.insert(results.end(), signature.results.begin(), signature.results.end());
  if (catches) return withExc(text, results, true);
  std::string keepalive, names;
  if (random_.chance(20) && !values_.empty()) keepalive = " KEEPALIVE(" + random_.pick(values_).name + ")";
  for (TypeNumber type : results) {
    values_.push_back({fresh(), type});
    names += (names.empty() ? "" : " ") + values_.back().name;
  }
  line((results.size() == 1 ? names : "(" + names + ")") + " = " + text + keepalive);
  mixBits(values_[values_.size() - results.size()].name);
}

}  // namespace gaur::ir
