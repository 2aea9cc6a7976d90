// Parts of the generator of random bundles: the numbers, and the types, constants and signatures that a
// bundle has written down. Private to random*.cpp.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "vm/ir/random.h"

namespace gaur::ir {

/// The same numbers everywhere (splitmix64), unlike the distributions of the standard library.
class RandomNumbers {
 public:
  explicit RandomNumbers(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// In [0, n).
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }
  bool chance(unsigned percent) { return below(100) < percent; }
  template <class List>
  const auto& pick(const List& list) {
    return list[below(std::size(list))];
  }

 private:
  std::uint64_t state_;
};

using TypeNumber = std::size_t;

struct RandomType {
  enum Kind : std::uint8_t {
    Int,
    Float,
    Double,
    Vector,
    Array,
    Struct,
    Hybrid,
    Ref,
    Iref,
    Uptr,
    Tagref,
    Funcref,
    Void,
    Weakref
  } kind;
  std::string name;               // with '@'
  std::uint64_t length = 0;       // bits or elements
  std::vector<TypeNumber> parts;  // elements, fields (hybrid: the variable part last), or the referent
  std::size_t signature = 0;
};

struct RandomSignature {
  std::string name;
  /// Behind the depth and the hash, which every function takes.
  std::vector<TypeNumber> parameters;
  /// Behind the hash, which every function returns.
  std::vector<TypeNumber> results;
  bool takesIref = false;
};

struct RandomFunction {
  std::string name;
  std::size_t signature = 0;
};

struct RandomGlobal {
  std::string name;
  TypeNumber type = 0;
};

/// What stands outside functions. Everything is written the first time it is asked for.
class RandomTopLevel {
 public:
  RandomTopLevel(RandomNumbers& random, const RandomOptions& options);

  RandomNumbers& random;
  const RandomOptions& options;

  const RandomType& type(TypeNumber number) const { return types_[number]; }
  const std::string& name(TypeNumber number) const { return types_[number].name; }
  bool is(TypeNumber number, RandomType::Kind kind) const { return types_[number].kind == kind; }
  TypeNumber intType(std::uint64_t bits);
  TypeNumber ref(TypeNumber to) { return pointer(RandomType::Ref, "ref", to); }
  TypeNumber iref(TypeNumber to) { return pointer(RandomType::Iref, "iref", to); }
  TypeNumber uptr(TypeNumber to) { return pointer(RandomType::Uptr, "uptr", to); }
  TypeNumber weakref(TypeNumber to) { return pointer(RandomType::Weakref, "weakref", to); }
  TypeNumber vectorOf(TypeNumber element, std::uint64_t length);
  TypeNumber funcref(std::size_t signature);
  /// What a comparison of this type gives.
  TypeNumber booleanLike(TypeNumber number);
  TypeNumber scalarOf(TypeNumber number) const {
    return is(number, RandomType::Vector) ? types_[number].parts[0] : number;
  }

  /// Name of a constant; one is made for each type and literal.
  std::string constant(TypeNumber number, const std::string& literal);
  std::string null(TypeNumber number) { return constant(number, "NULL"); }
  std::string number(TypeNumber type, std::uint64_t value) { return constant(type, std::to_string(value)); }
  std::string randomConstant(TypeNumber number);
  /// All lanes or the scalar itself.
  std::string splat(TypeNumber number, std::uint64_t value);
  /// Numbers and composites of numbers: types that have constants.
  TypeNumber randomData() { return random.pick(data); }

  std::string text() const { return header_ + constants_; }

  // Kinds of types to choose from.
  TypeNumber i1, i6, i8, i32, i52, i64, f32, f64, voidType, refVoid, tagref, exception;
  std::vector<TypeNumber> ints, floats, vectors, composites, scalars;
  std::vector<TypeNumber> data;     // all of the above
  std::vector<TypeNumber> objects;  // structs with references in them
  std::vector<TypeNumber> hybrids;
  std::vector<RandomSignature> signatures;
  std::vector<RandomFunction> functions;
  std::vector<RandomGlobal> globals;

 private:
  TypeNumber add(RandomType type, const std::string& definition);
  TypeNumber pointer(RandomType::Kind kind, const char* word, TypeNumber to);
  TypeNumber composite(RandomType::Kind kind, const char* word, std::vector<TypeNumber> parts,
                       std::uint64_t length = 0);
  void makeTypes();
  void makeSignatures();
  void makeGlobals();
  void makeNative();
  std::string intLiteral(std::uint64_t bits);
  std::string floatLiteral(bool isDouble);

  std::deque<RandomType> types_;  // types are added while others are in use
  std::map<std::string, TypeNumber> byDefinition_;
  std::map<std::string, std::string> constantNames_;
  std::string header_;
  std::string constants_;
};

}  // namespace gaur::ir
