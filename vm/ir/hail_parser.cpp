// The grammar of HAIL, and its names. Values become a flat list, lists before their items, so that a script
// of millions of numbers costs 16 bytes each. After an error the next definition is read.
#include <limits>

#include "vm/ir/hail.h"
#include "vm/ir/lexer.h"
#include "vm/ir/literal.h"
#include "vm/ir/name_map.h"
#include "vm/ir/text_parser.h"

namespace gaur::ir {

namespace {

constexpr std::string_view kDirectives[] = {".new", ".newhybrid", ".init"};
constexpr char kBinaryMagic = '\x7F';
constexpr unsigned kWordBits = 64;
/// Looking for near names is slow; beyond so many errors it is left out.
constexpr std::size_t kErrorsWithHints = 50;
constexpr std::uint64_t kMostNumber = std::numeric_limits<std::uint64_t>::max();

bool isGlobalValue(EntityKind kind) {
  return kind == EntityKind::Constant || kind == EntityKind::Global || kind == EntityKind::Function ||
         kind == EntityKind::ExposedFunction;
}

class HailParser {
 public:
  HailParser(const SourceText& source, const Program& program, HailScript& script, Diagnostics& diagnostics)
      : program_(program),
        script_(script),
        diagnostics_(diagnostics),
        lexer_(source.text, diagnostics, TextLanguage::Hail) {}

  void run();

 private:
  // Each of these is false after an error, which is reported; the definition is then given up.
  bool definition();
  bool allocation(bool isHybrid);
  bool objectName(std::string_view directive, std::uint32_t& object);
  bool typeName(std::string_view directive, const TypeDef*& type, SourcePos& pos);
  bool initialisation();
  bool place(std::string_view context, std::uint32_t& number);
  bool indices(HailPlace& place);
  /// An int literal or constant.
  bool number(std::string_view context, std::uint64_t& value);
  bool constantNumber(std::string_view context, std::uint64_t& value);
  bool value();
  bool atom();
  bool closeList();
  bool integer();
  bool floating();
  bool bits();
  bool word();
  bool global();
  bool location(HailForm form);
  bool isWhole(const Token& name);

  bool at(TokenKind kind) const { return token_.kind == kind; }
  bool atWord(std::string_view text) const { return at(TokenKind::Word) && token_.text == text; }
  void advance() { token_ = lexer_.next(); }
  bool expect(TokenKind kind, ErrorId id, std::string_view context = {});
  bool fail(ErrorId id, std::string_view context = {});
  bool failAt(SourcePos pos, ErrorId id, std::initializer_list<std::string_view> arguments);
  void recover();
  bool wantsHints() const { return diagnostics_.errorTotal() < kErrorsWithHints; }

  std::uint32_t objectNumber(const Token& name);
  /// The loaded entity, or null; an unknown name is reported once.
  const Entity* entity(const Token& name, std::string_view wanted);
  bool wrongKind(const Token& name, const Entity& found, std::string_view wanted);
  void reportUnknownObjects();
  HailValue& add(HailForm form, std::uint64_t payload = 0);

