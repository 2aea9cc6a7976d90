// Rules for what stands outside functions: types, signatures, constants, global cells and exposed functions.
// Every definition is checked one level deep, because the types inside it are definitions of their own.
#include <algorithm>
#include <limits>

#include "vm/ir/verify_rules.h"

namespace gaur::ir {

namespace {

bool isVectorElement(TypeKind kind) {
  switch (kind) {
    case TypeKind::Struct:
    case TypeKind::Array:
    case TypeKind::Vector:
    case TypeKind::Hybrid:
    case TypeKind::Void:
    case TypeKind::Weakref: return false;
    default: return true;
  }
}

std::uint64_t timesSaturating(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<std::uint64_t>::max() : product;
}
std::uint64_t plusSaturating(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::uint64_t>::max() : sum;
}

}  // namespace

// --- Types ---------------------------------------------------------------------------------------

void Verifier::checkType(const TypeDef& def) {
  subject_ = &def;
  if (def.isAlias || !def.type) return;
  switch (def.kind) {
    case TypeKind::Int:
      if (def.length == 0) {
        error(ErrorId::VerifyIntLengthZero, def.pos);
      } else if (def.length > kMaxIntBits) {
        error(ErrorId::VerifyIntLengthLimit, def.pos,
              {std::to_string(def.length), std::to_string(kMaxIntBits)});
      }
      return;
    case TypeKind::Struct: checkStruct(def); break;
    case TypeKind::Array: checkArray(def); break;
    case TypeKind::Vector: checkVector(def); break;
    case TypeKind::Hybrid: checkHybrid(def); break;
    default: return;
  }
  if (extentOf(def.type).depth > kMaxTypeDepth)
    error(ErrorId::VerifyTypeTooDeep, def.pos, {std::to_string(kMaxTypeDepth)});
}

void Verifier::checkStruct(const TypeDef& def) {
  if (def.elements.empty()) error(ErrorId::VerifyStructEmpty, def.pos);
  for (std::size_t i = 0; i < def.elements.size(); ++i) {
    const TypeUse& field = def.elements[i];
    const Type* type = field->type;
    if (type->is(TypeKind::Void)) {
      error(ErrorId::VerifyStructFieldVoid, field.pos, {std::to_string(i)});
    } else if (type->is(TypeKind::Hybrid)) {
      error(ErrorId::VerifyStructFieldHybrid, field.pos, {std::to_string(i), toString(type)});
    }
  }
}

void Verifier::checkArray(const TypeDef& def) {
  if (def.length == 0) error(ErrorId::VerifyArrayLengthZero, def.pos);
  const TypeUse& element = def.elements[0];
  if (element->type->is(TypeKind::Void)) {
    error(ErrorId::VerifyArrayElementVoid, element.pos);
  } else if (element->type->is(TypeKind::Hybrid)) {
    error(ErrorId::VerifyArrayElementHybrid, element.pos, {toString(element->type)});
  }
}

void Verifier::checkVector(const TypeDef& def) {
  if (def.length == 0) {
    error(ErrorId::VerifyVectorLengthZero, def.pos);
  } else if (def.length > kMaxVectorLength) {
    error(ErrorId::VerifyVectorLengthLimit, def.pos,
          {std::to_string(def.length), std::to_string(kMaxVectorLength)});
  }
  const TypeUse& element = def.elements[0];
  if (!isVectorElement(element->type->kind))
    error(ErrorId::VerifyVectorElement, element.pos, {toString(element->type)});
}

void Verifier::checkHybrid(const TypeDef& def) {
  for (std::size_t i = 0; i + 1 < def.elements.size(); ++i) {
    const TypeUse& field = def.elements[i];
    if (field->type->is(TypeKind::Void)) {
      error(ErrorId::VerifyHybridFieldVoid, field.pos, {std::to_string(i)});
    } else if (field->type->is(TypeKind::Hybrid)) {
      error(ErrorId::VerifyHybridFieldHybrid, field.pos, {std::to_string(i), toString(field->type)});
    }
  }
  const TypeUse& variable = def.elements.back();
  if (variable->type->is(TypeKind::Void)) {
    error(ErrorId::VerifyHybridVariableVoid, variable.pos);
  } else if (variable->type->is(TypeKind::Hybrid)) {
    error(ErrorId::VerifyHybridVariableHybrid, variable.pos, {toString(variable->type)});
  }
}

void Verifier::checkSignature(const SignatureDef& def) {
  subject_ = &def;
  struct Errors {
    ErrorId isVoid, isHybrid, isNotValue;
  };
  auto check = [&](std::span<const TypeUse> uses, const Errors& errors) {
    for (std::size_t i = 0; i < uses.size(); ++i) {
      const Type* type = uses[i]->type;
      if (type->is(TypeKind::Void)) {
        error(errors.isVoid, uses[i].pos, {std::to_string(i)});
      } else if (type->is(TypeKind::Hybrid)) {
        error(errors.isHybrid, uses[i].pos, {std::to_string(i), toString(type)});
      } else if (isNoValue(type)) {
        error(errors.isNotValue, uses[i].pos, {std::to_string(i), toString(type)});
      } else {
        checkValueExtent(type, uses[i].pos);
      }
    }
  };
  check(def.parameters,
        {ErrorId::VerifyParameterVoid, ErrorId::VerifyParameterHybrid, ErrorId::VerifyParameterNotValue});
  check(def.results, {ErrorId::VerifyResultVoid, ErrorId::VerifyResultHybrid, ErrorId::VerifyResultNotValue});
}

Verifier::Extent Verifier::extentOf(const Type* root) {
  auto known = [&](const Type* type) -> Extent {
    if (!isComposite(type)) return {1, 0, type->is(TypeKind::Weakref)};
    return type->index < extents_.size() ? extents_[type->index] : Extent{};
  };
  if (Extent extent = known(root); extent.parts != 0) return extent;
  // Post-order with a stack of its own: nesting is what is to be limited.
  std::vector<std::pair<const Type*, std::size_t>> stack{{root, 0}};
  while (!stack.empty()) {
    auto& [type, next] = stack.back();
    if (next < type->elements.size()) {
      const Type* element = type->elements[next++];
      if (known(element).parts == 0) stack.push_back({element, 0});
      continue;
    }
    Extent extent;
    for (const Type* element : type->elements) {
      Extent inner = known(element);
      extent.parts = plusSaturating(extent.parts, inner.parts);
      extent.depth = std::max(extent.depth, inner.depth + 1);
      extent.isWeak |= inner.isWeak;
    }
    if (type->is(TypeKind::Array) || type->is(TypeKind::Vector))
      extent.parts = timesSaturating(extent.parts, type->length);
    extent.parts = std::max<std::uint64_t>(extent.parts, 1);
    if (type->index >= extents_.size())
      extents_.resize(std::max<std::size_t>(type->index + 1, types_.count()));
    extents_[type->index] = extent;
    stack.pop_back();
  }
  return extents_[root->index];
}

void Verifier::checkValueExtent(const Type* type, SourcePos pos) {
  if (!isComposite(type) || extentOf(type).parts <= kMaxValueParts) return;
  error(ErrorId::VerifyValueTooLarge, pos, {toString(type), std::to_string(kMaxValueParts)});
}

// --- Constants -----------------------------------------------------------------------------------

void Verifier::checkConstant(const Constant& constant) {
  subject_ = &constant;
  const Type* type = constant.type;
  auto require = [&](bool fits, ErrorId id) {
    if (!fits) error(id, constant.declaredType.pos, {toString(type)});
  };
  switch (constant.kind) {
    case ConstantKind::Int:
      return require(type->is(TypeKind::Int) || isRawPointer(type), ErrorId::VerifyIntConstantType);
    case ConstantKind::Float: return require(type->is(TypeKind::Float), ErrorId::VerifyFloatConstantType);
    case ConstantKind::Double: return require(type->is(TypeKind::Double), ErrorId::VerifyDoubleConstantType);
    case ConstantKind::Null: return require(isGeneralReference(type), ErrorId::VerifyNullConstantType);
    case ConstantKind::Sequence: return checkSequence(constant);
    case ConstantKind::Extern: return checkExtern(constant);
  }
}

/// A sequence that contains itself, through whatever others, has an element of a wrong type, since no type
/// contains itself; so only the shortest such loop needs a look of its own.
void Verifier::checkSequence(const Constant& constant) {
  const Type* type = constant.type;
  bool isStruct = type->is(TypeKind::Struct);
  if (!isStruct && !type->is(TypeKind::Array) && !type->is(TypeKind::Vector)) {
    error(ErrorId::VerifySequenceType, constant.declaredType.pos, {toString(type)});
    return;
  }
  if (isNoValue(type)) {
    error(ErrorId::VerifyConstantNotValue, constant.declaredType.pos, {toString(type)});
    return;
  }
  std::uint64_t count = isStruct ? type->elements.size() : type->length;
  if (constant.elements.size() != count) {
    error(ErrorId::VerifySequenceCount, constant.pos,
          {toString(type), std::to_string(count), std::to_string(constant.elements.size())});
    return;
  }
  checkValueExtent(type, constant.declaredType.pos);
  for (std::size_t i = 0; i < constant.elements.size(); ++i) {
    const ValueUse& element = constant.elements[i];
    const Type* expected = isStruct ? type->elements[i] : type->element();
    if (element.target == &constant) {
      error(ErrorId::VerifySequenceRecursive, element.pos, {describe(constant)});
    } else if (!element->isGlobalValue()) {
      error(ErrorId::VerifySequenceElementLocal, element.pos, {std::to_string(i), describe(*element.target)});
    } else if (!accepts(expected, element->type)) {
      error(ErrorId::VerifySequenceElementType, element.pos,
            {std::to_string(i), toString(element->type), toString(expected)});
    }
  }
}

void Verifier::checkExtern(const Constant& constant) {
  if (!isRawPointer(constant.type))
    error(ErrorId::VerifyExternType, constant.declaredType.pos, {toString(constant.type)});
  if (constant.symbol.empty()) error(ErrorId::VerifyExternEmpty, constant.pos);
  for (char c : constant.symbol) {
    if (c > ' ' && c < 127 && c != '"') continue;
    error(ErrorId::VerifyExternCharacter, constant.pos,
          {"code " + std::to_string(static_cast<unsigned char>(c))});
    return;
  }
}

// --- Global cells, exposed functions -------------------------------------------------------------

void Verifier::checkGlobal(const GlobalCell& global) {
  subject_ = &global;
  const Type* type = global.cellType->type;
  if (type->is(TypeKind::Hybrid)) error(ErrorId::VerifyGlobalHybrid, global.cellType.pos, {toString(type)});
}

void Verifier::checkExposed(const ExposedFunction& exposed) {
  subject_ = &exposed;
  const Type* cookie = exposed.cookie->type;
  if (cookie != cookieType_) error(ErrorId::VerifyCookieType, exposed.cookie.pos, {toString(cookie)});
  const Function& function = *exposed.function.target;
  std::size_t results = function.signature->signature->results.size();
  if (results > 1) {
    error(ErrorId::VerifyExposedResults, exposed.function.pos,
          {describe(function), std::to_string(results), text(exposed.convention)});
  }
}

}  // namespace gaur::ir
