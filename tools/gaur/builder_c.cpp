// The C text: arguments as C expressions, and the frame around the calls.
#include "tools/gaur/builder_c.h"

#include <bit>
#include <cmath>
#include <cstdio>

#include "tools/gaur/builder_calls.h"

namespace gaur::tool {

namespace {

/// A C string literal. Octal escapes end after three digits whatever follows; question marks could make
/// trigraphs.
std::string cString(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte >= 0x7F || c == '"' || c == '\\' || c == '?') {
      char buffer[8];
      std::snprintf(buffer, sizeof buffer, "\\%03o", byte);
      out += buffer;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string hex(std::uint64_t value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "UINT64_C(0x%llx)", static_cast<unsigned long long>(value));
  return buffer;
}

class CText {
 public:
  explicit CText(const BuilderCOptions& options) : options_(options) {}

  // --- As BuilderCalls wants it -----------------------------------------------------------------------
  Symbol symbol(const std::string& name) {
    names_.push_back(name);
    return {static_cast<std::uint32_t>(names_.size())};
  }

  void begin(const std::string& title) {
    title_ = title;
    endPart();
  }

  template <auto slot, class... A>
  void call(Slot<slot> to, const A&... arguments) {
    if (callsInPart_ == 0) beginPart();
    parts_ += std::string("    b->") + to.name + "(b";
    ((parts_ += ", " + expression(arguments)), ...);
    parts_ += ");\n";
    if (++callsInPart_ == kMostCalls) endPart();
  }

  // --- The whole ----------------------------------------------------------------------------------------
  std::string text(const ir::Bundle& bundle, BuilderCalls<CText>& calls) {
    endPart();
    const std::string& name = options_.name;
    std::string out = "/* The bundle " + commented(bundle.name()) +
                      ", rebuilt through the IR builder. Written by gaur dump --stage=builder-c. */\n"
                      "#include <stddef.h>\n#include <stdint.h>\n";
    // Before the table of names, to which it may add.
    std::string last = options_.hasMain ? main(calls) : "";
    if (options_.hasMain) out += "#include <stdio.h>\n#include <mu/gaur.h>\n";
    out += "#include <mu/muapi.h>\n\n";
    out += "static char *const " + name + "_names[] = {\n    NULL,\n";
    for (const std::string& one : names_) out += "    " + (one.empty() ? "NULL" : cString(one)) + ",\n";
    std::string count = std::to_string(names_.size() + 1);
    out += "};\nstatic MuID " + name + "_ids[" + count + "];\n\n";
    out += parts_;
    out += "void " + name + "(MuCtx *ctx);\nvoid " + name + "(MuCtx *ctx) {\n";
    out += "    MuIRBuilder *b = ctx->new_ir_builder(ctx);\n    MuID *i = " + name + "_ids;\n    size_t n;\n";
    out += "    for (n = 1; n < " + count + "; n++) i[n] = b->gen_sym(b, " + name + "_names[n]);\n";
    for (unsigned part = 0; part < partCount_; ++part)
      out += "    " + name + "_" + std::to_string(part) + "(b, i);\n";
    out += "    b->load(b);\n}\n" + last;
    return out;
  }

 private:
  /// Compilers take more than linear time for a long function.
  static constexpr unsigned kMostCalls = 1000;

  // --- Arguments ------------------------------------------------------------------------------------------
  static std::string expression(Symbol symbol) {
    return symbol.number == 0 ? "MU_NO_ID" : "i[" + std::to_string(symbol.number) + "]";
  }
  template <class T>
  static std::string array(const char* type, const std::vector<T>& list) {
    if (list.empty()) return "NULL";
    std::string out = std::string("(") + type + "[]){";
    for (std::size_t n = 0; n < list.size(); ++n) out += (n == 0 ? "" : ", ") + expression(list[n]);
    return out + "}";
  }
  static std::string expression(const Symbols& list) { return array("MuID", list); }
  static std::string expression(const Flags& list) { return array("MuFlag", list); }
  static std::string expression(const Words& list) { return array("uint64_t", list); }
  static std::string expression(const Flag& flag) { return flag.word; }
  static std::string expression(std::uint64_t number) {
    return number <= INT32_MAX ? std::to_string(number) : hex(number);
  }
  static std::string expression(Count count) { return std::to_string(count.number); }
  static std::string expression(const char* text) { return cString(text); }