  const Program& program_;
  HailScript& script_;
  Diagnostics& diagnostics_;
  Lexer lexer_;
  Token token_;
  NameMap<std::uint32_t> objects_;
  NameMap<const Entity*> entities_;
  NameMap<std::uint32_t> globals_;
  /// Lists that are open, as places in values.
  std::vector<std::uint32_t> open_;
  std::vector<std::uint64_t> scratch_;
};

bool HailParser::fail(ErrorId id, std::string_view context) {
  return failAt(token_.pos, id, {describe(token_), context});
}

bool HailParser::failAt(SourcePos pos, ErrorId id, std::initializer_list<std::string_view> arguments) {
  // A malformed token is reported already.
  if (!at(TokenKind::Error)) diagnostics_.report(id, pos, arguments);
  return false;
}

bool HailParser::expect(TokenKind kind, ErrorId id, std::string_view context) {
  if (!at(kind)) return fail(id, context);
  advance();
  return true;
}

void HailParser::recover() {
  lexer_.setQuiet(true);
  while (!at(TokenKind::Directive) && !at(TokenKind::End)) advance();
  lexer_.setQuiet(false);
}

void HailParser::run() {
  advance();
  while (!at(TokenKind::End))
    if (!definition()) recover();
  reportUnknownObjects();
}

HailValue& HailParser::add(HailForm form, std::uint64_t payload) {
  return script_.values.emplace_back(HailValue{token_.pos, form, false, payload});
}

// --- Names -------------------------------------------------------------------------------------------

std::uint32_t HailParser::objectNumber(const Token& name) {
  auto [entry, isNew] = objects_.insert(name.content(), static_cast<std::uint32_t>(script_.objects.size()));
  if (isNew) script_.objects.push_back({name.content(), name.pos});
  return entry->value;
}

const Entity* HailParser::entity(const Token& name, std::string_view wanted) {
  auto [entry, isNew] = entities_.insert(name.content(), nullptr);
  if (!isNew) return entry->value;
  const Entity* found = program_.entity(program_.idOf(name.content()));
  entry->value = found;
  if (found) return found;
  std::string hint;
  if (wantsHints()) {
    NearName finder(name.content());
    program_.offerNames(finder);
    if (!finder.best().empty()) hint = "did you mean @" + finder.best() + "?";
  }
  diagnostics_.report(ErrorId::HailNameUnknown, name.pos, {wanted, name.content(), hint});
  return nullptr;
}

bool HailParser::wrongKind(const Token& name, const Entity& found, std::string_view wanted) {
  return failAt(name.pos, ErrorId::HailNameKind, {name.content(), text(found.entityKind), wanted});
}

void HailParser::reportUnknownObjects() {
  for (const HailObject& object : script_.objects) {
    if (object.isDefined) continue;
    std::string hint;
    if (wantsHints()) {
      NearName finder(object.name);
      for (const HailObject& other : script_.objects)
        if (other.isDefined) finder.offer(other.name);
      if (!finder.best().empty()) hint = "did you mean $" + finder.best() + "?";
    }
    diagnostics_.report(ErrorId::HailObjectUnknown, object.pos, {"$" + std::string(object.name), hint});
  }
}

// --- Definitions -------------------------------------------------------------------------------------

bool HailParser::definition() {
  if (!at(TokenKind::Directive)) return fail(ErrorId::HailDefinition);
  const std::string_view word = token_.text;
  if (word == ".init") return initialisation();
  if (word == ".new") return allocation(false);
  if (word == ".newhybrid") return allocation(true);
  fail(ErrorId::HailDirectiveUnknown, nearHint(word, kDirectives));
  // Recovery stops at directives, and this one must not stop it.
  advance();
  return false;
}

bool HailParser::allocation(bool isHybrid) {
  const std::string_view directive = token_.text;
  advance();
  std::uint32_t number = 0;
  const SourcePos pos = token_.pos;
  const TypeDef* type = nullptr;
  if (!objectName(directive, number)) return false;
  const std::string shown = "$" + std::string(script_.objects[number].name);
  if (script_.objects[number].isDefined) {
    diagnostics_.report(ErrorId::HailObjectTwice, pos, {shown})
        .notes.push_back({script_.objects[number].pos, "the first definition"});
    return false;
  }
  // Also where the rest is wrong, so that uses of the object are not.
  script_.objects[number].pos = pos;
  script_.objects[number].isDefined = true;
  SourcePos typePos = 0;
  if (!typeName(directive, type, typePos)) return false;
  std::uint64_t length = 0;
  if (isHybrid && !this->number("the length", length)) return false;
  if (!type) return true;
  if (type->type->is(TypeKind::Hybrid) != isHybrid) {
    diagnostics_.report(isHybrid ? ErrorId::HailNotHybrid : ErrorId::HailNewOfHybrid, typePos,
                        {toString(type->type)});
    return true;
  }
  script_.objects[number].type = type->type;
  script_.objects[number].length = length;
  return true;
}

bool HailParser::objectName(std::string_view directive, std::uint32_t& object) {
  if (!at(TokenKind::ObjectName)) return fail(ErrorId::HailObjectName, directive);
  object = objectNumber(token_);
  advance();
  return true;
}

bool HailParser::typeName(std::string_view directive, const TypeDef*& type, SourcePos& pos) {
  if (!expect(TokenKind::Less, ErrorId::HailTypeOpen, directive)) return false;
  pos = token_.pos;
  if (!at(TokenKind::GlobalName)) return fail(ErrorId::HailTypeName, directive);
  if (const Entity* found = entity(token_, "type")) {
    if (found->entityKind != EntityKind::Type) return wrongKind(token_, *found, "type");
    type = static_cast<const TypeDef*>(found);
  }
  advance();
  return expect(TokenKind::Greater, ErrorId::HailTypeClose, directive);
}

bool HailParser::initialisation() {
  advance();
  const std::size_t values = script_.values.size();
  const std::size_t places = script_.places.size();
  HailInit init{0, static_cast<std::uint32_t>(values)};
  if (place(".init", init.place) && expect(TokenKind::Equals, ErrorId::HailEquals) && value()) {
    script_.inits.push_back(init);
    return true;
  }
  // Nothing of it is to be checked.
  script_.values.resize(values);
  script_.places.resize(places);
  return false;
}

// --- Locations ---------------------------------------------------------------------------------------

bool HailParser::place(std::string_view context, std::uint32_t& number) {
  HailPlace place;
  place.pos = token_.pos;
  place.firstIndex = static_cast<std::uint32_t>(script_.indices.size());
  if (at(TokenKind::ObjectName)) {
    place.object = objectNumber(token_);
  } else if (at(TokenKind::GlobalName)) {
    if (const Entity* found = entity(token_, "global cell")) {
      if (found->entityKind != EntityKind::Global) return wrongKind(token_, *found, text(EntityKind::Global));
      place.cell = static_cast<const GlobalCell*>(found);
    }
  } else {
    return fail(at(TokenKind::LocalName) ? ErrorId::HailLocalName : ErrorId::HailPlace, context);
  }
  advance();
  if (!indices(place)) return false;
  number = static_cast<std::uint32_t>(script_.places.size());
  script_.places.push_back(place);
  return true;
}

bool HailParser::indices(HailPlace& place) {
  while (at(TokenKind::LeftBracket)) {
    advance();
    HailIndex index{0, token_.pos};
    if (!number("the index", index.value)) return false;
    if (!expect(TokenKind::RightBracket, ErrorId::HailIndexClose)) return false;
    script_.indices.push_back(index);
    ++place.indexCount;
  }
  return true;
}

bool HailParser::number(std::string_view context, std::uint64_t& value) {
  if (at(TokenKind::GlobalName)) return constantNumber(context, value);
  if (!at(TokenKind::Int)) return fail(ErrorId::HailNumber, context);
  if (!parseUnsigned(token_.text, value)) {
    const bool isNegative = token_.text.starts_with('-');
    return fail(isNegative ? ErrorId::HailNumberNegative : ErrorId::HailNumberRange, context);
  }
  advance();
  return true;
}

bool HailParser::constantNumber(std::string_view context, std::uint64_t& value) {
  const Entity* found = entity(token_, "constant");
  if (found && found->entityKind != EntityKind::Constant)
    return wrongKind(token_, *found, text(EntityKind::Constant));
  if (found) {
    const auto& constant = *static_cast<const Constant*>(found);
    if (!constant.type->is(TypeKind::Int))
      return failAt(token_.pos, ErrorId::HailNumberConstant,
                    {context, token_.content(), toString(constant.type)});
    // Linking has cleared the bits above the type's.
    value = constant.words.empty() ? 0 : constant.words[0];
    const std::uint64_t used = (constant.type->length + kWordBits - 1) / kWordBits;
    for (std::size_t i = 1; i < constant.words.size() && i < used; ++i)
      if (constant.words[i] != 0) value = kMostNumber;
  }
  advance();
  return true;
}

// --- Values ------------------------------------------------------------------------------------------

bool HailParser::value() {
  open_.clear();
  do {
    if (at(TokenKind::RightBrace) && !open_.empty()) {
      if (!closeList()) return false;
    } else if (at(TokenKind::LeftBrace)) {
      if (open_.size() == kMaxHailNesting) return fail(ErrorId::HailTooDeep, std::to_string(kMaxHailNesting));
      if (!open_.empty()) ++script_.values[open_.back()].payload;
      open_.push_back(static_cast<std::uint32_t>(script_.values.size()));
      add(HailForm::List);
      advance();
    } else if (!open_.empty() && (at(TokenKind::Directive) || at(TokenKind::End))) {
      Diagnostic& diagnostic = diagnostics_.report(ErrorId::HailListOpen, token_.pos, {describe(token_)});
      diagnostic.notes.push_back({script_.values[open_.back()].pos, "it opens here"});
      return false;
    } else {
      if (!open_.empty()) ++script_.values[open_.back()].payload;
      if (!atom()) return false;
    }
  } while (!open_.empty());
  return true;
}

bool HailParser::closeList() {
  HailValue& list = script_.values[open_.back()];
  const std::uint64_t span = script_.values.size() - open_.back() - 1;
  list.payload |= span << HailValue::kSpanShift;
  open_.pop_back();
  advance();
  return true;
}

bool HailParser::atom() {
  switch (token_.kind) {
    case TokenKind::Int: return integer();
    case TokenKind::Float: return floating();
    case TokenKind::Word: return word();
    case TokenKind::GlobalName: return global();
    case TokenKind::ObjectName: {
      const Token name = token_;
      add(HailForm::Object, objectNumber(name));
      advance();
      return isWhole(name);
    }
    case TokenKind::Ampersand: return location(HailForm::Address);
    case TokenKind::Star: return location(HailForm::Content);
    case TokenKind::LocalName: return fail(ErrorId::HailLocalName);
    default: return fail(ErrorId::HailValue);
  }
}

bool HailParser::integer() {
  if (!parseInteger(token_.text, scratch_))
    return fail(ErrorId::ParseIntegerTooLong, std::to_string(kMaxLiteralBits));
  if (scratch_.size() == 1 || (scratch_.size() == 2 && scratch_[1] == 0)) {
    HailValue& value = add(HailForm::Int, scratch_[0]);
    value.negative = scratch_.size() == 1 && scratch_[0] >> (kWordBits - 1) != 0;
  } else {
    add(HailForm::LongInt, script_.words.size());
    script_.words.push_back(scratch_.size());
    script_.words.insert(script_.words.end(), scratch_.begin(), scratch_.end());
  }
  advance();
  return true;
}

bool HailParser::floating() {
  const std::string_view number = token_.text;
  HailValue& value = add(HailForm::Float);
  advance();
  if (atWord("f")) {
    value.payload = parseFloatBits(number);
  } else if (atWord("d")) {
    value.form = HailForm::Double;
    value.payload = parseDoubleBits(number);
  } else {
    return fail(ErrorId::ParseFloatSuffix);
  }
  advance();
  return true;
}

bool HailParser::bits() {
  const std::string_view word = token_.text;
  const bool isDouble = word == "bitsd";
  HailValue& value = add(isDouble ? HailForm::Double : HailForm::Float);
  advance();
  if (!expect(TokenKind::LeftParen, ErrorId::ParseBitsOpen, word)) return false;
  if (!at(TokenKind::Int)) return fail(ErrorId::ParseBitsNumber, word);
  const std::uint64_t most = isDouble ? kMostNumber : std::numeric_limits<std::uint32_t>::max();
  if (!parseUnsigned(token_.text, value.payload) || value.payload > most)
    return fail(ErrorId::ParseBitsRange, word);
  advance();
  return expect(TokenKind::RightParen, ErrorId::ParseBitsClose, word);
}

bool HailParser::word() {
  if (token_.text == "NULL") {
    add(HailForm::Null);
    advance();
    return true;
  }
  if (token_.text == "nan") return floating();
  if (token_.text == "bitsf" || token_.text == "bitsd") return bits();
  return fail(token_.text == "inf" ? ErrorId::ParseInfinitySign : ErrorId::HailValue);
}

bool HailParser::global() {
  const Token name = token_;
  const Entity* found = entity(name, "global value");
  if (!found) {
    add(HailForm::Wrong);
  } else {
    const auto* value = static_cast<const Value*>(found);
    if (!isGlobalValue(found->entityKind)) return wrongKind(name, *found, "global value");
    auto [entry, isNew] = globals_.insert(name.content(), static_cast<std::uint32_t>(script_.globals.size()));
    if (isNew) script_.globals.push_back({value, name.pos});
    add(HailForm::Global, entry->value);
  }
  advance();
  return isWhole(name);
}

bool HailParser::location(HailForm form) {
  const std::size_t number = script_.values.size();
  add(form);
  const std::string_view sign = token_.text;
  advance();
  std::uint32_t where = 0;
  if (!place(sign, where)) return false;
  script_.values[number].payload = where;
  return true;
}

bool HailParser::isWhole(const Token& name) {
  return !at(TokenKind::LeftBracket) ||
         failAt(name.pos, ErrorId::HailPlaceAsValue, {describe(token_), name.text});
}

}  // namespace

void parseHail(const SourceText& source, const Program& program, HailScript& script,
               Diagnostics& diagnostics) {
  if (source.text.size() >= std::numeric_limits<SourcePos>::max()) {
    diagnostics.report(ErrorId::ParseTextTooLong, 0);
    return;
  }
  if (!source.text.empty() && source.text[0] == kBinaryMagic) {
    diagnostics.report(ErrorId::HailBinary, 1);
    return;
  }
  HailParser(source, program, script, diagnostics).run();
}

std::optional<HailScript> readHail(const SourceText& source, Program& program, Diagnostics& diagnostics) {
  HailScript script;
  parseHail(source, program, script, diagnostics);
  checkHail(script, program, diagnostics);
  diagnostics.sortByPosition();
  if (diagnostics.failed()) return std::nullopt;
  return script;
}

}  // namespace gaur::ir
