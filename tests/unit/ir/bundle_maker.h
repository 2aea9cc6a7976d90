// Short ways to make entities by name through the Builder, for the tests of the IR layer.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "vm/ir/builder.h"
#include "vm/ir/linker.h"

namespace gaur::ir::test {

class BundleMaker {
 public:
  explicit BundleMaker(Program& program) : program_(program), builder_(program, "test") {}

  Builder& builder() { return builder_; }
  Id id(std::string_view name) { return builder_.symbol(name); }

  std::vector<Id> ids(std::initializer_list<const char*> names) {
    std::vector<Id> list;
    for (const char* name : names) list.push_back(id(name));
    return list;
  }
  TypeDef* type(std::string_view name, TypeKind kind, std::initializer_list<const char*> elements = {},
                std::uint64_t length = 0) {
    TypeDef* made = builder_.newType(id(name), kind);
    made->elements = builder_.uses<TypeDef>(std::span<const Id>(ids(elements)));
    made->length = length;
    return made;
  }
  TypeDef* alias(std::string_view name, const char* of) {
    TypeDef* made = type(name, TypeKind::Void, {of});
    made->isAlias = true;
    return made;
  }
  TypeDef* functionType(std::string_view name, TypeKind kind, std::string_view signature) {
    TypeDef* made = builder_.newType(id(name), kind);
    made->signature.id = id(signature);
    return made;
  }
  SignatureDef* sig(std::string_view name, std::initializer_list<const char*> parameters,
                    std::initializer_list<const char*> results) {
    SignatureDef* made = builder_.newSignature(id(name));
    made->parameters = builder_.uses<TypeDef>(std::span<const Id>(ids(parameters)));
    made->results = builder_.uses<TypeDef>(std::span<const Id>(ids(results)));
    return made;
  }
  Constant* integer(std::string_view name, std::string_view type, std::vector<std::uint64_t> words) {
    Constant* made = builder_.newConstant(id(name), ConstantKind::Int, id(type));
    made->words = builder_.arena().copy(std::span<const std::uint64_t>(words));
    return made;
  }
  FunctionVersion* version(std::string_view name, std::string_view function,
                           std::initializer_list<const char*> blocks) {
    FunctionVersion* made = builder_.newVersion(id(name), id(function));
    made->blocks = builder_.uses<BasicBlock>(std::span<const Id>(ids(blocks)));
    return made;
  }
  /// Parameters are given as pairs of name and type.
  BasicBlock* block(std::string_view name, std::vector<std::pair<const char*, const char*>> parameters,
                    std::initializer_list<const char*> instructions) {
    BasicBlock* made = builder_.newBlock(id(name));
    made->parameters = builder_.arena().makeArray<Parameter>(parameters.size());
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      Parameter& parameter = made->parameters[i];
      parameter.entityKind = EntityKind::Parameter;
      parameter.id = id(parameters[i].first);
      parameter.declaredType.id = id(parameters[i].second);
      builder_.define(&parameter);
    }
    made->instructions = builder_.uses<Instruction>(std::span<const Id>(ids(instructions)));
    return made;
  }
  Instruction* instruction(std::string_view name, Opcode opcode,
                           std::initializer_list<const char*> types = {},
                           std::initializer_list<const char*> operands = {},
                           std::initializer_list<const char*> results = {}) {
    Instruction* made = builder_.newInstruction(id(name), opcode);
    made->types = builder_.uses<TypeDef>(std::span<const Id>(ids(types)));
    made->operands = builder_.uses<Value>(std::span<const Id>(ids(operands)));
    builder_.newResults(made, ids(results));
    return made;
  }

  /// Links; the errors are in diagnostics().
  bool link() {
    ir::link(builder_, diagnostics_);
    return !diagnostics_.failed();
  }
  const Diagnostics& diagnostics() const { return diagnostics_; }
  bool reported(ErrorId wanted) const {
    for (const Diagnostic& diagnostic : diagnostics_.list())
      if (diagnostic.id == wanted) return true;
    return false;
  }
  std::string messages() const { return render(diagnostics_, SourceText{"test", ""}); }

 private:
  Program& program_;
  Builder builder_;
  Diagnostics diagnostics_;
};

}  // namespace gaur::ir::test
