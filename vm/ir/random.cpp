// The blocks, branches and values of random functions, and the hash that @main returns.
#include "vm/ir/random.h"

#include <algorithm>

#include "vm/ir/random_function.h"

namespace gaur::ir {

namespace {
constexpr unsigned kMostDepth = 6;
constexpr std::size_t kMostKept = 6;
constexpr std::uint64_t kHashFactor = 0x9ddfea08eb382d69u;
}  // namespace

std::string randomBundle(std::uint64_t seed, const RandomOptions& options) {
  RandomNumbers random(seed);
  RandomTopLevel top(random, options);
  std::string bodies;
  for (std::size_t i = 0; i < options.functions; ++i) bodies += RandomFunctionText(top, i).run();
  bodies += RandomFunctionText::main(top);
  return "// Random bundle, seed " + std::to_string(seed) + "\n" + top.text() + bodies;
}

// --- Functions -----------------------------------------------------------------------------------

RandomFunctionText::RandomFunctionText(RandomTopLevel& top, std::size_t function) : RandomFunctionText(top) {
  name_ = top.functions[function].name;
  signature_ = &top.signatures[top.functions[function].signature];
  for (unsigned i = 0; i < std::max(1u, top.options.blocks); ++i) {
    Block block{"%b" + std::to_string(i), {}};
    if (i == 0) {
      block.parameters = signature_->parameters;
    } else {
      for (std::size_t n = random_.below(5); n > 0; --n) {
        TypeNumber type = top.randomData();
        switch (random_.below(5)) {
          case 0: type = top.iref(type); break;
          case 1: type = top.ref(random_.pick(top.objects)); break;
          default: break;
        }
        block.parameters.push_back(type);
      }
    }
    blocks_.push_back(std::move(block));
  }
}

std::string RandomFunctionText::run() {
  text_ = "\n.funcdef " + name_ + " VERSION %v1 <" + signature_->name + "> {\n";
  entry();
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    beginBlock(blocks_[i].name, blocks_[i].parameters);
    body();
    finish(i);
  }
  text_ += "}\n";
  return std::move(text_);
}

/// Takes fuel; without any, or too deep, the function returns at once.
void RandomFunctionText::entry() {
  beginBlock("%entry", signature_->parameters);
  std::string fuel = let("LOAD <@i64> @fuel");
  std::string left = let("SUB <@i64> " + fuel + " " + top_.number(top_.i64, 1));
  line("STORE <@i64> @fuel " + left);
  std::string hasFuel = let("SGT <@i64> " + left + " " + top_.number(top_.i64, 0));
  std::string hasDepth = let("SLT <@i64> " + depth_ + " " + top_.number(top_.i64, kMostDepth));
  std::string goes = let("AND <@i1> " + hasFuel + " " + hasDepth);
  std::string first = blocks_[0].name + "(" + depth_ + " " + hash_;
  for (const Value& value : values_) first += " " + value.name;
  line("BRANCH2 " + goes + " " + first + ") %out(" + depth_ + " " + hash_ + ")");
  beginBlock("%out", {});
  line("RET (" + resultList() + ")");
}

void RandomFunctionText::beginBlock(const std::string& name, const std::vector<TypeNumber>& parameters,
                                    const std::string& exception) {
  depth_ = fresh();
  hash_ = fresh();
  values_.clear();
  text_ += "  " + name + "(<@i64> " + depth_ + " <@i64> " + hash_;
  for (TypeNumber type : parameters) {
    values_.push_back({fresh(), type});
    text_ += " <" + top_.name(type) + "> " + values_.back().name;
  }
  text_ += ")" + (exception.empty() ? "" : "[" + exception + "]") + ":\n";
}

void RandomFunctionText::body() {
  for (unsigned i = 0; i < top_.options.instructions; ++i) emitOperation();
  mixSome(2);
}

