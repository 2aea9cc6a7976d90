// Loading of texts for the tests of the IR layer.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "vm/ir/parser.h"

namespace gaur::ir::test {

/// A program with one text loaded into it. `bundle` is null after an error.
struct Loaded {
  std::string text;
  std::unique_ptr<Program> program = std::make_unique<Program>();
  Diagnostics diagnostics{1000};
  Bundle* bundle = nullptr;

  SourceText source() const { return {"test.uir", text}; }
  std::string errors() const { return render(diagnostics, source()); }
  /// "P0101@3:4 L0002@5:1", warnings included.
  std::string codes() const {
    std::string out;
    for (const Diagnostic& diagnostic : diagnostics.list()) {
      LineColumn at = lineColumn(text, diagnostic.pos);
      if (!out.empty()) out += ' ';
      out += std::string(errorInfo(diagnostic.id).code) + "@" + std::to_string(at.line) + ":" +
             std::to_string(at.column);
    }
    return out;
  }
  template <class T>
  T* entity(std::string_view name) const {
    return program->entityOf<T>(program->idOf(name));
  }
};

inline Loaded load(std::string text, const ParseOptions& options = {}) {
  Loaded loaded;
  loaded.text = std::move(text);
  Builder builder(*loaded.program, "test.uir");
  parse(loaded.source(), builder, loaded.diagnostics, options);
  if (loaded.diagnostics.failed()) return loaded;
  std::lock_guard lock(loaded.program->loadMutex());
  if (auto bundle = builder.finish(loaded.diagnostics))
    loaded.bundle = loaded.program->publish(std::move(bundle));
  return loaded;
}

/// Codes and places of what only parsing reports.
inline std::string parseCodes(std::string text, const ParseOptions& options = {}) {
  Loaded loaded;
  loaded.text = std::move(text);
  Builder builder(*loaded.program, "test.uir");
  parse(loaded.source(), builder, loaded.diagnostics, options);
  return loaded.codes();
}

}  // namespace gaur::ir::test
