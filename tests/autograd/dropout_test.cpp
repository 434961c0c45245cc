// Dropout: the mask is a function of its key.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "autograd/autograd.h"
#include "tests/threads.h"

using namespace tarsier;

TEST_CASE("dropout drops a fraction p, and keeps the mean") {
  const int n = 100000;
  for (double p : {0.1, 0.5, 0.9}) {
    Generator g(1);
    const auto y = dropout(ones({n}), p, true, g).to_vector();
    const auto dropped = static_cast<double>(std::count(y.begin(), y.end(), 0.0));
    CHECK(std::abs(dropped - n * p) < 5 * std::sqrt(n * p * (1 - p)));
    for (double v : y)
      if (v != 0) REQUIRE(v == doctest::Approx(1 / (1 - p)).epsilon(1e-6));
  }
}

TEST_CASE("dropout: backward drops what forward dropped, and so does its own backward") {
  Generator g(2);
  Tensor x = randn({40, 50}, f64).requires_grad_();
  const Tensor y = dropout(x, 0.3, true, g);
  const Tensor dy = randn({40, 50}, f64).requires_grad_();
  const Tensor dx = grad({y}, {x}, {dy}, true, true)[0];
  CHECK(allclose(dx * x, dy * y, 1e-14, 1e-14));  // both are m · x · dy
  const Tensor ddy = grad({dx}, {dy}, {x})[0];
  CHECK(allclose(ddy, y, 0, 0));
}

TEST_CASE("dropout agrees with its reference form for the same key, on views as well") {
  for (DType dtype : {f32, f64}) {
    Generator g(3);
    const RandomKey key = g.state();
    const Tensor x = transpose(randn({30, 70}, dtype), 0, 1);
    const Tensor y = dropout(x, 0.4, true, g);
    CHECK(allclose(y, dropout_reference(x, 0.4, key), 0, 0));
    CHECK(g.state().stream == key.stream + 1);
  }
}

TEST_CASE("dropout: f32 and f64 drop the same elements, in attention as well") {
  const RandomKey key{6, 0};
  const auto dropped = [&](DType dtype) {
    Generator g;
    g.set_state(key);
    return dropout(ones({50, 70}, dtype), 0.4, true, g) == 0;
  };
  CHECK(all(dropped(f32) == dropped(f64)).item() == 1);
  const Tensor q = randn({2, 3, 20, 8}, f64), k = randn({2, 3, 33, 8}, f64),
               v = randn({2, 3, 33, 8}, f64);
  const auto attended = [&](DType dtype) {
    Generator g;
    g.set_state(key);
    return to(scaled_dot_product_attention(to(q, dtype), to(k, dtype), to(v, dtype), {}, 0.4, false,
                                           {}, g),
              f64);
  };
  CHECK(allclose(attended(f32), attended(f64), 1e-5, 1e-5));
}

TEST_CASE("dropout: p = 0, p = 1, wrong arguments") {
  Generator g(4);
  const Tensor x = randn({10});
  CHECK(dropout(x, 0.5, false, g).impl() == x.impl());
  CHECK(dropout(x, 0, true, g).impl() == x.impl());
  CHECK(g.state().stream == 0);  // no stream was taken
  CHECK(dropout(x, 1, true, g).to_vector() == std::vector<double>(10, 0));
  CHECK(dropout(full({10}, INFINITY), 1, true, g).to_vector() == std::vector<double>(10, 0));
  CHECK_THROWS_AS(dropout(x, -0.1), Error);
  CHECK_THROWS_AS(dropout(x, 1.5), Error);
  CHECK_THROWS_AS(dropout(x, std::nan("")), Error);
  CHECK_THROWS_AS(dropout(arange(3), 0.5), Error);
}

TEST_CASE("dropout: the same mask at any number of threads; a new one at every call") {
  const Threads restore;
  const Tensor x = ones({60000});
  Generator a(5), b(5);
  set_num_threads(1);
  const auto first = dropout(x, 0.5, true, a).to_vector();
  set_num_threads(4);
  CHECK(dropout(x, 0.5, true, b).to_vector() == first);
  CHECK(dropout(x, 0.5, true, b).to_vector() != first);
}
