// The values of a frame's KEEPALIVE clause, read from where the compiler left them (specification, chapter
// "Threads and stacks", dump_keepalives).
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "vm/abi/layout.h"
#include "vm/runtime/frame_walker.h"
#include "vm/support/result.h"

namespace gaur::runtime {

class MicroVm;

/// Values in the order of the clause, each in the layout its type has in memory. References in them are kept
/// alive by the frame they come from only.
class KeepaliveValues {
 public:
  std::size_t size() const { return values_.size(); }
  const ir::Type* type(std::size_t i) const { return values_[i].type; }
  /// Aligned to 16 bytes; sizes are those of the layouts.
  const void* value(std::size_t i) const { return memory_.get() + values_[i].offset; }

 private:
  friend Result<KeepaliveValues> readKeepalives(MicroVm&, const FramePosition&);
  struct Value {
    const ir::Type* type;
    std::uint64_t offset;
  };
  struct Deleter {
    void operator()(std::byte* memory) const;
  };
  std::vector<Value> values_;
  std::unique_ptr<std::byte, Deleter> memory_;
};

/// Those of the instruction that the frame waits in; of an undefined function its arguments; of a function
/// that has not begun none. Native frames are an error.
Result<KeepaliveValues> readKeepalives(MicroVm& vm, const FramePosition& position);

}  // namespace gaur::runtime
