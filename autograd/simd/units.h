#pragma once
// The matrix units of a processor, which the build for AVX-512 uses where it finds them.

namespace tarsier::kernels {

/// Whether this processor has AMX for bf16 (Intel's servers since Sapphire Rapids), Linux grants it,
/// and TARSIER_ISA does not ask for less. The first call asks Linux, for the whole process.
bool has_amx();

}  // namespace tarsier::kernels
