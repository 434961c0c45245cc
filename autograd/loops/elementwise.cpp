#include "autograd/loops/elementwise.h"

#include "autograd/loops/copy.h"
#include "autograd/loops/elementwise.kernel.h"
#include "autograd/simd/dispatch.h"
#include "autograd/tensor/compute.h"

namespace tarsier::detail {

using kernels::Binary;

// ------------------------------------------------------------------------------------- checks

Tensor readable(const Tensor& x) {
  if (x.is_contiguous() || x.dim() == 0) return x;
  const int64_t step = x.strides().back();
  return step == 1 || step == 0 || x.shape().back() == 1 ? x : contiguous_copy(x);
}

void check_defined(const Tensor& x, const char* op) {
  check(x.defined(), op, "an undefined tensor was given: assign the result of an op to it");
}

void check_same_dtype(const Tensor& a, const Tensor& b, const char* op) {
  check_defined(a, op);
  check_defined(b, op);
  check(a.dtype() == b.dtype(), op, "dtypes ", a.dtype(), " and ", b.dtype(),
        " differ: convert one of them with to(x, ", a.dtype(), ")");
}

// ------------------------------------------------------------------------------------- two operands

namespace {

/// The kernel of `f` for float and double; for i64 a plain loop, in arithmetic modulo 2⁶⁴.
template <class T>
struct BinaryRun {
  kernels::ElementwiseKernels<T>::BinaryKernel* kernel;
  BinaryRun(Binary f, const char*)
      : kernel(kernels::active<kernels::ElementwiseKernels<T>>().binary[static_cast<int>(f)]) {}
  void operator()(int64_t n, const T* a, int64_t sa, const T* b, int64_t sb, T* y) const {
    kernel(n, a, sa, b, sb, y);
  }
};

template <>
struct BinaryRun<int64_t> {
  Binary f;
  BinaryRun(Binary f, const char* op) : f(f) {
    check(f != Binary::div && f != Binary::pow, op,
          "dtype i64, but f32 or f64 is needed: convert with to(x, f32)");
  }

  static int64_t apply(Binary f, int64_t a, int64_t b) {
    const auto ua = static_cast<uint64_t>(a), ub = static_cast<uint64_t>(b);
    switch (f) {
      case Binary::add:
        return static_cast<int64_t>(ua + ub);
      case Binary::sub:
        return static_cast<int64_t>(ua - ub);
      case Binary::mul:
        return static_cast<int64_t>(ua * ub);
      case Binary::minimum:
        return std::min(a, b);
      default:
        return std::max(a, b);
    }
  }
  void operator()(int64_t n, const int64_t* a, int64_t sa, const int64_t* b, int64_t sb,
                  int64_t* y) const {
    for (int64_t i = 0; i < n; ++i) y[i] = apply(f, a[i * sa], b[i * sb]);
  }
};

/// body.operator()<T>() for f32, f64 and i64.
template <class Body>
decltype(auto) dispatch_arithmetic(DType dtype, const char* op, Body&& body) {
  if (dtype == i64) return body.template operator()<int64_t>();
  return dispatch_floating(dtype, op, body);
}

int64_t grain_of(Binary f) { return f == Binary::pow ? kCostlyGrain : kCheapGrain; }

/// f with a number on one side.
template <bool number_first>
Tensor binary_number(Binary f, const Tensor& x, double number, const char* op) {
  check_defined(x, op);
  return dispatch_arithmetic(x.dtype(), op, [&]<class T>() {
    const BinaryRun<T> run(f, op);
    const T value = number_as<T>(number, op);
    const Tensor in_order = contiguous_elements(x);
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    compute(op, [=] {
      const T* px = in_order.data<T>();
      T* py = y.data<T>();
      parallel_for(y.numel(), grain_of(f), [&](int64_t begin, int64_t end) {
        if constexpr (number_first)
          run(end - begin, &value, 0, px + begin, 1, py + begin);
        else
          run(end - begin, px + begin, 1, &value, 0, py + begin);
      });
    });
    return y;
  });
}

}  // namespace

Tensor binary(Binary f, const Tensor& a, const Tensor& b, const char* op) {
  check_same_dtype(a, b, op);
  return dispatch_arithmetic(a.dtype(), op, [&]<class T>() {
    const BinaryRun<T> run(f, op);
    Tensor y = Tensor::empty(broadcast_shapes(a.shape(), b.shape(), op), a.dtype());
    const Tensor ra = readable(a), rb = readable(b);
    compute(op, [=] {
      const T *pa = ra.data<T>(), *pb = rb.data<T>();
      T* py = y.data<T>();
      if (ra.is_contiguous() && rb.is_contiguous() && ra.shape() == rb.shape()) {
        parallel_for(y.numel(), grain_of(f), [&](int64_t begin, int64_t end) {
          run(end - begin, pa + begin, 1, pb + begin, 1, py + begin);
        });
      } else {
        const Loop loop = plan_loop(y.shape(), {&ra, &rb});
        run_loop(loop, grain_of(f), [&](const Run& r) {
          run(r.n, pa + r.from[0], loop.step(0), pb + r.from[1], loop.step(1), py + r.at);
        });
      }
    });
    return y;
  });
}

Tensor binary(Binary f, const Tensor& a, double b, const char* op) {
  return binary_number<false>(f, a, b, op);
}
Tensor binary(Binary f, double a, const Tensor& b, const char* op) {
  return binary_number<true>(f, b, a, op);
}

// ------------------------------------------------------------------------------------- in place

bool safe_to_overwrite(const Tensor& x, const Tensor& y) {
  if (x.impl()->storage != y.impl()->storage) return true;
  return x.offset() == y.offset() && x.shape() == y.shape() && x.strides() == y.strides();
}

void update(Binary f, const Tensor& x, const Tensor& y, const char* op) {
  const bool direct = x.is_contiguous() && is_floating(x.dtype()) && safe_to_overwrite(x, y);
  if (!direct) return copy_elements(binary(f, x, y, op), x);
  const Tensor operand = readable(y);
  compute(op, [=] {
    const Loop loop = plan_loop(x.shape(), {&x, &operand});
    dispatch_floating(x.dtype(), op, [&]<class T>() {
      const auto kernel =
          kernels::active<kernels::ElementwiseKernels<T>>().binary[static_cast<int>(f)];
      T* px = x.data<T>();
      const T* py = operand.data<T>();
      run_loop(loop, kCheapGrain, [&](const Run& run) {
        kernel(run.n, px + run.at, 1, py + run.from[1], loop.step(1), px + run.at);
      });
    });
  });
}

void update(Binary f, const Tensor& x, double y, const char* op) {
  if (!x.is_contiguous() || !is_floating(x.dtype())) return copy_elements(binary(f, x, y, op), x);
  compute(op, [=] {
    dispatch_floating(x.dtype(), op, [&]<class T>() {
      const auto kernel =
          kernels::active<kernels::ElementwiseKernels<T>>().binary[static_cast<int>(f)];
      const T value = static_cast<T>(y);
      T* px = x.data<T>();
      parallel_for(x.numel(), kCheapGrain, [&](int64_t begin, int64_t end) {
        kernel(end - begin, px + begin, 1, &value, 0, px + begin);
      });
    });
  });
}

}  // namespace tarsier::detail
