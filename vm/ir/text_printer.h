// The printer proper, private to the printer's files. References ask for a name; what has none is either
// written inline or gets a generated name and waits to be defined at the top of the text, so that nothing is
// printed that nothing refers to.
#pragma once

#include <deque>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "vm/ir/bundle.h"
#include "vm/ir/name_map.h"
#include "vm/ir/printer.h"

namespace gaur::ir {

class TextPrinter {
 public:
  explicit TextPrinter(const PrintOptions& options) : options_(options), hasSigils_(isSpec()) {}

  std::string bundle(const Bundle& bundle);
  /// With the definitions of what it refers to and has no name.
  std::string version(const FunctionVersion& version);
  /// One line, everything without a name inline.
  std::string instruction(const Instruction& instruction);

 private:
  using Instr = const Instruction&;
  bool isSpec() const { return options_.dialect == PrintOptions::Dialect::Spec; }

  // --- Definitions (printer.cpp) -----------------------------------------------------------------
  void define(const TypeDef& def);
  void define(const SignatureDef& def);
  void define(const Constant& constant);
  void functionDefinition(const FunctionVersion& version);
  void block(const BasicBlock& block);

  // --- References (printer.cpp) ------------------------------------------------------------------
  void type(const TypeDef& def);
  void constructor(const TypeDef& def);
  void signature(const SignatureDef& def);
  void signatureParts(const SignatureDef& def);
  void constantValue(const Constant& constant);
  void value(const Value& value);
  void globalName(const Entity& entity);
  void localName(const Entity& entity);
  /// With the sigil, unless the dialect and the name itself do without.
  void sigiled(char sigil, std::string_view name);
  const std::string& generatedGlobal(const Entity& entity);
  bool isInline(const TypeDef& def);
  bool isInline(const SignatureDef& def);
  bool isInline(const Constant& constant) const;
  template <class Def>
  bool isSmall(const Def& def);
  /// Nodes that a reference adds to the text around it: 1 where it is a name.
  template <class Def, class F>
  unsigned measure(const Def& def, F&& sizeOfParts);
  unsigned inlineSize(const TypeDef& def);
  unsigned inlineSize(const SignatureDef& def);
  void collectNames();

  // --- Local names (printer.cpp) -----------------------------------------------------------------
  void nameBlocks(const FunctionVersion& version);
  void nameLocals(const BasicBlock& block);
  /// Enters the entity's own name; false where it has none or another entity has it.
  bool takeName(const Entity& entity, NameMap<const Entity*>& taken);
  void generateLocal(const Entity& entity, std::string_view stem, NameMap<const Entity*>& taken);

  // --- Instructions (printer_instructions.cpp); an opcode without a function does not link -------
#define GAUR_OPCODE(Name, Text, Flags) void print##Name(Instr i);
#include "vm/ir/opcodes.def"
  void line(Instr i);
  void results(Instr i);
  void word(std::string_view text);
  void operand(Instr i, std::size_t index);
  void operandsFrom(Instr i, std::size_t first);
  void arguments(std::span<const ValueUse> values);
  void types(std::span<const TypeUse> list);
  void typesAndOperands(Instr i);
  void typeAndIndex(Instr i);
  void signatureOf(Instr i);
  void dest(const Dest& dest);
  void destsFrom(Instr i, std::size_t first, std::size_t count);
  void ptrFlag(Instr i);
  void order(Instr i);
  void newStackClause(Instr i, std::span<const TypeUse> passed, std::span<const ValueUse> values);
  void clauses(Instr i);

  PrintOptions options_;
  bool hasSigils_;
  const Bundle* bundle_ = nullptr;
  std::string out_;

  std::unordered_map<const Entity*, std::string> globalNames_;  // generated
  std::unordered_set<std::string_view> takenGlobals_;           // filled when the first name is generated
  std::vector<const TypeDef*> hoistedTypes_;
  std::vector<const SignatureDef*> hoistedSignatures_;
  std::vector<const Constant*> hoistedConstants_;
  std::unordered_map<std::string_view, unsigned> generated_;  // count by stem
  /// Nodes an inline form would have; more than the limit where a name is needed.
  std::unordered_map<const Entity*, unsigned> inlineSizes_;
  unsigned depth_ = 0;

  // Of the function and the block being printed.
  std::unordered_map<const Entity*, std::string> blockTexts_, valueTexts_;  // generated names
  NameMap<const Entity*> blockNames_, valueNames_;
  std::unordered_set<const Entity*> used_;
  std::deque<std::string> nameTexts_;
};

}  // namespace gaur::ir
