// Comparisons and logic: bool results, no gradients.
#include "autograd/ops/elementwise/compare.h"

#include <cmath>

#include "autograd/loops/copy.h"
#include "autograd/loops/elementwise.h"
#include "autograd/loops/elementwise.kernel.h"
#include "autograd/simd/dispatch.h"
#include "autograd/tensor/compute.h"

namespace tarsier {

using kernels::Compare;

namespace {

/// y[i] = a[i·sa] ? b[i·sb], by the kernel for floating elements.
template <class T>
void compare_run(Compare f, int64_t n, const T* a, int64_t sa, const T* b, int64_t sb, bool* y) {
  if constexpr (std::is_floating_point_v<T>) {
    kernels::active<kernels::ElementwiseKernels<T>>().compare[static_cast<int>(f)](n, a, sa, b, sb,
                                                                                   y);
  } else {
    const auto each = [=](auto holds) {
      for (int64_t i = 0; i < n; ++i) y[i] = holds(a[i * sa], b[i * sb]);
    };
    switch (f) {
      case Compare::eq:
        return each([](T p, T q) { return p == q; });
      case Compare::ne:
        return each([](T p, T q) { return p != q; });
      case Compare::lt:
        return each([](T p, T q) { return p < q; });
      case Compare::le:
        return each([](T p, T q) { return p <= q; });
      case Compare::gt:
        return each([](T p, T q) { return p > q; });
      default:
        return each([](T p, T q) { return p >= q; });
    }
  }
}

Tensor compare(Compare f, const Tensor& a, const Tensor& b, const char* op) {
  detail::check_same_dtype(a, b, op);
  Tensor y = Tensor::empty(broadcast_shapes(a.shape(), b.shape(), op), boolean);
  const Tensor ra = detail::readable(a), rb = detail::readable(b);
  detail::compute(op, [=] {
    const detail::Loop loop = detail::plan_loop(y.shape(), {&ra, &rb});
    bool* py = y.data<bool>();
    dispatch_all(ra.dtype(), [&]<class T>() {
      const T *pa = ra.data<T>(), *pb = rb.data<T>();
      detail::run_loop(loop, detail::kCheapGrain, [&](const detail::Run& run) {
        compare_run(f, run.n, pa + run.from[0], loop.step(0), pb + run.from[1], loop.step(1),
                    py + run.at);
      });
    });
  });
  return y;
}

Tensor compare(Compare f, const Tensor& a, double b, const char* op) {
  Tensor y = Tensor::empty(a.shape(), boolean);
  const Tensor in_order = contiguous_elements(a);
  detail::compute(op, [=] {
    bool* py = y.data<bool>();
    dispatch_all(in_order.dtype(), [&]<class T>() {
      const T value = detail::number_as<T>(b, op);
      const T* pa = in_order.data<T>();
      parallel_for(y.numel(), detail::kCheapGrain, [&](int64_t begin, int64_t end) {
        compare_run(f, end - begin, pa + begin, 1, &value, 0, py + begin);
      });
    });
  });
  return y;
}

}  // namespace

Tensor operator==(const Arg& a, const Arg& b) { return compare(Compare::eq, a, b, "eq"); }
Tensor operator!=(const Arg& a, const Arg& b) { return compare(Compare::ne, a, b, "ne"); }
Tensor operator<(const Arg& a, const Arg& b) { return compare(Compare::lt, a, b, "lt"); }
Tensor operator<=(const Arg& a, const Arg& b) { return compare(Compare::le, a, b, "le"); }
Tensor operator>(const Arg& a, const Arg& b) { return compare(Compare::gt, a, b, "gt"); }
Tensor operator>=(const Arg& a, const Arg& b) { return compare(Compare::ge, a, b, "ge"); }
Tensor operator==(const Arg& a, double b) { return compare(Compare::eq, a, b, "eq"); }
Tensor operator!=(const Arg& a, double b) { return compare(Compare::ne, a, b, "ne"); }
Tensor operator<(const Arg& a, double b) { return compare(Compare::lt, a, b, "lt"); }
Tensor operator<=(const Arg& a, double b) { return compare(Compare::le, a, b, "le"); }
Tensor operator>(const Arg& a, double b) { return compare(Compare::gt, a, b, "gt"); }
Tensor operator>=(const Arg& a, double b) { return compare(Compare::ge, a, b, "ge"); }

// ------------------------------------------------------------------------------------- logic

namespace {

void check_bool(const Tensor& x, const char* op) {
  check(x.dtype() == boolean, op, "dtype ", x.dtype(),
        ", but bool is needed: compare it, as in x != 0");
}

template <class F>
Tensor logic(const Tensor& a, const Tensor& b, const char* op, const F& f) {
  check_bool(a, op);
  check_bool(b, op);
  Tensor y = Tensor::empty(broadcast_shapes(a.shape(), b.shape(), op), boolean);
  detail::zip_elements<bool, bool>(a, b, y, f);
  return y;
}

/// y = f(x) for floating x; i64 and bool are always finite and never NaN: `otherwise`.
template <class F>
Tensor classify(const Tensor& x, bool otherwise, const F& f) {
  Tensor y = Tensor::empty(x.shape(), boolean);
  dispatch_all(x.dtype(), [&]<class T>() {
    if constexpr (std::is_floating_point_v<T>)
      detail::map_elements<bool, T>(x, y, f);
    else
      fill_elements(y, otherwise);
  });
  return y;
}

}  // namespace

Tensor operator&&(const Arg& a, const Arg& b) {
  return logic(a, b, "logical_and", [](bool p, bool q) { return p && q; });
}
Tensor operator||(const Arg& a, const Arg& b) {
  return logic(a, b, "logical_or", [](bool p, bool q) { return p || q; });
}
Tensor operator!(const Arg& x) {
  check_bool(x, "logical_not");
  Tensor y = Tensor::empty(x.shape(), boolean);
  detail::map_elements<bool, bool>(x, y, [](bool v) { return !v; });
  return y;
}

Tensor isfinite(const Arg& x) {
  return classify(x, true, [](auto v) { return std::isfinite(v); });
}
Tensor isinf(const Arg& x) {
  return classify(x, false, [](auto v) { return std::isinf(v); });
}
Tensor isnan(const Arg& x) {
  return classify(x, false, [](auto v) { return std::isnan(v); });
}

bool allclose(const Arg& a, const Arg& b, double rtol, double atol, bool equal_nan) {
  check(a.shape() == b.shape(), "allclose", "shapes ", a.shape(), " and ", b.shape(),
        " differ: expand one of them");
  detail::check_same_dtype(a, b, "allclose");
  const std::vector<double> p = a.to_vector(), q = b.to_vector();
  for (size_t i = 0; i < p.size(); ++i) {
    const bool close = p[i] == q[i] || std::abs(p[i] - q[i]) <= atol + rtol * std::abs(q[i]);
    const bool both_nan = std::isnan(p[i]) && std::isnan(q[i]);
    // An infinite bound (q infinite) would accept everything.
    const bool infinite = p[i] != q[i] && (std::isinf(p[i]) || std::isinf(q[i]));
    if (!(close && !infinite) && !(equal_nan && both_nan)) return false;
  }
  return true;
}

}  // namespace tarsier
