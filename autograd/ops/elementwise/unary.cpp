// Functions of one variable as ops. Their values and derivatives are in functions.h.
#include "autograd/ops/elementwise/unary.h"

#include "autograd/loops/copy.h"
#include "autograd/loops/elementwise.h"
#include "autograd/ops/elementwise/integers.h"
#include "autograd/ops/elementwise/traced.h"
#include "autograd/ops/elementwise/unary.kernel.h"
#include "autograd/simd/dispatch.h"
#include "autograd/tensor/compute.h"

namespace tarsier::detail {

using kernels::Saves;
using kernels::Unary;

namespace {

/// The entry of one function in functions.h.
struct Entry {
  const char* name;
  Saves saves;
  int64_t grain;
  Traced (*grad)(const Traced& saved, const Traced& dy, Parameters p);
};

template <class F>
constexpr Entry kEntry = {F::name, F::saves, F::cheap ? kCheapGrain : kCostlyGrain,
                          [](const Traced& saved, const Traced& dy, Parameters p) {
                            return kernels::grad_of<F, Traced>(saved, dy, p.a, p.b);
                          }};

template <int... f>
const Entry& find_entry(Unary wanted, std::integer_sequence<int, f...>) {
  static constexpr Entry entries[] = {kEntry<kernels::Function<static_cast<Unary>(f)>>...};
  return entries[static_cast<int>(wanted)];
}

const Entry& entry_of(Unary f) {
  return find_entry(f, std::make_integer_sequence<int, static_cast<int>(Unary::count)>());
}

/// dy · f′, not recorded, from what f saves.
Tensor unary_grad(Unary f, const Tensor& saved, const Tensor& dy, Parameters p) {
  const Entry& entry = entry_of(f);
  check_same_dtype(saved, dy, entry.name);
  return dispatch_floating(dy.dtype(), entry.name, [&]<class T>() {
    const auto kernel = kernels::active<kernels::UnaryKernels<T>>().grad(f);
    const Tensor from = contiguous_elements(saved), g = contiguous_elements(dy);
    Tensor dx = Tensor::empty(dy.shape(), dy.dtype());
    compute(entry.name, [=, grain = entry.grain] {
      const T *pf = from.data<T>(), *pg = g.data<T>();
      T* pdx = dx.data<T>();
      parallel_for(dx.numel(), grain, [=](int64_t begin, int64_t end) {
        kernel(end - begin, pf + begin, pg + begin, pdx + begin, p.a, p.b);
      });
    });
    return dx;
  });
}

}  // namespace

Tensor unary_value(Unary f, const Tensor& x, const char* op, Parameters p) {
  check_defined(x, op);
  return dispatch_floating(x.dtype(), op, [&]<class T>() {
    const auto kernel = kernels::active<kernels::UnaryKernels<T>>().value(f);
    // The kernel also works in place, here on a copy that has the elements in order.
    const bool in_order = x.is_contiguous();
    Tensor y = in_order ? Tensor::empty(x.shape(), x.dtype()) : contiguous_copy(x);
    compute(op, [=] {
      T* py = y.data<T>();
      const T* px = in_order ? x.data<T>() : py;
      parallel_for(y.numel(), entry_of(f).grain, [=](int64_t begin, int64_t end) {
        kernel(end - begin, px + begin, py + begin, p.a, p.b);
      });
    });
    return y;
  });
}

/// y = f(x).   dx = dy · f′     saved: x, y or nothing, as functions.h says
Tensor unary(Unary f, const Arg& x, Parameters p) {
  const Entry& entry = entry_of(f);
  Tensor y = unary_value(f, x, entry.name, p);
  const Tensor kept = entry.saves == Saves::x ? Tensor(x) : entry.saves == Saves::y ? y : Tensor();
  return record(entry.name, {x}, y, Save{kept},
                [f, p](const Saved& saved, const Tensor& dy) -> Grads {
                  const Entry& entry = entry_of(f);
                  const Tensor from = entry.saves == Saves::nothing ? dy : saved[0];
                  if (!grad_enabled()) return {unary_grad(f, from, dy, p)};
                  return {entry.grad(from, dy, p).tensor_like(dy)};
                });
}

}  // namespace tarsier::detail

// ------------------------------------------------------------------------------------- the ops

