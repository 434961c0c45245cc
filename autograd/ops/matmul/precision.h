#pragma once
// How exactly f32 matrices are multiplied.

#include <cstdint>
#include <optional>
#include <string_view>

namespace tarsier {

/// The precision of products of f32 matrices, as torch.set_float32_matmul_precision. Whatever is
/// set, sums are kept in f32, and a product takes the arithmetic of f32 where that is as fast, or
/// where its numbers ask for it (autograd/README.md).
enum class MatmulPrecision : uint8_t {
  medium,   ///< operands rounded to bf16: errors of up to 2⁻⁷ · Σ |a·b|
  high,     ///< at least the 16 bits of two bf16: errors of up to 2⁻¹⁴ · Σ |a·b|
  highest,  ///< f32. The default
};

/// Sets the precision of all products of f32 matrices from now on: of `matmul`, `linear`, and what
/// is made of them, in all threads. Gradients are such products too: they are computed with the
/// precision that is set when backward runs. Products of f64 and convolutions do not change.
void set_matmul_precision(MatmulPrecision precision);

MatmulPrecision matmul_precision();

/// "medium", "high" or "highest".
const char* name_of(MatmulPrecision precision);

/// The precision of that name.
std::optional<MatmulPrecision> matmul_precision_named(std::string_view name);

/// Whether products of f32 matrices are in fact computed with fewer bits at this precision, by the
/// instruction set in use on this processor. If not, it gives the same bits as `highest`.
bool matmul_uses_bf16(MatmulPrecision precision);

}  // namespace tarsier
