// The error bounds stated in autograd/simd/math.h, checked with the C library in more digits: float
// against double, double against long double.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>
#include "autograd/ops/elementwise/unary.kernel.h"
#include "autograd/simd/dispatch.h"

using namespace tarsier::kernels;

namespace {

using Real = long double;
using Exact = Real (*)(Real);
/// The parameters of softplus: β and the threshold.
constexpr double kA = 1, kB = INFINITY;

struct Case {
  Unary op;
  const char* name;
  Exact exact;
  double ulp;            ///< the bound
  double from = -1e300;  ///< below it results are denormal or 0 and are not compared
  /// Errors count in ulp of the argument: for x · Φ(x), whose tail is small.
  bool beside_argument = false;
};

const Case kCases[] = {
    {Unary::exp, "exp", [](Real x) { return std::exp(x); }, 1.5},
    {Unary::expm1, "expm1", [](Real x) { return std::expm1(x); }, 2.5},
    {Unary::log, "log", [](Real x) { return std::log(x); }, 1},
    {Unary::log1p, "log1p", [](Real x) { return std::log1p(x); }, 1},
    {Unary::sin, "sin", [](Real x) { return std::sin(x); }, 2.5},
    {Unary::cos, "cos", [](Real x) { return std::cos(x); }, 2.5},
    {Unary::tanh, "tanh", [](Real x) { return std::tanh(x); }, 1.5},
    {Unary::erf, "erf", [](Real x) { return std::erf(x); }, 1.5},
    {Unary::sqrt, "sqrt", [](Real x) { return std::sqrt(x); }, 0.51},
    {Unary::rsqrt, "rsqrt", [](Real x) { return 1 / std::sqrt(x); }, 1.6},
    {Unary::reciprocal, "reciprocal", [](Real x) { return 1 / x; }, 0.51},
    {Unary::sigmoid, "sigmoid", [](Real x) { return 1 / (1 + std::exp(-x)); }, 2.5, -87},
    {Unary::silu, "silu", [](Real x) { return x / (1 + std::exp(-x)); }, 3, -87},
    {Unary::softplus, "softplus",
     [](Real x) { return std::fmax(x, 0.0L) + std::log1p(std::exp(-std::fabs(x))); }, 2.5, -87},
    {Unary::gelu, "gelu", [](Real x) { return 0.5L * x * std::erfc(-x * std::sqrt(0.5L)); }, 2,
     -1e300, true},
    {Unary::gelu_tanh, "gelu_tanh",
     [](Real x) {
       const Real u = std::sqrt(2 / std::acos(-1.0L)) * (x + 0.044715L * x * x * x);
       return x / (1 + std::exp(-2 * u));
     },
     2.5, -1e300, true},
};

/// The distance of two numbers of type T around `scale`.
template <class T>
Real ulp_of(Real scale) {
  int exponent;
  std::frexp(scale, &exponent);
  using Limits = std::numeric_limits<T>;
  return std::ldexp(1.0L, std::max(exponent, Limits::min_exponent) - Limits::digits);
}

/// Random bit patterns (all magnitudes), everyday numbers, and numbers down to 2⁻³⁰.
template <class T>
std::vector<T> arguments() {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> everyday(-20, 20), exponent(-30, 10);
  std::vector<T> x;
  for (int i = 0; i < 100000; ++i) {
    const auto bits = static_cast<Bits>(random());
    T any;
    std::memcpy(&any, &bits, sizeof(T));
    if (std::isfinite(any)) x.push_back(any);
    x.push_back(static_cast<T>(everyday(random)));
    const double size = std::exp2(exponent(random));
    x.push_back(static_cast<T>(i % 2 == 0 ? size : -size));
  }
  return x;
}

template <class T>
void check_errors(const Case& c) {
  CAPTURE(c.name);
  const std::vector<T> x = arguments<T>();
  std::vector<T> y(x.size());
  active<UnaryKernels<T>>().value(c.op)(static_cast<int64_t>(x.size()), x.data(), y.data(), kA, kB);
  double worst = 0;
  T worst_at = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const Real want = c.exact(x[i]);
    if (static_cast<double>(x[i]) < c.from) continue;
    double error;
    if (std::isnan(want) || std::isinf(static_cast<T>(want)) || std::isinf(y[i])) {
      const bool same = std::isnan(want) ? std::isnan(y[i]) : y[i] == static_cast<T>(want);
      error = same ? 0 : INFINITY;
    } else {
      const Real ulp = ulp_of<T>(c.beside_argument ? static_cast<Real>(x[i]) : want);
      error = static_cast<double>(std::fabs(y[i] - want) / ulp);
    }
    if (!(error <= worst)) {
      worst = error;
      worst_at = x[i];
    }
  }
  CAPTURE(worst_at);
  CHECK(worst <= c.ulp);
}

