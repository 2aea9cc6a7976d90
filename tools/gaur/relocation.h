// What is said of an image in words, by the options of `gaur build` and by directives of cases: fields that
// get symbols, and what becomes of raw pointers.
#pragma once

#include <map>
#include <string>

#include "bootimage/heap_snapshot.h"
#include "tools/gaur/machine.h"

namespace gaur::tool {

/// "@cell=symbol" or "@cell[1][0]=symbol": the way from a global cell to a field of type uptr or ufuncptr.
/// Throws Exit where it is wrong.
runtime::PointerRelocation readRelocation(Machine& machine, const std::string& text);

/// By the words of --uptr.
const std::map<std::string, bootimage::UnknownPointers>& unknownPointerWords();

}  // namespace gaur::tool
