// jacobian, hessian, jvp: compared with PyTorch 2.15, and with each other.
#include "autograd/functional/functional.h"

#include <doctest/doctest.h>

#include "autograd/ops.h"
#include "tests/error_of.h"

namespace tarsier {
namespace {

using Tensors = std::vector<Tensor>;
using Numbers = std::vector<double>;

Tensor point() { return tensor({0.5, -1, 2}, f64); }
Tensor f(const Tensor& x) { return exp(x) * sum(x); }
Tensor g(const Tensor& x) { return sum(pow(x, 3)) * select(x, 0, 0); }

TEST_CASE("jacobian: of one input, as torch.autograd.functional.jacobian") {
  const Tensor J = jacobian(f, point());
  CHECK(J.shape() == Shape{3, 3});
  CHECK(allclose(
      J,
      from_vector(Numbers{4.1218, 1.6487, 1.6487, 0.3679, 0.9197, 0.3679, 7.3891, 7.3891, 18.4726},
                  {3, 3}),
      0, 1e-4));
  CHECK_FALSE(J.requires_grad());
}

TEST_CASE("jacobian: shapes, several inputs, unused inputs, no grad() changed") {
  const Tensor a = randn({2, 3}, f64), b = randn({3, 4}, f64).requires_grad_();
  const Tensors J = jacobian([](const Tensors& x) { return matmul(x[0], x[1]); }, {a, b});
  CHECK(J[0].shape() == Shape{2, 4, 2, 3});
  CHECK(J[1].shape() == Shape{2, 4, 3, 4});
  // ∂y[i, j] / ∂a[i, k] = b[k, j]
  CHECK(allclose(select(select(select(J[0], 0, 1), 0, 2), 0, 1), select(b, 1, 2)));
  CHECK_FALSE(b.grad().defined());
  CHECK(jacobian([](const Tensor&) { return ones({2}, f64); }, a).shape() == Shape{2, 2, 3});
  CHECK(sum(jacobian([](const Tensor& x) { return x.detach(); }, a)).item() == 0);
  CHECK(jacobian([](const Tensor& x) { return slice(x, 0, 0, 0); }, a).shape() ==
        Shape{0, 3, 2, 3});
  const NoGrad guard;  // the caller's: the derivative is computed nevertheless
  CHECK(jacobian([](const Tensor& x) { return sum(square(x)); }, point()).to_vector() ==
        Numbers{1, -2, 4});
}

TEST_CASE("jacobian with create_graph can be differentiated again") {
  const Tensor x = point().requires_grad_(), scale = scalar(3, f64).requires_grad_();
  const Tensor J = jacobian([&](const Tensor& t) { return scale * pow(t, 3); }, x, true);
  // J = diag(3 · scale · x²); ΣJ by x: 6 · scale · x, by scale: 3 Σx².
  const Tensors grads = grad({sum(J)}, {x, scale});
  CHECK(allclose(grads[0], 18 * x.detach()));
  CHECK(grads[1].item() == doctest::Approx(15.75));
}

TEST_CASE("hessian: as torch.autograd.functional.hessian") {
  CHECK(hessian(g, point()).to_vector() == Numbers{3, 3, 12, 3, -3, 0, 12, 0, 6});
  const auto H = hessian([](const Tensors& x) { return sum(x[0] * square(x[1])); },
                         {tensor({1, 2}, f64), tensor({3, 4}, f64)});
  CHECK(H[0][0].to_vector() == Numbers{0, 0, 0, 0});
  CHECK(H[0][1].to_vector() == Numbers{6, 0, 0, 8});
  CHECK(H[1][0].to_vector() == Numbers{6, 0, 0, 8});
  CHECK(H[1][1].to_vector() == Numbers{2, 0, 0, 4});
  CHECK(sum(hessian([](const Tensor& x) { return sum(x); }, point())).item() == 0);
  check_error("[hessian] the function returned shape (3,)", [] { hessian(f, point()); });
}

TEST_CASE("jvp: is jacobian · v, without the matrix") {
  const Tensor v = tensor({1, 2, 3}, f64);
  const ValueJvp result = jvp(f, point(), v);
  CHECK(allclose(result.value, f(point())));
  CHECK(allclose(result.jvp, matmul(jacobian(f, point()), v)));
  CHECK(result.jvp.to_vector()[2] == doctest::Approx(77.5851).epsilon(1e-5));
  const ValueJvp product =
      jvp([](const Tensors& x) { return x[0] * x[1]; }, {point(), v}, {v, point()});
  CHECK(allclose(product.jvp, square(v) + square(point())));
  CHECK(jvp([](const Tensor& x) { return x.detach(); }, point(), v).jvp.to_vector() ==
        Numbers{0, 0, 0});
  check_error("[jvp] direction 0 is not of shape (3,)", [] { jvp(f, point(), ones({2}, f64)); });
  check_error("[jvp] 0 directions for 1 inputs",
              [] { jvp([](const Tensors& x) { return x[0]; }, {point()}, Tensors{}); });
  check_error("[jvp] input 0 is i64", [] { jvp(f, arange(3), arange(3)); });
}

}  // namespace
}  // namespace tarsier
