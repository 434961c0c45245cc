#pragma once
// What the machine has.

namespace tarsier::zoo {

/// Bytes of memory, whether used or not.
double machine_memory();

}  // namespace tarsier::zoo
