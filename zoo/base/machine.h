#pragma once
// The machine's memory.

namespace tarsier::zoo {

/// Bytes of physical memory, used or free.
double machine_memory();

}  // namespace tarsier::zoo