/// f(x) by the kernel.
template <class T>
T value(Unary op, T x) {
  T y;
  active<UnaryKernels<T>>().value(op)(1, &x, &y, kA, kB);
  return y;
}

/// Equal, where +0 and −0 differ.
template <class T>
bool same(T a, T b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b && std::signbit(a) == std::signbit(b);
}

}  // namespace

TEST_CASE("vector functions keep their error bounds: f32") {
  for (const Case& c : kCases) check_errors<float>(c);
}

TEST_CASE("vector functions keep their error bounds: f64") {
  for (const Case& c : kCases) check_errors<double>(c);
}

TEST_CASE_TEMPLATE("vector functions at the edges are those of <cmath>", T, float, double) {
  using Limits = std::numeric_limits<T>;
  const T inf = Limits::infinity(), nan = Limits::quiet_NaN();
  const std::pair<Unary, T (*)(T)> functions[] = {
      {Unary::exp, std::exp},     {Unary::expm1, std::expm1}, {Unary::log, std::log},
      {Unary::log1p, std::log1p}, {Unary::sin, std::sin},     {Unary::cos, std::cos},
      {Unary::tanh, std::tanh},   {Unary::erf, std::erf},     {Unary::sqrt, std::sqrt},
  };
  const T edges[] = {T(0),
                     T(-0.0),
                     inf,
                     -inf,
                     nan,
                     T(-1),
                     Limits::denorm_min(),
                     -Limits::denorm_min(),
                     Limits::max(),
                     -Limits::max()};
  for (size_t f = 0; f < std::size(functions); ++f) {
    for (T x : edges) {
      const T want = functions[f].second(x), got = value(functions[f].first, x);
      CAPTURE(f);
      CAPTURE(x);
      if (x == T(-1) || !std::isfinite(x) || x == 0)
        CHECK((same(got, want) || std::abs(got - want) <= 2 * Limits::epsilon()));
      else if (std::isfinite(want))
        CHECK(std::abs(got - want) <= 2 * Limits::epsilon() * std::abs(want));
      else
        CHECK(same(got, want));
    }
    CHECK(same(value(functions[f].first, nan), nan));
  }
  for (Unary odd : {Unary::expm1, Unary::log1p, Unary::sin, Unary::tanh, Unary::erf})
    CHECK(same(value(odd, T(-0.0)), T(-0.0)));
}

TEST_CASE("exp overflows to infinity and underflows through the denormals at the right arguments") {
  CHECK(std::isfinite(value(Unary::exp, 88.7228317f)));
  CHECK(value(Unary::exp, 88.7228394f) == INFINITY);
  CHECK(value(Unary::exp, -100.0f) == doctest::Approx(std::exp(-100.0f)).epsilon(0.02));
  CHECK(value(Unary::exp, -100.0f) > 0);
  CHECK(value(Unary::exp, -104.0f) == 0);
  CHECK(std::isfinite(value(Unary::exp, 709.782712893383973)));
  CHECK(value(Unary::exp, 709.782712893384087) == INFINITY);
  CHECK(value(Unary::exp, -740.0) > 0);
  CHECK(value(Unary::exp, -746.0) == 0);
}

TEST_CASE_TEMPLATE("saturated activations are exact", T, float, double) {
  const T inf = std::numeric_limits<T>::infinity(), big = std::numeric_limits<T>::max();
  CHECK(value(Unary::sigmoid, inf) == 1);
  CHECK(value(Unary::sigmoid, -inf) == 0);
  CHECK(value(Unary::tanh, T(50)) == 1);
  CHECK(value(Unary::tanh, T(-50)) == -1);
  for (Unary op : {Unary::gelu, Unary::gelu_tanh, Unary::silu, Unary::softplus, Unary::relu}) {
    CAPTURE(static_cast<int>(op));
    CHECK(value(op, big) == big);
    CHECK(value(op, -big) == 0);
    CHECK(std::isnan(value(op, std::numeric_limits<T>::quiet_NaN())));
  }
}

TEST_CASE_TEMPLATE("sin and cos of large arguments", T, float, double) {
  for (T x : {T(9999.5), T(10001), T(1e6), T(-1e15), std::numeric_limits<T>::max()}) {
    CHECK(value(Unary::sin, x) == doctest::Approx(std::sin(x)).epsilon(1e-6));
    CHECK(value(Unary::cos, x) == doctest::Approx(std::cos(x)).epsilon(1e-6));
  }
}
