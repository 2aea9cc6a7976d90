// The types, signatures, global cells and constants of a random bundle.
#include "vm/ir/random_text.h"

#include <cstdio>
#include <iterator>
#include <utility>

namespace gaur::ir {

RandomTopLevel::RandomTopLevel(RandomNumbers& numbers, const RandomOptions& chosen)
    : random(numbers), options(chosen) {
  makeTypes();
  makeSignatures();
  makeGlobals();
  if (options.native) makeNative();
}

// --- Types ---------------------------------------------------------------------------------------

TypeNumber RandomTopLevel::add(RandomType type, const std::string& definition) {
  auto [found, isNew] = byDefinition_.emplace(definition, types_.size());
  if (!isNew) return found->second;
  if (type.name.empty()) type.name = "@t" + std::to_string(types_.size());
  header_ += ".typedef " + type.name + " = " + definition + "\n";
  types_.push_back(std::move(type));
  return types_.size() - 1;
}

TypeNumber RandomTopLevel::intType(std::uint64_t bits) {
  std::string width = std::to_string(bits);
  return add({RandomType::Int, "@i" + width, bits, {}}, "int<" + width + ">");
}

TypeNumber RandomTopLevel::pointer(RandomType::Kind kind, const char* word, TypeNumber to) {
  std::string target = name(to).substr(1);
  return add({kind, std::string("@") + word + "_" + target, 0, {to}},
             std::string(word) + "<@" + target + ">");
}

TypeNumber RandomTopLevel::composite(RandomType::Kind kind, const char* word, std::vector<TypeNumber> parts,
                                     std::uint64_t length) {
  std::string definition = std::string(word) + "<";
  for (TypeNumber part : parts) definition += (definition.back() == '<' ? "" : " ") + name(part);
  if (length != 0) definition += " " + std::to_string(length);
  return add({kind, "", length, std::move(parts)}, definition + ">");
}

TypeNumber RandomTopLevel::vectorOf(TypeNumber element, std::uint64_t length) {
  return composite(RandomType::Vector, "vector", {element}, length);
}

TypeNumber RandomTopLevel::funcref(std::size_t signature) {
  RandomType type{RandomType::Funcref, "", 0, {}, signature};
  return add(std::move(type), "funcref<" + signatures[signature].name + ">");
}

TypeNumber RandomTopLevel::booleanLike(TypeNumber number) {
  return is(number, RandomType::Vector) ? vectorOf(i1, type(number).length) : i1;
}

void RandomTopLevel::makeTypes() {
  for (std::uint64_t bits : {1, 6, 8, 16, 32, 52, 64}) ints.push_back(intType(bits));
  if (options.wideInts) ints.push_back(intType(128));
  i1 = intType(1);
  i6 = intType(6);
  i8 = intType(8);
  i32 = intType(32);
  i52 = intType(52);
  i64 = intType(64);
  f32 = add({RandomType::Float, "@f32", 32, {}}, "float");
  f64 = add({RandomType::Double, "@f64", 64, {}}, "double");
  voidType = add({RandomType::Void, "@void", 0, {}}, "void");
  tagref = add({RandomType::Tagref, "@tagref", 0, {}}, "tagref64");
  refVoid = ref(voidType);
  exception = composite(RandomType::Struct, "struct", {i64, i32});

  scalars = ints;
  if (options.floats) {
    floats = {f32, f64};
    scalars.insert(scalars.end(), floats.begin(), floats.end());
  }
  data = scalars;
  if (options.vectors) {
    vectors = {vectorOf(i32, 4), vectorOf(i8, 16), vectorOf(i64, 2)};
    if (options.floats) {
      vectors.push_back(vectorOf(f32, 4));
      vectors.push_back(vectorOf(f64, 2));
    }
    data.insert(data.end(), vectors.begin(), vectors.end());
  }
  for (int i = 0; i < 3; ++i) {
    std::vector<TypeNumber> fields;
    for (std::size_t n = 1 + random.below(4); n > 0; --n)
      fields.push_back(random.pick(i == 0 ? scalars : data));
    composites.push_back(composite(RandomType::Struct, "struct", std::move(fields)));
    composites.push_back(composite(RandomType::Array, "array", {random.pick(i == 2 ? composites : scalars)},
                                   std::uint64_t{1} << random.below(4)));
    data.push_back(composites[composites.size() - 2]);
    data.push_back(composites.back());
  }
  // Objects with references in them: to data, to each other, and weak ones.
  for (int i = 0; i < 3; ++i) {
    std::vector<TypeNumber> fields = {randomData(), ref(randomData())};
    if (!objects.empty()) fields.push_back(ref(random.pick(objects)));
    fields.push_back(weakref(composites[0]));
    if (options.tagrefs) fields.push_back(tagref);
    fields.push_back(i64);
    objects.push_back(composite(RandomType::Struct, "struct", std::move(fields)));
  }
  for (int i = 0; i < 2; ++i) {
    std::vector<TypeNumber> parts;
    if (i == 1) parts = {randomData(), i64};
    parts.push_back(randomData());
    hybrids.push_back(composite(RandomType::Hybrid, "hybrid", std::move(parts)));
  }
}

void RandomTopLevel::makeSignatures() {
  for (std::size_t i = 0; i < 3; ++i) {
    RandomSignature signature;
    signature.name = "@sig" + std::to_string(i);
    for (std::size_t n = random.below(5); n > 0; --n) {
      TypeNumber type = randomData();
      if (random.chance(25)) type = ref(random.chance(50) ? random.pick(objects) : type);
      // What a tail call passes must not lie in the frame that it replaces.
      if (i == 2 && random.chance(40)) {
        type = iref(type);
        signature.takesIref = true;
      }
      signature.parameters.push_back(type);
    }
    for (std::size_t n = random.below(3); n > 0; --n)
      signature.results.push_back(random.chance(20) ? ref(random.pick(objects)) : randomData());
    signatures.push_back(std::move(signature));
  }
  for (const RandomSignature& signature : signatures) {
    header_ += ".funcsig " + signature.name + " = (@i64 @i64";
    for (TypeNumber type : signature.parameters) header_ += " " + name(type);
    header_ += ") -> (@i64";
    for (TypeNumber type : signature.results) header_ += " " + name(type);
    header_ += ")\n";
  }
  for (std::size_t i = 0; i < options.functions; ++i)
    functions.push_back(
        {"@f" + std::to_string(i), i < signatures.size() ? i : random.below(signatures.size())});
}

void RandomTopLevel::makeNative() {
  for (const auto& [symbol, number] : {std::pair{"fabs", "@f64"}, {"ffs", "@i32"}}) {
    std::string name = symbol, type = number;
    header_ += ".funcsig @sig_" + name + " = (" + type + ") -> (" + type + ")\n";
    header_ += ".typedef @native_" + name + " = ufuncptr<@sig_" + name + ">\n";
    header_ += ".const @" + name + " <@native_" + name + "> = EXTERN \"" + name + "\"\n";
  }
}

void RandomTopLevel::makeGlobals() {
  for (std::size_t i = 0; i < 6; ++i) {
    TypeNumber type = i < 2 ? random.pick(ints) : i < 4 ? randomData() : random.pick(objects);
    globals.push_back({"@g" + std::to_string(i), type});
    header_ += ".global " + globals.back().name + " <" + name(type) + ">\n";
    iref(type);
  }
  header_ += ".global @fuel <@i64>\n";
  for (unsigned i = 1; i <= options.watchpoints; ++i)
    header_ += ".const @wp" + std::to_string(i) + " <@i32> = " + std::to_string(i) + "\n";
}

// --- Constants -----------------------------------------------------------------------------------

std::string RandomTopLevel::constant(TypeNumber number, const std::string& literal) {
  std::string key = name(number) + " " + literal;
  auto [found, isNew] = constantNames_.emplace(key, "@c" + std::to_string(constantNames_.size()));
  if (isNew) constants_ += ".const " + found->second + " <" + name(number) + "> = " + literal + "\n";
  return found->second;
}

std::string RandomTopLevel::intLiteral(std::uint64_t bits) {
  switch (random.below(6)) {
    case 0: return std::to_string(random.below(4));
    case 1: return "-" + std::to_string(1 + random.below(3));
    case 2: {  // the least and the largest signed number, and their neighbours
      if (bits > 64)
        return random.chance(50) ? "0x80000000000000000000000000000000"
                                 : "0x7fffffffffffffffffffffffffffffff";
      std::uint64_t least = std::uint64_t{1} << (bits - 1);
      return std::to_string(least - random.below(2));
    }
    case 3: return std::to_string(random.below(200));
    default: {
      if (bits <= 64) return std::to_string(random.next() >> random.below(64));
      char digits[40];
      std::snprintf(digits, sizeof digits, "0x%llx%016llx",
                    static_cast<unsigned long long>(random.next() >> random.below(64)),
                    static_cast<unsigned long long>(random.next()));
      return digits;
    }
  }
}

std::string RandomTopLevel::floatLiteral(bool isDouble) {
  static constexpr const char* kPlain[] = {"0.0",     "-0.0",  "1.0",     "-1.5",   "0.1", "3.75", "1.0e10",
                                           "-2.5e-3", "255.0", "65536.5", "9.3e18", "nan", "+inf", "-inf"};
  std::string suffix = isDouble ? " d" : " f";
  if (random.chance(70)) return kPlain[random.below(std::size(kPlain))] + suffix;
  std::uint64_t bits = random.next();
  return isDouble ? "bitsd(" + std::to_string(bits) + ")" : "bitsf(" + std::to_string(bits >> 32) + ")";
}

std::string RandomTopLevel::randomConstant(TypeNumber number) {
  switch (type(number).kind) {
    case RandomType::Int: return constant(number, intLiteral(type(number).length));
    case RandomType::Float: return constant(number, floatLiteral(false));
    case RandomType::Double: return constant(number, floatLiteral(true));
    default: break;
  }
  bool isStruct = is(number, RandomType::Struct);
  std::size_t count = isStruct ? type(number).parts.size() : static_cast<std::size_t>(type(number).length);
  std::string literal = "{";
  for (std::size_t i = 0; i < count; ++i)
    literal += " " + randomConstant(type(number).parts[isStruct ? i : 0]);
  return constant(number, literal + " }");
}

std::string RandomTopLevel::splat(TypeNumber type, std::uint64_t value) {
  if (!is(type, RandomType::Vector)) return number(type, value);
  std::string lane = number(scalarOf(type), value);
  std::string literal = "{";
  for (std::uint64_t i = 0; i < this->type(type).length; ++i) literal += " " + lane;
  return constant(type, literal + " }");
}

}  // namespace gaur::ir
