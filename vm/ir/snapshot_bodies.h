// The function bodies of a snapshot that have not been read yet. Private to Program and the snapshot reader.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "vm/ir/bundle.h"
#include "vm/support/byte_stream.h"
#include "vm/support/result.h"
#include "vm/support/source.h"

namespace gaur::ir {

class Program;

/// The entities that a snapshot refers to by number.
struct SnapshotNumbers {
  std::vector<TypeDef*> types;
  std::vector<SignatureDef*> signatures;
  std::vector<Value*> values;
};

/// A place in a snapshot, and the reading of what its sections share.
class SnapshotCursor : public ByteReader {
 public:
  SnapshotCursor(std::span<const std::byte> bytes, const SnapshotNumbers& numbers, Id endOfIds)
      : ByteReader(bytes), numbers_(numbers), endOfIds_(endOfIds) {}

  /// ID and name.
  void entity(Entity& entity, EntityKind kind);
  void use(TypeUse& use) { take(use, numbers_.types); }
  void use(SigUse& use) { take(use, numbers_.signatures); }
  void use(ValueUse& use) { take(use, numbers_.values); }
  template <class T>
  void value(Use<T>& use) {
    ValueUse any;
    take(any, numbers_.values);
    if (!any.target || any->entityKind != T::kKind) return fail();
    use = {static_cast<T*>(any.target), any.id};
  }
  template <class T>
  std::span<Use<T>> uses(Arena& arena) {
    auto list = arena.makeArray<Use<T>>(count());
    for (Use<T>& each : list) use(each);
    return list;
  }
  CallConv convention();

 private:
  template <class T>
  void take(Use<T>& use, const std::vector<T*>& list) {
    std::uint64_t number = varint();
    if (number >= list.size()) return fail();
    use.target = list[number];
    use.id = use.target->id;
  }

  const SnapshotNumbers& numbers_;
  Id endOfIds_;
  Id lastId_ = 0;
};

class SnapshotBodies {
 public:
  /// Of the versions of `bundle`, in this order.
  SnapshotBodies(Program& program, Bundle& bundle, SnapshotNumbers numbers,
                 std::span<const std::byte> nameHashes, std::span<const std::byte> bytes, Id endOfIds)
      : program_(program),
        bundle_(bundle),
        numbers_(std::move(numbers)),
        nameHashes_(nameHashes),
        bytes_(bytes),
        endOfIds_(endOfIds) {}

  const Bundle& bundle() const { return bundle_; }

  /// Makes all blocks and verifies them. After an error the versions have none.
  gaur::Result<void> read();
  /// Leaves the versions without blocks again.
  void drop();

  /// False where no local entity has this full name as its own. Thread-safe.
  bool mayName(std::string_view name) const;

 private:
  gaur::Result<void> readAll();
  void readBody(FunctionVersion& version);
  void readBlock(BasicBlock& block);
  void readInstruction(Instruction& instruction);
  void readFields(Instruction& instruction);
  void readResults(Instruction& instruction);
  void readDest(Use<Dest>& use);
  ValueUse readValue();
  std::span<ValueUse> readValues();
  Arena& arena() { return bundle_.arena(); }

  Program& program_;
  Bundle& bundle_;
  SnapshotNumbers numbers_;
  /// Sorted 32-bit hashes of the global names of local entities.
  std::span<const std::byte> nameHashes_;
  std::span<const std::byte> bytes_;
  Id endOfIds_;

  // While reading.
  SnapshotCursor* in_ = nullptr;
  std::span<BasicBlock> blocks_;
  std::vector<Value*> locals_;
  std::vector<const Type*> resultTypes_;
  Diagnostics diagnostics_;
};

}  // namespace gaur::ir