/// Ends block `index`. Going back takes fuel.
void RandomFunctionText::finish(std::size_t index) {
  if (index + 1 == blocks_.size()) return leave();
  auto forward = [&] { return dest(blocks_[index + 1 + random_.below(blocks_.size() - index - 1)]); };
  if (top_.options.watchpoints > 0 && random_.chance(40)) {
    std::string one = forward(), other = forward();
    return watchpoint(one, other);
  }
  switch (random_.below(5)) {
    case 0: {
      std::string to = forward();
      line("BRANCH " + to);
      return;
    }
    case 1: {
      std::string condition = value(top_.i1), one = forward(), other = forward();
      line("BRANCH2 " + condition + " " + one + " " + other);
      return;
    }
    case 2: {
      TypeNumber type = random_.chance(70) ? top_.i64 : random_.pick(top_.ints);
      std::string selector =
          top_.is(type, RandomType::Int) && top_.type(type).length >= 8
              ? let("AND <" + top_.name(type) + "> " + value(type) + " " + top_.number(type, 7))
              : value(type);
      std::string cases, otherwise = forward();
      std::size_t most = top_.type(type).length == 1 ? 2 : 1 + random_.below(6);
      for (std::size_t i = 0; i < most; ++i) {
        std::string to = forward();
        cases += " " + top_.number(type, i) + " " + to;
      }
      line("SWITCH <" + top_.name(type) + "> " + selector + " " + otherwise + " {" + cases + " }");
      return;
    }
    default: {
      std::string fuel = let("LOAD <@i64> @fuel");
      std::string left = let("SUB <@i64> " + fuel + " " + top_.number(top_.i64, 1));
      line("STORE <@i64> @fuel " + left);
      std::string goes = let("SGT <@i64> " + left + " " + top_.number(top_.i64, 0));
      if (random_.chance(50)) goes = let("AND <@i1> " + goes + " " + value(top_.i1));
      if (top_.options.watchpoints > 0 && random_.chance(50)) {
        std::string again = "%again" + std::to_string(splits_++), on = forward(),
                    same = "(" + depth_ + " " + hash_;
        std::vector<TypeNumber> types;
        for (const Value& value : values_) {
          types.push_back(value.type);
          same += " " + value.name;
        }
        line("BRANCH2 " + goes + " " + again + same + ") " + on);
        beginBlock(again, types);
        std::string one = dest(blocks_[random_.below(index + 1)]),
                    other = dest(blocks_[random_.below(blocks_.size())]);
        return watchpoint(one, other);
      }
      std::string back = dest(blocks_[random_.below(index + 1)]);
      std::string on = forward();
      line("BRANCH2 " + goes + " " + back + " " + on);
      return;
    }
  }
}

void RandomFunctionText::watchpoint(const std::string& one, const std::string& other) {
  std::string number = std::to_string(1 + random_.below(top_.options.watchpoints));
  if (random_.chance(60)) {
    line("WPBRANCH " + number + " " + one + " " + other);
    return;
  }
  std::string kept;
  for (const Value& value : values_)
    if (random_.chance(20)) kept += " " + value.name;
  line("WATCHPOINT " + number + " <> " + one + " " + other + " KEEPALIVE(" + kept + ")");
}

/// Ends the last block.
void RandomFunctionText::leave() {
  mixSome(kMostKept);
  for (const Value& value : std::vector<Value>(values_))
    if (top_.is(value.type, RandomType::Iref) && random_.chance(30))
      mixLocation(top_.type(value.type).parts[0], value.name, 1);
  if (top_.options.exceptions && random_.chance(15)) {
    std::string object = let("NEW <" + top_.name(top_.exception) + ">");
    std::string whole = let("GETIREF <" + top_.name(top_.exception) + "> " + object);
    std::string field = let("GETFIELDIREF <" + top_.name(top_.exception) + " 0> " + whole);
    line("STORE <@i64> " + field + " " + hash_);
    top_.ref(top_.exception);
    line("THROW " + object);
    return;
  }
  if (random_.chance(20)) {
    const RandomFunction& callee = random_.pick(top_.functions);
    const RandomSignature& signature = top_.signatures[callee.signature];
    if (signature.results == signature_->results && !signature.takesIref) {
      std::string deeper = let("ADD <@i64> " + depth_ + " " + top_.number(top_.i64, 1));
      std::string arguments;
      for (TypeNumber type : signature.parameters) arguments += " " + value(type);
      line("TAILCALL <" + signature.name + "> " + callee.name + " (" + deeper + " " + hash_ + arguments +
           ")");
      return;
    }
  }
  line("RET (" + resultList() + ")");
}

