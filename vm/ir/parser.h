// Text to IR: the 2016 form and the later dialect (sigils optional, inline types, signatures and constants,
// VERSION anywhere or absent, bare RET, block comments, status flags) in one recursive-descent parser over
// the builder.
#pragma once

#include "vm/ir/builder.h"

namespace gaur::ir {

struct ParseOptions {
  /// Warn about what the later dialect allows against the letter of the 2016 specification.
  bool warnAboutDialect = false;
};

/// Feeds `source` to `builder`. Goes on after an error at the next statement, so that independent errors are
/// all reported. Follow with Builder::finish if nothing failed.
void parse(const SourceText& source, Builder& builder, Diagnostics& diagnostics,
           const ParseOptions& options = {});

}  // namespace gaur::ir
