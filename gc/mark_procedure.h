// What the collector does with one object: finds the slots by the type in the header. Owns the list of weak
// slots met while marking.
#pragma once

#include <gc/gc.h>
#include <gc/gc_mark.h>

#include <cstdint>

#include "vm/abi/layout.h"
#include "vm/abi/object.h"

namespace gaur::gc {

/// To be called once, before any object exists.
void initializeMarking();

/// The mark procedure of traced blocks. `position` is 0, or the number of slots that are done when it
/// continues with a big object.
GC_ms_entry* markObject(GC_word* block, GC_ms_entry* top, GC_ms_entry* limit, GC_word position);
/// The mark procedure of memory that may hold anything, `count` words: each that looks like a reference, an
/// interior reference or a tagref64 keeps its target.
GC_ms_entry* markWords(GC_word* begin, GC_ms_entry* top, GC_ms_entry* limit, GC_word count);
/// The numbers that Boehm gave to markObject and markWords.
void setMarkProcedures(unsigned objects, unsigned words);

/// Length of a live hybrid, also of one too long for its header.
std::uint64_t hybridLength(abi::ObjectHeader header, const abi::Layout& layout, const void* block);

/// From startMarking on weak slots are gathered; endMarking clears those whose targets are not marked. The
/// world is stopped all the while. Boehm marks once more after that, what must outlive its finalizer: weak
/// references are strong then.
void startMarking();
void endMarking();
/// Remembers a weak slot of something reachable that is not in the heap. Only while marking.
void addWeakSlot(std::uint64_t* slot);

}  // namespace gaur::gc