std::string RandomFunctionText::resultList() {
  std::string list;
  for (TypeNumber type : signature_->results) list += " " + value(type);
  return hash_ + list;
}

std::string RandomFunctionText::dest(const Block& block) {
  std::string arguments;
  for (TypeNumber type : block.parameters) arguments += " " + value(type);
  return block.name + "(" + depth_ + " " + hash_ + arguments + ")";
}

void RandomFunctionText::withExc(const std::string& instruction, const std::vector<TypeNumber>& results,
                                 bool throws) {
  std::string number = std::to_string(splits_++);
  std::vector<TypeNumber> types;
  std::string kept;
  for (std::size_t i = 0; i < kMostKept && !values_.empty(); ++i) {
    Value value = random_.pick(values_);
    types.push_back(value.type);
    kept += " " + value.name;
  }
  std::string names, list;
  for (std::size_t i = 0; i < results.size(); ++i) {
    std::string name = fresh();
    list += " " + name;
    names += (i == 0 ? "" : " ") + name;
  }
  std::string assigned = results.empty() ? "" : results.size() == 1 ? names + " = " : "(" + names + ") = ";
  std::string same = "(" + depth_ + " " + hash_ + kept;
  line(assigned + instruction + " EXC(%n" + number + same + list + ") %x" + number + same + "))");

  std::string exception = random_.chance(throws ? 90 : 50) ? "%e" + number : "";
  beginBlock("%x" + number, types, exception);
  if (!exception.empty()) mixException(exception, throws);
  std::string again;
  for (std::size_t i = 0; i < types.size(); ++i) again += " " + values_[i].name;
  for (TypeNumber type : results) again += " " + value(type);
  line("BRANCH %n" + number + "(" + depth_ + " " + hash_ + again + ")");

  types.insert(types.end(), results.begin(), results.end());
  beginBlock("%n" + number, types);
}

/// What functions throw is an object with their hash in it; what instructions fail with is NULL.
void RandomFunctionText::mixException(const std::string& name, bool throws) {
  mixBits(
      bitsOf(top_.i1, let("EQ <" + top_.name(top_.refVoid) + "> " + name + " " + top_.null(top_.refVoid))));
  if (!throws) return;
  const std::string& type = top_.name(top_.exception);
  std::string object =
      let("REFCAST <" + top_.name(top_.refVoid) + " " + top_.name(top_.ref(top_.exception)) + "> " + name);
  std::string whole = let("GETIREF <" + type + "> " + object);
  std::string field = let("GETFIELDIREF <" + type + " 0> " + whole);
  mixBits(let("LOAD <@i64> " + field));
}

// --- Values --------------------------------------------------------------------------------------

std::string RandomFunctionText::let(const std::string& text) {
  std::string name = fresh();
  line(name + " = " + text);
  return name;
}

std::string RandomFunctionText::add(TypeNumber type, const std::string& text) {
  std::string name = let(text);
  values_.push_back({name, type});
  return name;
}

const RandomFunctionText::Value* RandomFunctionText::anyValue(bool (*fits)(const RandomType&)) {
  if (values_.empty()) return nullptr;
  std::size_t start = random_.below(values_.size());
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const Value& value = values_[(start + i) % values_.size()];
    if (fits(top_.type(value.type))) return &value;
  }
  return nullptr;
}

std::string RandomFunctionText::value(TypeNumber type) {
  if (!values_.empty() && !random_.chance(8)) {
    // Late ones are chosen more often, so that the values depend on each other.
    std::size_t start = random_.chance(60) ? values_.size() - 1 : random_.below(values_.size());
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const Value& value = values_[(start + values_.size() - i) % values_.size()];
      if (value.type == type) return value.name;
    }
  }
  return make(type);
}

