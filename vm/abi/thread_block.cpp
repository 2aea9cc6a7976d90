// The definition of the one thread-local variable that compiled code reads.
#include "vm/abi/thread_block.h"

thread_local constinit gaur::abi::ThreadBlock* gaur_currentThread = nullptr;
