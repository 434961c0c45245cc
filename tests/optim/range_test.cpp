// Gradients whose squares overflow or underflow f32.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/ops.h"
#include "optim/optim.h"

namespace tarsier {
namespace {

Tensor with_gradient(const Tensor& gradient) {
  Tensor w = zeros(gradient.shape(), gradient.dtype());
  w.requires_grad_();
  w.set_grad(gradient);
  return w;
}

TEST_CASE("clipping huge gradients keeps their direction") {
  for (const double p : {1.0, 2.0, 3.0, static_cast<double>(INFINITY)}) {
    CAPTURE(p);
    const double size = std::isinf(p) ? 4 : std::pow(std::pow(3, p) + std::pow(4, p), 1 / p);
    for (const double scale : {1e20, 1e-20, 5e37}) {
      CAPTURE(scale);
      const Tensor a = with_gradient(tensor({3 * scale, 0})),
                   b = with_gradient(tensor({4 * scale}));
      const double norm = optim::clip_grad_norm_({a, b}, scale < 1 ? 1e-27 : 1, p);
      CHECK(norm == doctest::Approx(size * scale).epsilon(1e-6));
      const double left = scale < 1 ? scale * 1e-27 / (size * scale + 1e-6) : 1 / size;
      CHECK(a.grad().to_vector()[0] == doctest::Approx(3 * left).epsilon(1e-4));
      CHECK(b.grad().item() == doctest::Approx(4 * left).epsilon(1e-4));
    }
    // In f64, whose squares are limited to 1e±308.
    const Tensor c = with_gradient(tensor({3e200}, f64)), d = with_gradient(tensor({4e200}, f64));
    CHECK(optim::clip_grad_norm_({c, d}, 1, p) == doctest::Approx(size * 1e200));
    CHECK(c.grad().item() == doctest::Approx(3 / size));
  }
  // A norm beyond f32: 3e41.
  const Tensor many = with_gradient(full({1000000}, 3e38));
  CHECK(optim::clip_grad_norm_({many}, 1000) == doctest::Approx(3e41));
  CHECK(many.grad().to_vector()[0] == doctest::Approx(1).epsilon(1e-5));
  // 0, infinity and NaN stay so.
  const Tensor none = with_gradient(tensor({0, 0}));
  CHECK(optim::clip_grad_norm_({none}, 1) == 0);
  CHECK(none.grad().to_vector() == std::vector<double>{0, 0});
  CHECK(std::isinf(optim::clip_grad_norm_({with_gradient(tensor({INFINITY, 1}))}, 1)));
  CHECK(std::isnan(optim::clip_grad_norm_({with_gradient(tensor({NAN, 1e20}))}, 1)));
}

TEST_CASE("Muon makes the same step for gradients of any size") {
  const auto step = [](double size) {
    const Tensor w = with_gradient(tensor({{size, 2 * size}, {-size, size}}));
    optim::Muon muon({{"w", w}}, {.lr = 1, .weight_decay = 0, .eps = 0});
    muon.step();
    return w.detach();
  };
  for (const double size : {1e20, 1e-30}) CHECK(allclose(step(size), step(1), 1e-5, 1e-6));
}

}  // namespace
}  // namespace tarsier
