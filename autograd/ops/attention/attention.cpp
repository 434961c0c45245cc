// Scaled dot-product attention, to all keys or within a window: fused, and in primitive ops.
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/loops/checks.h"
#include "autograd/loops/strided.h"
#include "autograd/ops.h"
#include "autograd/ops/attention/attention.kernel.h"
#include "autograd/ops/record.h"
#include "autograd/simd/dispatch.h"
#include "autograd/tape/capture.h"
#include "autograd/tensor/compute.h"

namespace tarsier {
namespace {

/// The sizes, or strides, before the last two.
Shape leading(const Shape& shape) { return Shape(shape.begin(), shape.end() - 2); }

/// The sizes of one attention after its checks: q (batch, tq, d), k (batch, tk, d), v (batch, tk,
/// dv), where `batch` is what the leading sizes broadcast to.
struct Sizes {
  Shape batch;
  int64_t tq, tk, d, dv;
  Shape with(int64_t rows, int64_t columns) const {
    Shape shape = batch;
    shape.push_back(rows);
    shape.push_back(columns);
    return shape;
  }
};

Sizes check_arguments(const char* name, const Tensor& q, const Tensor& k, const Tensor& v,
                      const Tensor& mask, double dropout_p) {
  check(q.dim() >= 2 && k.dim() >= 2 && v.dim() >= 2, name, "shapes ", q.shape(), ", ", k.shape(),
        " and ", v.shape(), ": expected (…, time, head size) for q, k and v");
  detail::check_floating(q, name);
  check(q.dtype() == k.dtype() && q.dtype() == v.dtype(), name, "dtypes ", q.dtype(), ", ",
        k.dtype(), " and ", v.dtype(), " of q, k and v differ: convert them with to(x, dtype)");
  check(q.size(-1) == k.size(-1), name, "q ", q.shape(), " and k ", k.shape(), ": head sizes ",
        q.size(-1), " and ", k.size(-1), " differ");
  check(k.size(-2) == v.size(-2), name, "k ", k.shape(), " and v ", v.shape(), ": times ",
        k.size(-2), " and ", v.size(-2), " differ");
  check(dropout_p >= 0 && dropout_p <= 1, name, "dropout_p ", dropout_p, ": use 0 to 1");
  const Shape batch = broadcast_shapes(leading(q.shape()), leading(k.shape()), name);
  Sizes sizes{broadcast_shapes(batch, leading(v.shape()), name), q.size(-2), k.size(-2), q.size(-1),
              v.size(-1)};
  if (mask.defined()) {
    check(mask.dtype() == boolean || mask.dtype() == q.dtype(), name, "mask of ", mask.dtype(),
          ": expected bool (true: may attend), or ", q.dtype(), " to add to the scores");
    const Shape scores = sizes.with(sizes.tq, sizes.tk);
    check(broadcast_shapes(mask.shape(), scores, name) == scores, name, "mask of shape ",
          mask.shape(), " does not broadcast to the scores' ", scores);
  }
  return sizes;
}

/// The window as diagonals of the scores.
kernels::Band band_of(const char* name, const AttentionWindow& w) {
  check(w.left >= 0 && w.right >= 0, name, "window of ", w.left, " keys to the left and ", w.right,
        " to the right: give 0 or more, and move the window with `offset`");
  constexpr int64_t far = kernels::Band::kNoLimit;
  const auto limited = [](int64_t n) { return std::min(n, 2 * far); };
  const int64_t offset = std::clamp(w.offset, -far, far);
  return {std::max(offset - limited(w.left), -far), std::min(offset + limited(w.right), far)};
}

/// How to attend: what is not a tensor. `name` is the op's, for its errors and its node.
struct Options {
  const char* name;
  kernels::Band band;
  double dropout_p;
  double scale;
  RandomKey key;
};

double scale_or_default(std::optional<double> scale, const Tensor& q) {
  const auto d = static_cast<double>(q.dim() > 0 ? q.size(-1) : 1);
  return scale ? *scale : 1 / std::sqrt(std::max(d, 1.0));
}

/// The view of x with `shape`, repeated where sizes are stretched. Not recorded.
Tensor stretched(const Tensor& x, const Shape& shape) {
  return x.view_as(shape, detail::broadcast_strides(x.shape(), x.strides(), shape), x.offset());
}

/// A new tensor of shape (…, H, T, D) with the memory layout (…, T, H, D): transposing the heads
/// back and joining them is then a view.
Tensor empty_heads(const Shape& shape, DType dtype) {
  const int n = shape.size();
  if (n < 3) return Tensor::empty(shape, dtype);
  Shape memory = shape;
  std::swap(memory[n - 2], memory[n - 3]);
  const Tensor y = Tensor::empty(memory, dtype);
  Strides strides = y.strides();
  std::swap(strides[n - 2], strides[n - 3]);
  return y.view_as(shape, strides, y.offset());
}

/// A tensor as the kernel takes it: the rows of its heads, and the offsets of the heads.
struct Heads {
  Tensor x;
  std::vector<int64_t> offsets;

