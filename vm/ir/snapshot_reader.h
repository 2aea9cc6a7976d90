// The IR of an image into a program: top-level entities at once, function bodies when they are first needed.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "vm/ir/program.h"

namespace gaur::ir {

/// What a snapshot brought.
struct SnapshotIndex {
  /// Published. Its lists are in the order of IDs; `versions` has the current ones last.
  Bundle* bundle = nullptr;
  /// By the index they had when the snapshot was written.
  std::vector<const Type*> types;
  std::vector<const Signature*> signatures;
  /// All have the index that they had: object headers and linked code that name them by it are right. It is
  /// so where nothing has made types in this process before but a Program.
  bool typesAreIdentical = false;
};

/// Publishes what writeSnapshot wrote, with the IDs and names it had; IDs that the program gives later are
/// higher. Bodies follow with Program::needBodies. `bytes` stay unchanged as long as the program lives, which
/// refers to them for names and bodies.
///
/// `program` has nothing but what is predefined. Any bytes may be given: an ImageIr* error where they are no
/// valid snapshot of this build; then the program is of no further use.
gaur::Result<SnapshotIndex> readSnapshot(Program& program, std::span<const std::byte> bytes);

}  // namespace gaur::ir