std::string RandomFunctionText::make(TypeNumber type) {
  const RandomType& form = top_.type(type);
  switch (form.kind) {
    case RandomType::Ref: {
      const RandomType& target = top_.type(form.parts[0]);
      if (target.kind != RandomType::Hybrid) return add(type, "NEW <" + target.name + ">");
      return add(type, "NEWHYBRID <" + target.name + " @i64> " + top_.number(top_.i64, 1 + random_.below(8)));
    }
    case RandomType::Iref: {
      for (const RandomGlobal& global : top_.globals)
        if (global.type == form.parts[0] && random_.chance(40)) return global.name;
      const std::string& target = top_.name(form.parts[0]);
      if (!top_.is(form.parts[0], RandomType::Hybrid) && random_.chance(50))
        return add(type, "ALLOCA <" + target + ">");
      std::string object = value(top_.ref(form.parts[0]));
      return add(type, "GETIREF <" + target + "> " + object);
    }
    case RandomType::Tagref: {
      std::string small = value(top_.i52);
      return add(type, "COMMINST @uvm.tr64.from_int (" + small + ")");
    }
    case RandomType::Funcref: {
      for (const RandomFunction& function : top_.functions)
        if (function.signature == form.signature) return function.name;
      return top_.functions[0].name;
    }
    default: return top_.randomConstant(type);
  }
}

std::string RandomFunctionText::index(std::uint64_t count) {
  std::string some = value(top_.i64);
  return let("AND <@i64> " + some + " " + top_.number(top_.i64, count - 1));
}

std::string RandomFunctionText::nonZero(TypeNumber type) {
  std::string some = value(type);
  return let("OR <" + top_.name(type) + "> " + some + " " + top_.splat(type, 1));
}

std::string RandomFunctionText::notNull(TypeNumber type, const std::string& name) {
  std::string isNull = let("EQ <" + top_.name(type) + "> " + name + " " + top_.null(type));
  std::string other = value(type);
  return add(type, "SELECT <@i1 " + top_.name(type) + "> " + isNull + " " + other + " " + name);
}

std::string RandomFunctionText::canonical(TypeNumber type, const std::string& name) {
  std::string isNan = let("FUNO <" + top_.name(type) + "> " + name + " " + name);
  std::string number = top_.constant(type, top_.is(type, RandomType::Float) ? "1.5 f" : "1.5 d");
  return let("SELECT <@i1 " + top_.name(type) + "> " + isNan + " " + number + " " + name);
}

// --- The hash ------------------------------------------------------------------------------------

std::string RandomFunctionText::bitsOf(TypeNumber type, const std::string& name) {
  const RandomType& form = top_.type(type);
  if (form.kind == RandomType::Double) return let("BITCAST <@f64 @i64> " + canonical(type, name));
  if (form.kind == RandomType::Float) {
    std::string bits = let("BITCAST <@f32 @i32> " + canonical(type, name));
    return let("ZEXT <@i32 @i64> " + bits);
  }
  if (form.length == 64) return name;
  if (form.length < 64) return let("ZEXT <" + form.name + " @i64> " + name);
  std::string high = let("LSHR <" + form.name + "> " + name + " " + top_.number(type, 64));
  std::string mixed = let("XOR <" + form.name + "> " + name + " " + high);
  return let("TRUNC <" + form.name + " @i64> " + mixed);
}

void RandomFunctionText::mixBits(const std::string& bits) {
  std::string mixed = let("XOR <@i64> " + hash_ + " " + bits);
  std::string spread = let("MUL <@i64> " + mixed + " " + top_.number(top_.i64, kHashFactor));
  std::string high = let("LSHR <@i64> " + spread + " " + top_.number(top_.i64, 31));
  hash_ = let("XOR <@i64> " + spread + " " + high);
}

