#pragma once
// Limiting gradients, between backward() and step(). As torch.nn.utils.clip_grad.

#include <concepts>
#include <vector>

#include "../autograd/tensor/tensor.h"

namespace tarsier::optim {

/// Scales all gradients by min(1, max_norm / (norm + 10⁻⁶)), where norm = (Σ |g|ᵖ)^{1/p} over the
/// elements of all gradients, p = norm_type (infinity: the largest |g|). Returns the norm before
/// scaling. Parameters without a gradient are skipped; a repeated one counts once. The result has
/// the same bits with any number of threads. Throws Error("clip_grad_norm_") unless max_norm ≥ 0
/// and norm_type > 0, and with `error_if_nonfinite` if the norm is NaN or infinite (without it the
/// gradients become NaN or 0).
/// As https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, double norm_type = 2,
                       bool error_if_nonfinite = false);
/// Deleted: a bool as norm_type would mean the 1-norm.
template <std::same_as<bool> Bool>
double clip_grad_norm_(const std::vector<Tensor>&, double, Bool) = delete;

/// Limits every element of every gradient to [−clip_value, clip_value].
/// Throws Error("clip_grad_value_") unless clip_value ≥ 0.
void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value);

}  // namespace tarsier::optim