  /// x stretched to `shape`, copied first unless the elements of its rows are contiguous.
  Heads(const Tensor& x, const Shape& shape)
      : x(stretched(x.size(-1) <= 1 || x.strides()[x.dim() - 1] == 1 ? x : contiguous(x.detach()),
                    shape)),
        offsets(detail::all_offsets(leading(this->x.shape()), leading(this->x.strides()))) {}

  template <class T>
  kernels::HeadRows<T> rows() const {
    return {x.data<std::remove_const_t<T>>(), offsets.data(), x.strides()[x.dim() - 2]};
  }
};

/// The arguments that forward and backward share.
struct Call {
  Sizes sizes;
  Heads q, k, v;
  Tensor mask;
  std::vector<int64_t> mask_offsets;
  Options options;

  Call(const Sizes& sizes, const Options& options, const Tensor& q, const Tensor& k,
       const Tensor& v, const Tensor& mask)
      : sizes(sizes),
        q(q, sizes.with(sizes.tq, sizes.d)),
        k(k, sizes.with(sizes.tk, sizes.d)),
        v(v, sizes.with(sizes.tk, sizes.dv)),
        options(options) {
    if (!mask.defined()) return;
    this->mask = stretched(mask, sizes.with(sizes.tq, sizes.tk));
    mask_offsets = detail::all_offsets(leading(this->mask.shape()), leading(this->mask.strides()));
  }

