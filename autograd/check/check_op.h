#pragma once
// Runs on any op the checks that all ops of this library pass. gradcheck checks only gradients;
// check_op checks everything, and reports what is wrong:
//
//   check_op({.name = "swish",
//             .call = [](const std::vector<Tensor>& x) { return swish(x[0], 1.5); },
//             .samples = {{randn({3, 4}, f64)}},
//             .sized = [](int64_t rows, int64_t n) {
//               return std::vector<Tensor>{randn({rows, n}, f64)};
//             }});
//
// The tests of this library's own ops (tests/ops/) call the same functions.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "../tensor/tensor.h"

namespace tarsier {

/// An op and the inputs of its checks.
struct OpCheck {
  std::string name;  ///< for errors
  std::function<Tensor(const std::vector<Tensor>&)> call;
  /// Small inputs, for differences: f64, and i64 or bool where needed. If the op has kinks or ties,
  /// none may be within `step` of one. They are copied, and the copies require gradients.
  std::vector<std::vector<Tensor>> samples;
  /// Inputs of any size, with `rows` rows of `n` elements, to check every tail length, several
  /// threads, and empty tensors. Without it these are not checked.
  std::function<std::vector<Tensor>(int64_t rows, int64_t n)> sized = nullptr;
  /// The same function in ops that are known to be right, if there is such a form.
  std::function<Tensor(const std::vector<Tensor>&)> reference = nullptr;
  int constants = 0;           ///< how many of the last inputs never require a gradient
  bool differentiable = true;  ///< false: the result is not recorded
  bool second_order = true;    ///< false: its backward is once_differentiable
  bool any_layout = true;      ///< false: it requires contiguous tensors by contract
  bool random = false;         ///< draws random numbers, which differ between f32 and f64
  double step = 1e-6;          ///< of the finite differences
  double condition = 1;        ///< factor of the tolerance, for ill-conditioned ops
};

/// All of the checks below. Throws Error("check_op"), which names the op, the check, the element
/// and both numbers.
void check_op(const OpCheck& op);

/// Compares first and second derivatives with differences, in f64, with random upstream gradients,
/// also with respect to these; inputs and upstream gradients in all layouts. As gradcheck().
void check_op_gradients(const OpCheck& op);
/// The gradient of an input does not depend on which others require one.
void check_op_single_gradients(const OpCheck& op);
/// Neither forward nor backward changes an input.
void check_op_inputs(const OpCheck& op);
/// f32 agrees with f64, in results and gradients, to the rounding of f32; with `sized`, at every
/// length of a row from 1 to 70.
void check_op_dtypes(const OpCheck& op);
/// Inputs together with upstream gradients that are transposed, have gaps, or are expanded give the
/// same as contiguous ones, up to rounding; with `sized`, for long rows as well.
void check_op_layouts(const OpCheck& op);
/// The reference form gives the same results and gradients, up to rounding, in f32 and f64; with
/// `sized`, at every row length. Does nothing without a reference form.
void check_op_reference(const OpCheck& op);
/// The same bits with one, two and three threads. Needs `sized`. Sets the number of threads
/// meanwhile: do not call it while other threads compute.
void check_op_threads(const OpCheck& op);
/// Without elements the op gives an empty or neutral result and gradients of the inputs' shapes, or
/// throws Error. Needs `sized`.
void check_op_empty(const OpCheck& op);

}  // namespace tarsier
