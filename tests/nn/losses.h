#pragma once
// Compares a loss with the reference numbers of tests/golden/losses.safetensors.

#include <functional>
#include <string>
#include <vector>

#include "nn/layers/ctc.h"
#include "nn/layers/loss.h"
#include "tests/nn/golden.h"

namespace tarsier {

/// A loss as a function of a case's named inputs.
using NamedLoss = std::function<Tensor(const TensorDict& in, Reduction reduction)>;

/// The tensor of that name, or an undefined one.
inline Tensor optional(const TensorDict& dict, const std::string& name) {
  const Tensor* found = dict.find(name);
  return found == nullptr ? Tensor() : *found;
}

/// check_close, with NaN and infinities at the same positions.
inline void check_same(const std::string& what, const Tensor& actual, const Tensor& expected) {
  CAPTURE(what);
  REQUIRE(actual.shape() == expected.shape());
  const Tensor finite = isfinite(expected);
  CHECK(all(isfinite(actual) == finite).item<bool>());
  CHECK(all(isnan(actual) == isnan(expected)).item<bool>());
  check_close(what, where(finite, actual, 0), where(finite, expected, 0));
}

/// Runs `loss` on the inputs of case `name` in both dtypes, with the reductions and the upstream
/// gradients of the file; compares the loss and the gradients of all inputs that have one there.
inline void check_loss(const std::string& name, const NamedLoss& loss) {
  const std::vector<std::pair<std::string, Reduction>> reductions = {
      {"none", Reduction::none}, {"mean", Reduction::mean}, {"sum", Reduction::sum}};
  for (const DType dtype : {f64, f32}) {
    const TensorDict numbers = golden("losses.safetensors", name + ".", dtype);
    REQUIRE(numbers.size() > 0);
    for (const auto& [word, reduction] : reductions) {
      CAPTURE(name);
      CAPTURE(word);
      CAPTURE(dtype);
      const TensorDict expected = part(numbers, word + ".");
      TensorDict in;
      for (const auto& [key, tensor] : numbers) {
        if (key.find('.') != std::string::npos) continue;
        Tensor x = clone(tensor);
        if (expected.contains("d" + key)) x.requires_grad_();
        in.add(key, x);
      }
      const Tensor y = loss(in, reduction);
      check_same("y", y, expected["y"]);
      y.backward(expected["dy"]);
      for (const auto& [key, x] : in)
        if (expected.contains("d" + key)) check_same("d" + key, x.grad(), expected["d" + key]);
    }
  }
}

}  // namespace tarsier