  /// Exact: hexadecimal; what C has no literal for, by its bits.
  static std::string expression(DoubleBits value) {
    auto number = std::bit_cast<double>(value.bits);
    if (!std::isfinite(number))
      return "((union { uint64_t bits; double value; }){" + hex(value.bits) + "}).value";
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%a", number);
    return buffer;
  }
  static std::string expression(FloatBits value) {
    auto number = std::bit_cast<float>(value.bits);
    if (!std::isfinite(number))
      return "((union { uint32_t bits; float value; }){" + std::to_string(value.bits) + "u}).value";
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%af", static_cast<double>(number));
    return buffer;
  }

  // --- Parts
  // ------------------------------------------------------------------------------------------------
  void beginPart() {
    parts_ += "/* " + commented(title_) + " */\nstatic void " + options_.name + "_" +
              std::to_string(partCount_++) + "(MuIRBuilder *b, MuID *i) {\n";
  }
  void endPart() {
    if (callsInPart_ != 0) parts_ += "}\n\n";
    callsInPart_ = 0;
  }
  /// Nothing in it can end the comment that it stands in.
  static std::string commented(std::string text) {
    for (char& c : text)
      if (c == '*' || c == '\\' || c < ' ') c = '.';
    return text;
  }

  // --- main
  // ---------------------------------------------------------------------------------------------------
  std::string main(BuilderCalls<CText>& calls) {
    std::string out =
        "\nint main(int argc, char **argv) {\n    MuVM *vm = gaur_new(NULL);\n    MuCtx *ctx;\n"
        "    MuError error;\n    (void)argc;\n    (void)argv;\n"
        "    if (!vm) {\n        fprintf(stderr, \"%s\\n\", gaur_new_error());\n        return 1;\n    }\n"
        "    ctx = vm->new_context(vm);\n    " +
        options_.name + "(ctx);\n";
    if (options_.entry) out += start(*options_.entry, calls);
    return out +
           "    if (vm->get_error(vm, &error)) {\n"
           "        fprintf(stderr, \"%s: %s\\n\", error.code, error.message);\n        return 1;\n    }\n"
           "    return 0;\n}\n";
  }

  std::string start(const ir::Function& entry, BuilderCalls<CText>& calls) {
    std::string ids = options_.name + "_ids";
    auto id = [&](const ir::Entity& entity) {
      return ids + "[" + std::to_string(calls.of(entity).number) + "]";
    };
    bool takesArguments = !entry.signature->parameters.empty();
    std::string out = "    if (!vm->get_error(vm, NULL)) {\n";
    if (takesArguments)
      out +=
          "        MuValue arguments[2] = {ctx->handle_from_sint32(ctx, argc, 32), "
          "ctx->handle_from_ptr(ctx, " +
          id(*entry.signature->parameters[1]) + ", argv)};\n";
    out += "        MuStackRefValue stack = ctx->new_stack(ctx, ctx->handle_from_func(ctx, " + id(entry) +
           "));\n";
    out += std::string("        ctx->new_thread_nor(ctx, stack, NULL, ") +
           (takesArguments ? "arguments, 2" : "NULL, 0") + ");\n        vm->execute(vm);\n    }\n";
    return out;
  }

  const BuilderCOptions& options_;
  std::vector<std::string> names_;
  std::string parts_;
  std::string title_;
  unsigned partCount_ = 0;
  unsigned callsInPart_ = 0;
};

}  // namespace

std::string builderC(const ir::Bundle& bundle, const BuilderCOptions& options) {
  CText sink(options);
  BuilderCalls<CText> calls(bundle, sink);
  calls.run();
  return sink.text(bundle, calls);
}

}  // namespace gaur::tool