void RandomFunctionText::mix(TypeNumber type, const std::string& name) {
  const RandomType& form = top_.type(type);
  switch (form.kind) {
    case RandomType::Int:
    case RandomType::Float:
    case RandomType::Double: mixBits(bitsOf(type, name)); return;
    case RandomType::Struct:
      for (std::size_t i = 0; i < form.parts.size(); ++i)
        mix(form.parts[i], let("EXTRACTVALUE <" + form.name + " " + std::to_string(i) + "> " + name));
      return;
    case RandomType::Array:
    case RandomType::Vector:
      for (std::uint64_t i = 0; i < form.length; ++i)
        mix(form.parts[0],
            let("EXTRACTELEMENT <" + form.name + " @i64> " + name + " " + top_.number(top_.i64, i)));
      return;
    case RandomType::Ref:
    case RandomType::Iref:
      mixBits(bitsOf(top_.i1, let("EQ <" + form.name + "> " + name + " " + top_.null(type))));
      return;
    case RandomType::Tagref:
      mixBits(bitsOf(top_.i1, let("COMMINST @uvm.tr64.is_int (" + name + ")")));
      return;
    default: return;
  }
}

void RandomFunctionText::mixSome(std::size_t count) {
  for (std::size_t i = 0; i < count && !values_.empty(); ++i) {
    Value value = values_[random_.below(values_.size())];
    mix(value.type, value.name);
  }
}

/// Hashes what lies there; through references `levels` deep, and beyond that whether there are any.
void RandomFunctionText::mixLocation(TypeNumber type, const std::string& name, unsigned levels) {
  const RandomType& form = top_.type(type);
  bool isHybrid = form.kind == RandomType::Hybrid;
  bool isObject = std::find(top_.objects.begin(), top_.objects.end(), type) != top_.objects.end();
  if (isObject || isHybrid) {
    for (std::size_t i = 0; i < form.parts.size() - (isHybrid ? 1 : 0); ++i) {
      if (top_.is(form.parts[i], RandomType::Weakref)) continue;  // depends on the collector
      std::string field = let("GETFIELDIREF <" + form.name + " " + std::to_string(i) + "> " + name);
      mixLocation(form.parts[i], field, levels);
    }
    return;
  }
  std::string loaded = let("LOAD <" + form.name + "> " + name);
  mix(type, loaded);
  if (form.kind != RandomType::Ref || levels == 0) return;
  std::string object = notNull(type, loaded);
  std::string target = let("GETIREF <" + top_.name(form.parts[0]) + "> " + object);
  mixLocation(form.parts[0], target, levels - 1);
}

std::string RandomFunctionText::main(RandomTopLevel& top) {
  RandomFunctionText text(top);
  text.name_ = "@main";
  text.text_ = "\n.funcsig @main.sig = () -> (@i64)\n.funcdef @main VERSION %v1 <@main.sig> {\n  %entry():\n";
  text.line("BRANCH %begin(" + top.number(top.i64, 0) + " " + top.number(top.i64, 1) + ")");
  text.beginBlock("%begin", {});
  for (const RandomFunction& function : top.functions) {
    const RandomSignature& signature = top.signatures[function.signature];
    for (unsigned i = 0; i < top.options.watchpoints; ++i) text.toggleWatchpoint();
    text.line("STORE <@i64> @fuel " +
              top.number(top.i64, 1 + top.options.fuel / static_cast<unsigned>(top.functions.size())));
    std::string arguments;
    for (TypeNumber type : signature.parameters) arguments += " " + text.value(type);
    text.callOf(signature, function.name, text.depth_ + " " + text.hash_ + arguments, top.options.exceptions);
    for (std::size_t i = text.values_.size() - signature.results.size(); i < text.values_.size(); ++i) {
      Value value = text.values_[i];
      text.mix(value.type, value.name);
    }
  }
  for (const RandomGlobal& global : top.globals) text.mixLocation(global.type, global.name, 2);
  text.line("RET (" + text.hash_ + ")");
  text.text_ += "}\n";
  return std::move(text.text_);
}

}  // namespace gaur::ir
