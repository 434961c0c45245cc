// Random tensors. Element i depends only on the stream's key and i: it is the same at any number
// of threads, and the first elements of a larger tensor are those of a smaller one.
#include <algorithm>
#include <numbers>
#include <utility>

#include "autograd/loops/elementwise.h"
#include "autograd/loops/random.kernel.h"
#include "autograd/ops.h"
#include "autograd/ops/elementwise/unary.kernel.h"
#include "autograd/simd/dispatch.h"

namespace tarsier {

using detail::kCostlyGrain;
using kernels::Unary;

namespace {

Tensor new_tensor(const Shape& shape, DType dtype, const char* op) {
  for (int64_t size : shape) check(size >= 0, op, "shape ", shape, " has a negative size");
  return Tensor::empty(shape, dtype);
}

/// A new tensor, whose elements fill(key, n, elements) writes.
template <class Fill>
Tensor filled_tensor(const char* op, const Shape& shape, DType dtype, Generator& generator,
                     const Fill& fill) {
  const Tensor y = new_tensor(shape, dtype, op);
  const RandomKey key = generator.next();
  dispatch_floating(dtype, op, [&]<class T>() { fill(key, y.numel(), y.data<T>()); });
  return y;
}

}  // namespace

Tensor rand(const Shape& shape, DType dtype, Generator& generator, SourceLine at) {
  const CallSite site(at);
  const auto fill = []<class T>(RandomKey key, int64_t n, T* y) {
    parallel_for(n, kCostlyGrain, [=](int64_t begin, int64_t end) {
      kernels::active<kernels::RandomKernels<T>>().uniform(key, static_cast<uint64_t>(begin),
                                                           end - begin, y + begin);
    });
  };
  return filled_tensor("rand", shape, dtype, generator, fill);
}

namespace {

/// Normal numbers are made in blocks, from as many uniform ones.
constexpr int64_t kBlock = 256, kHalf = kBlock / 2;

/// Box–Muller: for uniform u and v, r = √(−2 ln(1 − u)) is the length and θ = 2πv the angle of a
/// point with normal coordinates r·cos θ and r·sin θ. u is the first half of the block, v the
/// second.
template <class T>
void normal_block(RandomKey key, int64_t block, T* z) {
  const auto apply = [](Unary f, const T* x, T* y) {
    kernels::active<kernels::UnaryKernels<T>>().value(f)(kHalf, x, y, 0, 0);
  };
  T u[kBlock], *v = u + kHalf, r[kHalf];
  kernels::active<kernels::RandomKernels<T>>().uniform(key, static_cast<uint64_t>(block * kBlock),
                                                       kBlock, u);
  for (int64_t i = 0; i < kHalf; ++i) u[i] = 1 - u[i];  // (0, 1]: its logarithm is finite
  apply(Unary::log, u, r);
  for (int64_t i = 0; i < kHalf; ++i) r[i] *= -2;
  apply(Unary::sqrt, r, r);
  for (int64_t i = 0; i < kHalf; ++i) v[i] *= T(2 * std::numbers::pi);
  apply(Unary::cos, v, z);
  apply(Unary::sin, v, z + kHalf);
  for (int64_t i = 0; i < kHalf; ++i) z[i] *= r[i];
  for (int64_t i = 0; i < kHalf; ++i) z[kHalf + i] *= r[i];
}

}  // namespace

Tensor randn(const Shape& shape, DType dtype, Generator& generator, SourceLine at) {
  const CallSite site(at);
  const auto fill = []<class T>(RandomKey key, int64_t n, T* y) {
    parallel_for((n + kBlock - 1) / kBlock, kCostlyGrain / kBlock, [=](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) {
        T z[kBlock];
        normal_block(key, block, z);
        const int64_t first = block * kBlock;
        std::copy_n(z, std::min(kBlock, n - first), y + first);
      }
    });
  };
  return filled_tensor("randn", shape, dtype, generator, fill);
}

namespace {

/// From 64 random bits to a number that is uniform in 0 … range − 1: the high word of bits · range.
/// Source: Lemire, "Fast random integer generation in an interval", 2019; without its last step, so
/// numbers differ in probability by up to range / 2⁶⁴.
uint64_t integer_below(uint64_t range, uint64_t bits) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(bits) * range >> 64);
}

/// Random bits for numbers `begin` … `end` − 1 of a stream, up to kBits of them.
constexpr int64_t kBits = 256;
void random_bits(RandomKey key, int64_t begin, int64_t end, uint64_t* bits) {
  kernels::active<kernels::RandomKernels<float>>().words(key, static_cast<uint64_t>(begin),
                                                         end - begin, bits);
}

}  // namespace

Tensor randint(int64_t low, int64_t high, const Shape& shape, Generator& generator, SourceLine at) {
  const CallSite site(at);
  check(low < high, "randint", "low ", low, " and high ", high, ": low must be less than high");
  Tensor y = new_tensor(shape, i64, "randint");
  const RandomKey key = generator.next();
  const uint64_t range = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  int64_t* py = y.data<int64_t>();
  parallel_for(y.numel(), kCostlyGrain, [=](int64_t begin, int64_t end) {
    uint64_t bits[kBits];
    for (int64_t first = begin; first < end; first += kBits) {
      const int64_t last = std::min(first + kBits, end);
      random_bits(key, first, last, bits);
      for (int64_t i = first; i < last; ++i)
        py[i] = static_cast<int64_t>(static_cast<uint64_t>(low) +
                                     integer_below(range, bits[i - first]));
    }
  });
  return y;
}

Tensor rand_like(const Arg& x, Generator& generator) {
  return rand(x.shape(), x.dtype(), generator);
}
Tensor randn_like(const Arg& x, Generator& generator) {
  return randn(x.shape(), x.dtype(), generator);
}

/// 1 where a uniform number is below p: always for p = 1, and never for 0.
Tensor bernoulli(const Tensor& p, Generator& generator) {
  check(is_floating(p.dtype()), "bernoulli", "probabilities are ", p.dtype(),
        ": f32 or f64 is needed");
  const NoGrad guard;
  const Tensor q = p.detach();
  if (!all(q >= 0 && q <= 1).item<bool>()) {
    for (const double value : q.to_vector())
      check(value >= 0 && value <= 1, "bernoulli", "probability ", value, ": use 0 to 1");
  }
  return to(rand(q.shape(), q.dtype(), generator) < q, q.dtype());
}

/// Fisher–Yates: the last position gets a random one of all, the one before it one of the rest, …
Tensor randperm(int64_t n, Generator& generator, SourceLine at) {
  const CallSite site(at);
  check(n >= 0, "randperm", n, " elements: use 0 or more");
  Tensor y = arange(n);
  const RandomKey key = generator.next();
  int64_t* py = y.data<int64_t>();
  uint64_t bits[kBits];
  for (int64_t end = n; end > 0; end -= kBits) {
    const int64_t begin = std::max<int64_t>(end - kBits, 0);
    random_bits(key, begin, end, bits);
    for (int64_t i = end - 1; i >= begin; --i)
      std::swap(py[i], py[integer_below(static_cast<uint64_t>(i + 1), bits[i - begin])]);
  }
  return y;
}

}  // namespace tarsier
