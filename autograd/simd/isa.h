#pragma once
// The instruction sets that kernels are compiled for, and the one in use.

#include <cstdint>

namespace tarsier::kernels {

/// The slowest first.
enum class Isa : uint8_t { scalar, neon, avx2, avx512 };

/// The instruction set in use: the best of this build that the processor has, or the one that
/// TARSIER_ISA names. Throws Error("TARSIER_ISA") if that is unknown or not supported here.
Isa active_isa();

/// Whether this processor multiplies pairs of bf16 (AVX512_BF16: AMD since Zen 4, Intel's servers
/// since Cooper Lake), whatever the instruction set in use.
bool has_bf16_products();

/// "scalar", "neon", "avx2" or "avx512".
const char* name_of(Isa isa);

}  // namespace tarsier::kernels