namespace tarsier {

using detail::map_integers;
using detail::unary;
using kernels::Unary;

Tensor abs(const Arg& x) {
  if (x.dtype() == i64) return map_integers(x, [](int64_t v) { return v < 0 ? -v : v; });
  return unary(Unary::abs, x);
}
Tensor sign(const Arg& x) {
  if (x.dtype() == i64) return map_integers(x, [](int64_t v) { return (v > 0) - (v < 0); });
  return unary(Unary::sign, x);
}

namespace {

/// Integers are whole already.
Tensor rounded(Unary f, const Arg& x) {
  return x.dtype() == i64 ? map_integers(x, [](int64_t v) { return v; }) : unary(f, x);
}

}  // namespace

Tensor floor(const Arg& x) { return rounded(Unary::floor, x); }
Tensor ceil(const Arg& x) { return rounded(Unary::ceil, x); }
Tensor round(const Arg& x) { return rounded(Unary::round, x); }
Tensor trunc(const Arg& x) { return rounded(Unary::trunc, x); }
Tensor reciprocal(const Arg& x) { return unary(Unary::reciprocal, x); }
Tensor exp(const Arg& x) { return unary(Unary::exp, x); }
Tensor expm1(const Arg& x) { return unary(Unary::expm1, x); }
Tensor log(const Arg& x) { return unary(Unary::log, x); }
Tensor log1p(const Arg& x) { return unary(Unary::log1p, x); }
Tensor exp2(const Arg& x) { return unary(Unary::exp2, x); }
Tensor log2(const Arg& x) { return unary(Unary::log2, x); }
Tensor log10(const Arg& x) { return unary(Unary::log10, x); }
Tensor sqrt(const Arg& x) { return unary(Unary::sqrt, x); }
Tensor rsqrt(const Arg& x) { return unary(Unary::rsqrt, x); }
Tensor square(const Arg& x) { return x.dtype() == i64 ? x * x : unary(Unary::square, x); }
Tensor sin(const Arg& x) { return unary(Unary::sin, x); }
Tensor cos(const Arg& x) { return unary(Unary::cos, x); }
Tensor tan(const Arg& x) { return unary(Unary::tan, x); }
Tensor asin(const Arg& x) { return unary(Unary::asin, x); }
Tensor acos(const Arg& x) { return unary(Unary::acos, x); }
Tensor atan(const Arg& x) { return unary(Unary::atan, x); }
Tensor sinh(const Arg& x) { return unary(Unary::sinh, x); }
Tensor cosh(const Arg& x) { return unary(Unary::cosh, x); }
Tensor erf(const Arg& x) { return unary(Unary::erf, x); }

Tensor tanh(const Arg& x) { return unary(Unary::tanh, x); }
Tensor sigmoid(const Arg& x) { return unary(Unary::sigmoid, x); }
Tensor relu(const Arg& x) { return unary(Unary::relu, x); }
Tensor leaky_relu(const Arg& x, double negative_slope) {
  return unary(Unary::leaky_relu, x, {negative_slope});
}
Tensor elu(const Arg& x, double alpha) { return unary(Unary::elu, x, {alpha}); }
Tensor selu(const Arg& x) { return unary(Unary::selu, x); }
Tensor celu(const Arg& x, double alpha) {
  check(alpha != 0, "celu", "alpha is 0, but x is divided by it: use another number");
  return unary(Unary::celu, x, {alpha});
}
Tensor gelu(const Arg& x, std::string_view approximate) {
  check(approximate == "none" || approximate == "tanh", "gelu", "approximate is '", approximate,
        "': use 'none' or 'tanh'");
  return unary(approximate == "none" ? Unary::gelu : Unary::gelu_tanh, x);
}
Tensor silu(const Arg& x) { return unary(Unary::silu, x); }
Tensor mish(const Arg& x) { return unary(Unary::mish, x); }
Tensor softplus(const Arg& x, double beta, double threshold) {
  check(beta > 0, "softplus", "beta is ", beta, ": use a positive number");
  return unary(Unary::softplus, x, {beta, threshold});
}

Tensor logsigmoid(const Arg& x) { return unary(Unary::logsigmoid, x); }
Tensor softsign(const Arg& x) { return unary(Unary::softsign, x); }
Tensor hardtanh(const Arg& x, double min_val, double max_val) {
  check(min_val <= max_val, "hardtanh", "min_val is ", min_val, ", above max_val, ", max_val,
        ": exchange them");
  return unary(Unary::hardtanh, x, {min_val, max_val});
}
Tensor relu6(const Arg& x) { return hardtanh(x, 0, 6); }
Tensor hardsigmoid(const Arg& x) { return unary(Unary::hardsigmoid, x); }
Tensor hardswish(const Arg& x) { return unary(Unary::hardswish, x); }
}  // namespace tarsier
