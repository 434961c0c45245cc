#pragma once
// The units of a processor for products, which the build for AVX-512 uses where it finds them.

namespace tarsier::kernels {

/// Whether this processor has AMX for bf16 (Intel's servers since Sapphire Rapids), Linux grants it,
/// and TARSIER_ISA does not ask for less. The first call asks Linux, for the whole process.
bool has_amx();

/// Whether this processor adds products of bytes in 512-bit registers (AVX512_VNNI: Intel since
/// Cascade Lake, AMD since Zen 4).
bool has_vnni();

}  // namespace tarsier::kernels
