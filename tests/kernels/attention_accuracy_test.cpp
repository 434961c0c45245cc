// The accuracy of attention to many keys, and of the gradients from many queries: the mean error,
// compared with the error of PyTorch 2.15 (AVX2) on the same kind of numbers.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "autograd/ops.h"

namespace tarsier {
namespace {

/// √(mean of squared errors / mean square of the results).
double rms_error(const Tensor& got, const Tensor& exact) {
  const std::vector<double> a = got.to_vector(), b = exact.to_vector();
  double errors = 0, squares = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    errors += (a[i] - b[i]) * (a[i] - b[i]);
    squares += b[i] * b[i];
  }
  return std::sqrt(errors / squares);
}

/// y, dq, dk and dv for uniform numbers in [0, 1): no cancellation in the sums of y, dk and dv.
std::vector<Tensor> results(int64_t queries, int64_t keys, DType dtype) {
  Generator generator(5);
  const auto numbers = [&](int64_t n) { return to(rand({1, n, 16}, f32, generator), dtype); };
  const Tensor q = numbers(queries).requires_grad_(), k = numbers(keys).requires_grad_(),
               v = numbers(keys).requires_grad_();
  const Tensor y = scaled_dot_product_attention(q, k, v);
  std::vector<Tensor> all{y};
  for (const Tensor& gradient : grad({y}, {q, k, v}, {numbers(queries)})) all.push_back(gradient);
  return all;
}

TEST_CASE("attention: sums over 32,768 keys or queries err by no more than PyTorch's") {
  struct Case {
    int64_t queries, keys;
    double y, dq, dk, dv;  // PyTorch's errors
  };
  // In dq nearly everything cancels: k is positive, and the weights' gradients sum to 0.
  for (const Case& c : {Case{16, 32768, 2.41e-7, 2.49e-4, 3.59e-7, 1.51e-7},
                        Case{32768, 16, 0.80e-7, 3.03e-6, 2.39e-7, 2.26e-7}}) {
    const std::vector<Tensor> got = results(c.queries, c.keys, f32),
                              exact = results(c.queries, c.keys, f64);
    const double y = rms_error(got[0], exact[0]), dq = rms_error(got[1], exact[1]),
                 dk = rms_error(got[2], exact[2]), dv = rms_error(got[3], exact[3]);
    CAPTURE(c.keys);
    // At most PyTorch's error in the long sums, and twice that in the others. (dq varies a lot from
    // sample to sample, because each query has one rounded D for all of its keys.)
    const bool many_keys = c.keys > c.queries;
    CHECK(y <= (many_keys ? 1 : 2) * c.y);
    CHECK(dq <= 2 * c.dq);
    CHECK(dk <= (many_keys ? 2 : 1) * c.dk);
    CHECK(dv <= (many_keys ? 2 : 1) * c.dv);
  }
}

}  // namespace
}  // namespace tarsier