  template <class T>
  kernels::Attention<T> arguments() const {
    kernels::Attention<T> a{.heads = sizes.batch.numel(),
                            .tq = sizes.tq,
                            .tk = sizes.tk,
                            .d = sizes.d,
                            .dv = sizes.dv,
                            .q = q.rows<const T>(),
                            .k = k.rows<const T>(),
                            .v = v.rows<const T>(),
                            .scale = static_cast<T>(options.scale),
                            .band = options.band,
                            .dropout_p = options.dropout_p,
                            .key = detail::current_key(options.key)};
    if (mask.defined()) {
      if (mask.dtype() == boolean)
        a.keep = mask.data<bool>();
      else
        a.bias = mask.data<T>();
      a.mask_offsets = mask_offsets.data();
      a.mask_row = mask.strides()[mask.dim() - 2];
      a.mask_col = mask.strides()[mask.dim() - 1];
    }
    return a;
  }
};

/// The definition. Masked scores are −∞. A row with only −∞ has no softmax (it would be NaN): its
/// scores are set to 0 before, and its weights to 0 after.
Tensor attend_reference(const Options& o, const Arg& q, const Arg& k, const Arg& v,
                        const Tensor& mask) {
  const auto [batch, tq, tk, d, dv] = check_arguments(o.name, q, k, v, mask, o.dropout_p);
  Tensor scores = matmul(q, transpose(k, -2, -1)) * o.scale;
  if (tk == 0) return matmul(scores, v);  // no keys: softmax of nothing is undefined
  if (mask.defined())
    scores = mask.dtype() == boolean ? masked_fill(scores, !mask, -INFINITY) : scores + mask;
  const auto [lower, upper] = o.band;
  if (upper < tk) scores = masked_fill(scores, triu_mask(tq, tk, upper + 1), -INFINITY);
  if (lower > -tq) scores = masked_fill(scores, tril_mask(tq, tk, lower - 1), -INFINITY);
  const Tensor blind = all(scores == -INFINITY, -1, true);
  Tensor weights = masked_fill(softmax_reference(masked_fill(scores, blind, 0), -1), blind, 0);
  if (o.dropout_p > 0) weights = dropout_reference(weights, o.dropout_p, o.key);
  return matmul(weights, v);
}

Grads attend_grad(const Sizes& sizes, const Options& options, const Saved& saved, const Tensor& dy);

/// y = M∘P · v with P = softmax(S), S = q·kᵀ·scale + mask within the band, and M the factors of
/// dropout.
///   dv = (M∘P)ᵀ · dy
///   dS = P∘(M∘(dy·vᵀ) − D),  D = rowsum(dy∘y)
///   dq = dS · k · scale,  dk = dSᵀ · q · scale
/// saved: q, k, v, mask, y and the logarithm of the softmax's sum, one number per row, from which P
/// is recomputed; M is recomputed from the key. Nothing of size Tq × Tk is stored.
Tensor attend(const Options& options, const Arg& q, const Arg& k, const Arg& v,
              const Tensor& mask) {
  const Sizes sizes = check_arguments(options.name, q, k, v, mask, options.dropout_p);
  // The kernel has no gradient for a mask (one that is learnt, such as a position bias).
  if (mask.defined() && mask.requires_grad()) return attend_reference(options, q, k, v, mask);

  Tensor y = empty_heads(sizes.with(sizes.tq, sizes.dv), q.dtype());
  Tensor lse = Tensor::empty({sizes.batch.numel(), sizes.tq}, q.dtype());
  const Call call(sizes, options, q, k, v, mask);
  const Heads out(y, y.shape());
  detail::compute(options.name, [=] {
    dispatch_floating(y.dtype(), call.options.name, [&]<class T>() {
      kernels::active<kernels::AttentionKernels<T>>().attention(call.arguments<T>(), out.rows<T>(),
                                                                lse.data<T>());
    });
  });
  const auto fast = [sizes, options](const Saved& saved, const Tensor& dy) {
    return attend_grad(sizes, options, saved, dy);
  };
  const auto reference = [options](const Saved& saved, const auto& in) {
    return attend_reference(options, in[0], in[1], in[2], saved[3]);
  };
  return detail::record_fused(options.name, {q, k, v}, y, Save{q, k, v, mask, y, lse}, fast,
                              reference);
}

/// dq, dk and dv, as far as they are needed; the formulas are above attend().
Grads attend_grad(const Sizes& sizes, const Options& options, const Saved& saved,
                  const Tensor& dy) {
  const Tensor q = saved[0], k = saved[1], v = saved[2], mask = saved[3];
  const Shape shapes[] = {sizes.with(sizes.tq, sizes.d), sizes.with(sizes.tk, sizes.d),
                          sizes.with(sizes.tk, sizes.dv)};
  Grads grads(3);
  for (int i = 0; i < 3; ++i)
    if (saved.needs(i)) grads[i] = empty_heads(shapes[i], q.dtype());
  const Call call(sizes, options, q, k, v, mask);
  const Heads y(saved[4], dy.shape()), upstream(dy, dy.shape());
  std::array<std::optional<Heads>, 3> out;
  for (size_t i = 0; i < 3; ++i)
    if (grads[i].defined()) out[i].emplace(grads[i], grads[i].shape());
  detail::compute(options.name, [=, lse = saved[5]] {
    dispatch_floating(lse.dtype(), call.options.name, [&]<class T>() {
      const auto rows = [&](size_t i) {
        return out[i] ? out[i]->template rows<T>() : kernels::HeadRows<T>();
      };
      kernels::active<kernels::AttentionKernels<T>>().attention_grad(
          call.arguments<T>(), {.y = y.rows<const T>(),
                                .dy = upstream.rows<const T>(),
                                .lse = lse.data<T>(),
                                .dq = rows(0),
                                .dk = rows(1),
                                .dv = rows(2)});
    });
  });
  return grads;
}

Options full_options(const Tensor& q, double dropout_p, bool is_causal, std::optional<double> scale,
                     RandomKey key) {
  constexpr const char* name = "scaled_dot_product_attention";
  const kernels::Band band = is_causal ? kernels::Band{.upper = 0} : kernels::Band{};
  return {name, band, dropout_p, scale_or_default(scale, q), key};
}

Options local_options(const Tensor& q, const AttentionWindow& window, double dropout_p,
                      std::optional<double> scale, RandomKey key) {
  constexpr const char* name = "local_attention";
  return {name, band_of(name, window), dropout_p, scale_or_default(scale, q), key};
}

/// Draws only if needed: without dropout the generator does not change.
RandomKey next_key(double dropout_p, Generator& generator) {
  return dropout_p > 0 ? detail::draw(generator) : RandomKey{};
}

}  // namespace

Tensor scaled_dot_product_attention(const Arg& q, const Arg& k, const Arg& v, const Tensor& mask,
                                    double dropout_p, bool is_causal, std::optional<double> scale,
                                    Generator& generator) {
  const RandomKey key = next_key(dropout_p, generator);
  return attend(full_options(q, dropout_p, is_causal, scale, key), q, k, v, mask);
}

Tensor scaled_dot_product_attention_reference(const Arg& q, const Arg& k, const Arg& v,
                                              const Tensor& mask, double dropout_p, bool is_causal,
                                              std::optional<double> scale, RandomKey key) {
  return attend_reference(full_options(q, dropout_p, is_causal, scale, key), q, k, v, mask);
}

Tensor local_attention(const Arg& q, const Arg& k, const Arg& v, const AttentionWindow& window,
                       const Tensor& mask, double dropout_p, std::optional<double> scale,
                       Generator& generator) {
  const RandomKey key = next_key(dropout_p, generator);
  return attend(local_options(q, window, dropout_p, scale, key), q, k, v, mask);
}

Tensor local_attention_reference(const Arg& q, const Arg& k, const Arg& v,
                                 const AttentionWindow& window, const Tensor& mask,
                                 double dropout_p, std::optional<double> scale, RandomKey key) {
  return attend_reference(local_options(q, window, dropout_p, scale, key), q, k, v, mask);
}

}  // namespace tarsier
