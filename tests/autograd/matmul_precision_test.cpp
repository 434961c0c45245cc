#include "autograd/ops/matmul/precision.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "autograd/autograd.h"

namespace tarsier {
namespace {

/// Sets the precision within a scope.
class Precision {
 public:
  explicit Precision(MatmulPrecision precision) { set_matmul_precision(precision); }
  ~Precision() { set_matmul_precision(before_); }
  Precision(const Precision&) = delete;
  Precision& operator=(const Precision&) = delete;

 private:
  const MatmulPrecision before_ = matmul_precision();
};

bool same(const Tensor& a, const Tensor& b) { return a.to_vector() == b.to_vector(); }

template <class F>
Tensor at(MatmulPrecision precision, const F& f) {
  const Precision set(precision);
  return f();
}

TEST_CASE("precisions have names; highest is the default") {
  CHECK(matmul_precision() == MatmulPrecision::highest);
  for (const char* name : {"medium", "high", "highest"}) {
    const auto precision = matmul_precision_named(name);
    REQUIRE(precision.has_value());
    CHECK(std::string(name_of(*precision)) == name);
    const Precision set(*precision);
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
      const Tensor exact = product(), coarse = at(precision, product);
      CHECK(same(exact, coarse) == !matmul_uses_bf16(precision));
      CHECK(allclose(exact, coarse, 0, 0.2));
    }
    const auto wide = [&] { return matmul(to(x, f64), transpose(to(w, f64), 0, 1)); };
    CHECK(same(wide(), at(precision, wide)));
    const auto convolution = [&] { return conv2d(image, kernel); };
    CHECK(same(convolution(), at(precision, convolution)));
  }
  CHECK_FALSE(matmul_uses_bf16(MatmulPrecision::highest));
}

TEST_CASE("gradients have the precision that is set when backward runs") {
  const Tensor x = randn({40, 50}).requires_grad_(), w = randn({60, 50}).requires_grad_();
  const Tensor dy = randn({40, 60});
  const auto dx_of = [&](MatmulPrecision forward, MatmulPrecision backward) {
    const Tensor y = at(forward, [&] { return linear(x, w); });
    return at(backward, [&] { return grad({sum(y * dy)}, {x})[0]; });
  };
  constexpr auto medium = MatmulPrecision::medium, highest = MatmulPrecision::highest;
  const Tensor exact = no_grad([&] { return matmul(dy, w); });
  const Tensor coarse = at(medium, [&] { return no_grad([&] { return matmul(dy, w); }); });
  CHECK(same(dx_of(medium, highest), exact));
  CHECK(same(dx_of(highest, medium), coarse));
  CHECK(same(dx_of(medium, medium), coarse));
}

}  // namespace
}  // namespace tarsier
