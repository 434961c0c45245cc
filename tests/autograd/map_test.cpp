// map and zip: elementwise ops from a lambda.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/autograd.h"
#include "autograd/loops/map.h"

using namespace tarsier;

namespace {

/// The example of map.h. y = x³.   dx = dy · 3x²     saved: x
Tensor cube(const Arg& x) {
  Tensor y = map(x, [](auto v) { return v * v * v; });
  return record("cube", {x}, y, Save{x}, [](const Saved& saved, const Tensor& dy) -> Grads {
    return {dy * (3 * square(saved[0]))};
  });
}

}  // namespace

TEST_CASE("map and zip: values on views, broadcasting, dtype errors") {
  const Tensor x = transpose(reshape(arange(6, f64), {2, 3}), 0, 1);
  CHECK(map(x, [](auto v) { return v + 1; }).to_vector() == std::vector<double>{1, 4, 2, 5, 3, 6});
  const Tensor y = zip(x, tensor({10, 20}, f64), [](auto a, auto b) { return a * b; });
  CHECK(y.shape() == Shape{3, 2});
  CHECK(y.to_vector() == std::vector<double>{0, 60, 10, 80, 20, 100});
  CHECK_THROWS_AS(map(arange(2), [](auto v) { return v; }), Error);
  CHECK_THROWS_AS(zip(x, ones({2}), [](auto a, auto) { return a; }), Error);
}

TEST_CASE("a user's op, from map and record, has gradients of every order") {
  Tensor x = tensor({1, 2, -3}, f64).requires_grad_();
  const Tensor dx = grad({sum(cube(x))}, {x}, {}, true, true)[0];
  CHECK(dx.to_vector() == std::vector<double>{3, 12, 27});
  const Tensor ddx = grad({sum(dx)}, {x})[0];
  CHECK(ddx.to_vector() == std::vector<double>{6, 12, -18});
}
