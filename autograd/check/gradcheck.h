#pragma once
// Checks the gradients of a function against finite differences.

#include <functional>
#include <vector>

#include "../tensor/tensor.h"

namespace tarsier {

struct GradcheckOptions {
  double eps = 1e-6;          ///< step of the central difference
  double rtol = 1e-5;         ///< allowed deviation, relative to the numerical gradient
  double atol = 1e-7;         ///< and absolute
  uint64_t seed = 0;          ///< of the random upstream gradient
  bool second_order = false;  ///< check the gradient of the gradient as well
  bool any_layout = true;     ///< false: `f` requires contiguous tensors by contract
};

/// Compares the gradients of `f` at `inputs` with central differences,
///   ∂L/∂x_i ≈ (L(x_i + ε) − L(x_i − ε)) / 2ε,   L = Σ upstream · f(inputs),
/// for every element of every input that requires a gradient. The upstream gradient is random: an
/// all-ones upstream passes a wrong softmax or layer-norm backward. Inputs must be f64 leaves, and
/// `f` a pure function of them. Throws Error("gradcheck") that names the input, the element and
/// both numbers if one deviates by more than atol + rtol·|numerical|. Source:
/// https://pytorch.org/docs/stable/notes/gradcheck.html
///
/// Then it compares `f` with itself: inputs and upstream gradients that are transposed, have gaps
/// and an offset, or are expanded (stride 0) must give the same as contiguous ones with the same
/// values. A loop over raw memory that ignores strides() reads something else there, or past the
/// end; the error says which layout broke it. sum() and mean() send back expanded gradients,
/// transpose() transposed ones.
void gradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& f,
               const std::vector<Tensor>& inputs, const GradcheckOptions& options = {});

}  // namespace tarsier
