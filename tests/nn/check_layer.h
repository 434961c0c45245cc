#pragma once
// Compares a layer with PyTorch's reference numbers.

#include <memory>
#include <string>
#include <vector>

#include "nn/module.h"
#include "tests/nn/golden.h"

namespace tarsier {

/// Runs `layer` (freshly made by `make`) on the numbers of case `name` of `file`, in both dtypes,
/// and compares the output, the gradients of inputs and parameters, and the buffers afterwards.
/// `inputs` are the names of what it takes, one or two.
template <class Make>
void check_layer(const std::string& file, const std::string& name, const Make& make,
                 const std::vector<std::string>& inputs = {"x"}) {
  for (const DType dtype : {f64, f32}) {
    CAPTURE(name);
    auto layer = make();
    layer->to(dtype);
    const TensorDict numbers = golden(file, name + ".", dtype);
    layer->load_state_dict(part(numbers, "state."));
    std::vector<Tensor> x;
    for (const std::string& input : inputs) {
      x.push_back(numbers[input]);
      if (is_floating(x.back().dtype())) x.back().requires_grad_();
    }
    Tensor y;
    if constexpr (requires { layer->forward(x[0], x[1]); })
      y = inputs.size() == 2 ? (*layer)(x[0], x[1]) : layer->call(x[0]);
    else
      y = (*layer)(x[0]);
    check_close("y", y, numbers["y"]);
    y.backward(numbers["dy"]);
    for (size_t i = 0; i < x.size(); ++i)
      if (x[i].requires_grad()) check_close("d" + inputs[i], x[i].grad(), numbers["d" + inputs[i]]);

    const TensorDict parameters = layer->named_parameters(), expected = part(numbers, "grad.");
    CHECK(parameters.size() == expected.size());
    for (const auto& [key, grad] : expected) check_close("d" + key, parameters[key].grad(), grad);
    const TensorDict state = layer->state_dict();
    for (const auto& [key, value] : part(numbers, "after.")) check_close(key, state[key], value);
  }
}

}  // namespace tarsier
