#include "autograd/ops/matmul/precision.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "autograd/autograd.h"

namespace tarsier {
namespace {

/// Sets the precision within a scope.
class PrecisionWithin {
 public:
  explicit PrecisionWithin(MatmulPrecision precision) { set_matmul_precision(precision); }
  ~PrecisionWithin() { set_matmul_precision(before_); }
  PrecisionWithin(const PrecisionWithin&) = delete;
  PrecisionWithin& operator=(const PrecisionWithin&) = delete;

 private:
  const MatmulPrecision before_ = matmul_precision();
};

bool equal_elements(const Tensor& a, const Tensor& b) { return a.to_vector() == b.to_vector(); }

template <class F>
Tensor computed_at(MatmulPrecision precision, const F& f) {
  const PrecisionWithin set(precision);
  return f();
}

TEST_CASE("precisions have names; highest is the default") {
  CHECK(matmul_precision() == MatmulPrecision::highest);
  for (const char* name : {"medium", "high", "highest"}) {
    const auto precision = matmul_precision_named(name);
    REQUIRE(precision.has_value());
    CHECK(std::string(name_of(*precision)) == name);
    const PrecisionWithin set(*precision);
    CHECK(matmul_precision() == *precision);
  }
  CHECK_FALSE(matmul_precision_named("low").has_value());
  CHECK_FALSE(matmul_precision_named("").has_value());
  CHECK(matmul_precision() == MatmulPrecision::highest);
}

TEST_CASE("matmul and linear follow the precision, f64 and convolutions do not") {
  const Tensor x = randn({40, 50}), w = randn({60, 50}), b = randn({60});
  const Tensor image = randn({1, 32, 9, 9}), kernel = randn({32, 32, 3, 3});
  const auto products = {
      std::function<Tensor()>([&] { return matmul(x, transpose(w, 0, 1)); }),
      std::function<Tensor()>([&] { return linear(x, w, b); }),
      std::function<Tensor()>([&] {
        return einsum("ik,jk->ij", {x, w});
      }),
  };
  for (MatmulPrecision precision : {MatmulPrecision::medium, MatmulPrecision::high}) {
    for (const auto& product : products) {
      const Tensor exact = product(), coarse = computed_at(precision, product);
      CHECK(equal_elements(exact, coarse) == !matmul_uses_bf16(precision));
      CHECK(allclose(exact, coarse, 0, 0.2));
    }
    const auto wide = [&] { return matmul(to(x, f64), transpose(to(w, f64), 0, 1)); };
    CHECK(equal_elements(wide(), computed_at(precision, wide)));
    const auto convolution = [&] { return conv2d(image, kernel); };
    CHECK(equal_elements(convolution(), computed_at(precision, convolution)));
  }
  CHECK_FALSE(matmul_uses_bf16(MatmulPrecision::highest));
}

TEST_CASE("gradients have the precision that is set when backward runs") {
  const Tensor x = randn({40, 50}).requires_grad_(), w = randn({60, 50}).requires_grad_();
  const Tensor dy = randn({40, 60});
  const auto dx_of = [&](MatmulPrecision forward, MatmulPrecision backward) {
    const Tensor y = computed_at(forward, [&] { return linear(x, w); });
    return computed_at(backward, [&] { return grad({sum(y * dy)}, {x})[0]; });
  };
  constexpr auto medium = MatmulPrecision::medium, highest = MatmulPrecision::highest;
  const Tensor exact = no_grad([&] { return matmul(dy, w); });
  const Tensor coarse = computed_at(medium, [&] { return no_grad([&] { return matmul(dy, w); }); });
  CHECK(equal_elements(dx_of(medium, highest), exact));
  CHECK(equal_elements(dx_of(highest, medium), coarse));
  CHECK(equal_elements(dx_of(medium, medium), coarse));
}

}  // namespace
}  // namespace tarsier
