// A user's program: an op, a layer and a training loop of their own.
#include <tarsier/autograd/autograd.h>
#include <tarsier/autograd/loops/map.h>
#include <tarsier/nn/nn.h>
#include <tarsier/optim/optim.h>

#include <cmath>
#include <iostream>

#include "nn/nn.h"

namespace own {

using namespace tarsier;

/// y = x · sin x.   dx = dy · (sin x + x · cos x)     saved: x
Tensor wave(const Arg& x) {
  Tensor y = map(x, [](auto v) { return v * std::sin(v); });
  return record("wave", {x}, y, Save{x}, [](const Saved& saved, const Tensor& dy) -> Grads {
    const Tensor v = saved[0];
    return {dy * (sin(v) + v * cos(v))};
  });
}

/// h = wave(x W + b), with a learned scale.
struct WaveLayer : nn::Layer<WaveLayer> {
  nn::Linear linear;
  Tensor scale;

  WaveLayer(int64_t in, int64_t out) : linear(in, out) {
    register_module("linear", linear);
    register_parameter("scale", scale, ones({1}));
  }
  Tensor forward(const Arg& x) { return scale * wave(linear(x)); }
};

}  // namespace own

int main() {
  using namespace own;
  gradcheck([](const auto& in) { return wave(in[0]); }, {randn({3, 4}, f64).requires_grad_()},
            {.second_order = true});

  manual_seed(1);
  nn::Sequential model;
  model.add<WaveLayer>(2, width).add<nn::Linear>(width, 1);
  optim::AdamW optimizer(model.named_parameters(), {.lr = 2e-2});
  const Tensor x = randn({128, 2});
  const Tensor target = sum(square(x), {1}, true);
  float first = 0, last = 0;
  for (int step = 0; step < 200; ++step) {
    const Tensor loss = nn::mse_loss(model(x), target);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    last = static_cast<float>(loss.item());
    if (step == 0) first = last;
  }
  std::cout << first << " -> " << last << "\n";
  return last < first / 10 ? 0 : 1;
}
