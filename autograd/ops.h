#pragma once
// All ops on one page, except those that make new tensors (ops/creation/creation.h),
// compare (ops/elementwise/compare.h) or change a tensor in place (ops/elementwise/in_place.h):
// those have no gradients; this header includes them. ops/ has the forward of each op with its
// backward under it.
//
// Reading the page: x, y, a, b are tensors; "floating" is f32 or f64; shapes are in parentheses.
// Elementwise ops broadcast (shape.h). Mixed dtypes are an error, never a silent conversion: use
// to(x, dtype). A number takes the dtype of the tensor (x + 1). Every op throws Error with its own
// name on wrong shapes or dtypes. `Arg` is a Tensor that knows where it was passed (tensor.h).
// Dimensions may be negative: −1 is the last. A scalar has none to name (PyTorch takes 0 and −1).

#include <optional>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "ops/attention/window.h"
#include "ops/conv/options.h"
#include "ops/creation/creation.h"
#include "ops/creation/from_vector.h"
#include "ops/elementwise/compare.h"
#include "ops/elementwise/in_place.h"
#include "ops/loss/options.h"
#include "ops/reference.h"
#include "tape/tape.h"
#include "tensor/tensor.h"

namespace tarsier {

/// Values and their positions.
struct ValuesIndices {
  Tensor values;
  Tensor indices;  ///< i64
};

// ---------------------------------------------------------------------------------- elementwise
// Floating, with gradients. + − × and minimum, maximum, neg, abs, sign, clamp, square, pow, floor,
// ceil, round, trunc and remainder also take i64, then without gradients.

Tensor operator+(const Arg& a, const Arg& b);  ///< a + b.      da = dy, db = dy
Tensor operator-(const Arg& a, const Arg& b);  ///< a − b.      da = dy, db = −dy
Tensor operator*(const Arg& a, const Arg& b);  ///< a · b.      da = dy · b, db = dy · a
Tensor operator/(const Arg& a, const Arg& b);  ///< a / b.      da = dy / b, db = −dy · a / b²
Tensor operator+(const Arg& a, double b);
Tensor operator-(const Arg& a, double b);
Tensor operator*(const Arg& a, double b);
Tensor operator/(const Arg& a, double b);
Tensor operator+(double a, const Arg& b);
Tensor operator-(double a, const Arg& b);
Tensor operator*(double a, const Arg& b);
Tensor operator/(double a, const Arg& b);
Tensor operator-(const Arg& x);  ///< −x.         dx = −dy

/// xᵖ.   dx = dy · p · xᵖ⁻¹, dp = dy · xᵖ · log x (0 where x = 0, p ≥ 0)
Tensor pow(const Arg& x, double exponent);
Tensor pow(const Arg& x, const Arg& exponent);
Tensor pow(double x, const Arg& exponent);
Tensor abs(const Arg& x);         ///< |x|.    dx = dy · sign(x)
Tensor sign(const Arg& x);        ///< −1, 0, 1.  dx = 0
Tensor floor(const Arg& x);       ///< ⌊x⌋.    dx = 0, and in the next three
Tensor ceil(const Arg& x);        ///< ⌈x⌉
Tensor round(const Arg& x);       ///< halves to the even number
Tensor trunc(const Arg& x);       ///< towards 0
Tensor reciprocal(const Arg& x);  ///< 1/x.   dx = −dy · y²
Tensor exp(const Arg& x);         ///< eˣ.     dx = dy · y
Tensor expm1(const Arg& x);       ///< eˣ − 1, accurate near 0.   dx = dy · (y + 1)
Tensor log(const Arg& x);         ///< ln x.   dx = dy / x
Tensor log1p(const Arg& x);       ///< ln(1 + x), accurate near 0.   dx = dy / (1 + x)
Tensor exp2(const Arg& x);        ///< 2ˣ.     dx = dy · y · ln 2
Tensor log2(const Arg& x);        ///< dx = dy / (x · ln 2)
Tensor log10(const Arg& x);       ///< dx = dy / (x · ln 10)
Tensor sqrt(const Arg& x);        ///< √x.     dx = dy / (2 y)
Tensor rsqrt(const Arg& x);       ///< 1/√x.   dx = −dy · y³ / 2
Tensor square(const Arg& x);      ///< x².     dx = 2 · dy · x
Tensor sin(const Arg& x);         ///< dx = dy · cos x
Tensor cos(const Arg& x);         ///< dx = −dy · sin x
Tensor tan(const Arg& x);         ///< dx = dy · (1 + y²)
Tensor asin(const Arg& x);        ///< dx = dy / √(1 − x²)
Tensor acos(const Arg& x);        ///< dx = −dy / √(1 − x²)
Tensor atan(const Arg& x);        ///< dx = dy / (1 + x²)
Tensor sinh(const Arg& x);        ///< dx = dy · cosh x
Tensor cosh(const Arg& x);        ///< dx = dy · sinh x
Tensor tanh(const Arg& x);        ///< dx = dy · (1 − y²)
Tensor sigmoid(const Arg& x);     ///< 1 / (1 + e⁻ˣ).   dx = dy · y · (1 − y)
Tensor relu(const Arg& x);        ///< max(x, 0).   dx = dy where x > 0
Tensor leaky_relu(const Arg& x, double negative_slope = 0.01);
Tensor elu(const Arg& x, double alpha = 1);  ///< x, or α(eˣ − 1) where x < 0
Tensor selu(const Arg& x);  ///< 1.0507… · elu(x, 1.6732…): keeps mean 0 and variance 1
Tensor celu(const Arg& x, double alpha = 1);  ///< x, or α(e^{x/α} − 1) where x < 0
/// x, or weight · x where x < 0: one weight, or one for each channel (dimension 1).
Tensor prelu(const Arg& x, const Tensor& weight);
/// Gaussian error linear unit (Hendrycks & Gimpel 2016): x · Φ(x). `approximate` is "none" (with
/// erf) or "tanh": ½x(1 + tanh(√(2/π)(x + 0.044715x³))).
Tensor gelu(const Arg& x, std::string_view approximate = "none");
Tensor silu(const Arg& x);  ///< x · σ(x)
Tensor mish(const Arg& x);  ///< x · tanh(log(1 + eˣ))
/// log(1 + e^{βx}) / β; x itself where βx > threshold.
Tensor softplus(const Arg& x, double beta = 1, double threshold = 20);
Tensor logsigmoid(const Arg& x);  ///< log σ(x), without overflow
Tensor softsign(const Arg& x);    ///< x / (1 + |x|)
Tensor hardtanh(const Arg& x, double min_val = -1, double max_val = 1);  ///< clamp
Tensor relu6(const Arg& x);                                              ///< hardtanh from 0 to 6
Tensor hardsigmoid(const Arg& x);  ///< (x + 3) / 6 limited to [0, 1]
Tensor hardswish(const Arg& x);    ///< x · hardsigmoid(x)
Tensor erf(const Arg& x);          ///< dx = dy · 2/√π · e^{−x²}
/// x limited to [low, high]; either may be omitted. dx = dy inside, 0 at the bounds and beyond.
Tensor clamp(const Arg& x, std::optional<double> low, std::optional<double> high = {});
Tensor clamp(const Arg& x, const Tensor& low, const Tensor& high = {});  ///< minimum of maximum
/// Replaces NaN, ∞ and −∞; the last two by default with the largest and the smallest finite number.
Tensor nan_to_num(const Arg& x, double nan = 0, std::optional<double> posinf = {},
                  std::optional<double> neginf = {});
/// a − b · ⌊a/b⌋: the remainder, with the sign of b.   da = dy, db = −dy · ⌊a/b⌋
Tensor remainder(const Arg& a, const Arg& b);
Tensor remainder(const Arg& a, double b);
Tensor xlogy(const Arg& a, const Arg& b);      ///< a · log b, and 0 where a = 0
Tensor logaddexp(const Arg& a, const Arg& b);  ///< log(eᵃ + eᵇ), without overflow
Tensor atan2(const Arg& a, const Arg& b);      ///< the angle of the point (b, a), in [−π, π]
/// NaN where a or b is NaN (no gradient there); equal elements share the gradient: ½ each.
Tensor minimum(const Arg& a, const Arg& b);
Tensor maximum(const Arg& a, const Arg& b);  ///< as minimum
/// condition ? a : b; the condition is bool.
Tensor where(const Arg& condition, const Arg& a, const Arg& b);
Tensor where(const Arg& condition, const Arg& a, double b);
Tensor where(const Arg& condition, double a, const Arg& b);
/// x with `value` where the mask (bool) is true; dx = 0 there.
Tensor masked_fill(const Arg& x, const Arg& mask, double value);
Tensor lerp(const Arg& start, const Arg& end, double weight);  ///< start + weight · (end − start)

// ------------------------------------------------------------------------------------ reductions
// Over any set of dimensions (default: all). keepdim leaves reduced dimensions with size 1.

Tensor sum(const Arg& x, const Axes& dims = {}, bool keepdim = false);  ///< i64 and bool give i64
Tensor mean(const Arg& x, const Axes& dims = {}, bool keepdim = false);
/// Σ(x − mean)² / (n − correction). correction 1 is the sample variance, 0 the population's. stddev
/// is its root (torch.std; here std is a namespace).
Tensor var(const Arg& x, const Axes& dims = {}, int64_t correction = 1, bool keepdim = false);
Tensor stddev(const Arg& x, const Axes& dims = {}, int64_t correction = 1, bool keepdim = false);
/// Largest (smallest) element; equal ones share the gradient evenly, as in torch.amax.
Tensor amax(const Arg& x, const Axes& dims = {}, bool keepdim = false);
Tensor amin(const Arg& x, const Axes& dims = {}, bool keepdim = false);
Tensor max(const Arg& x);  ///< amax over all
Tensor min(const Arg& x);  ///< amin over all
/// Along one dimension, with the index of the first of equals, which gets the whole gradient.
ValuesIndices max(const Arg& x, int64_t dim, bool keepdim = false);
ValuesIndices min(const Arg& x, int64_t dim, bool keepdim = false);
/// Index of the first largest (smallest) element, i64; without `dim` in the flattened tensor.
Tensor argmax(const Arg& x, std::optional<int64_t> dim = {}, bool keepdim = false);
Tensor argmin(const Arg& x, std::optional<int64_t> dim = {}, bool keepdim = false);
/// log Σ eˣ, without overflow.   dx = dy · softmax(x)
Tensor logsumexp(const Arg& x, const Axes& dims, bool keepdim = false);
/// (Σ|x|ᵖ)^{1/p}; p = 1, 2, any other positive number, or infinity (largest |x|). Gradient 0 at 0.
Tensor norm(const Arg& x, double p = 2, const Axes& dims = {}, bool keepdim = false);
/// Product of the elements. The gradient is correct even if some are 0.
Tensor prod(const Arg& x, const Axes& dims = {}, bool keepdim = false);
/// y_i = x_0 + … + x_i along `dim`.
Tensor cumsum(const Arg& x, int64_t dim);
/// y_i = x_0 · … · x_i along `dim`. The gradient is correct even if some are 0.
Tensor cumprod(const Arg& x, int64_t dim);
/// How many elements are not 0, i64.
Tensor count_nonzero(const Arg& x, const Axes& dims = {});
/// The middle element, or the lower of two; NaN if one is NaN. Equal ones share the
/// gradient. Along one dimension also the index of the first of equals, which gets all of it.
Tensor median(const Arg& x);
ValuesIndices median(const Arg& x, int64_t dim, bool keepdim = false);
/// The value below which a fraction q ∈ [0, 1] of the elements is: that at position q · (n − 1) of
/// the sorted ones, interpolated linearly between two. NaN if one is NaN. Without
/// `dim` of all elements. Several q (Q) give a new first dimension of that size.
Tensor quantile(const Arg& x, double q, std::optional<int64_t> dim = {}, bool keepdim = false);
Tensor quantile(const Arg& x, const Tensor& q, std::optional<int64_t> dim = {},
                bool keepdim = false);
Tensor any(const Arg& x, const Axes& dims = {}, bool keepdim = false);  ///< of bool
Tensor all(const Arg& x, const Axes& dims = {}, bool keepdim = false);  ///< of bool

// ----------------------------------------------------------------------------------------- shape
// Any dtype. "view" in the comment: shares memory, costs nothing.

/// The same elements in row-major order under another shape; one size may be −1. A view where the
/// strides allow it, otherwise a copy.
Tensor reshape(const Arg& x, const Shape& shape);
/// reshape that never copies: throws if the strides do not allow a view.
Tensor view(const Arg& x, const Shape& shape);
Tensor flatten(const Arg& x, int64_t start_dim = 0, int64_t end_dim = -1);
Tensor permute(const Arg& x, const Shape& dims);             ///< view
Tensor transpose(const Arg& x, int64_t dim0, int64_t dim1);  ///< view
Tensor squeeze(const Arg& x, int64_t dim);                   ///< view; unchanged where size ≠ 1
Tensor squeeze(const Arg& x);                 ///< view without any dimension of size 1
Tensor unsqueeze(const Arg& x, int64_t dim);  ///< view with a new dimension of size 1
/// View with dimensions of size 1 stretched; −1 keeps a size; new leading dimensions allowed.
Tensor expand(const Arg& x, const Shape& shape);
Tensor broadcast_to(const Arg& x, const Shape& shape);  ///< expand
/// View of x[start : end : step] along `dim`, as in Python (negative indices count from the end,
/// out-of-range ones are clipped); step ≥ 1.
Tensor slice(const Arg& x, int64_t dim, int64_t start, std::optional<int64_t> end = {},
             int64_t step = 1);
Tensor select(const Arg& x, int64_t dim, int64_t index);  ///< view without `dim`
/// View of x[start : start + length] along `dim`, which must be in range.
Tensor narrow(const Arg& x, int64_t dim, int64_t start, int64_t length);
/// View with dimension source[k] at position destination[k]; the others keep their order.
Tensor movedim(const Arg& x, const Axes& source, const Axes& destination);
/// View of x[…, i, …, i + offset, …]; the diagonal is the last dimension.
Tensor diagonal(const Arg& x, int64_t offset = 0, int64_t dim1 = 0, int64_t dim2 = 1);
/// The diagonal of a matrix (a view); for (n) the matrix with this diagonal, 0 elsewhere.
Tensor diag(const Arg& x, int64_t diagonal = 0);
/// View of all windows of `size` elements along `dim`, which start `step` apart; a window is the
/// new last dimension. PyTorch: Tensor.unfold(dimension, size, step).
Tensor unfold_dim(const Arg& x, int64_t dim, int64_t size, int64_t step);
/// (n), (m), … → as many tensors (n, m, …): the k-th varies only along dimension k. Views.
/// `indexing` is "ij", or "xy", which exchanges the first two dimensions.
std::vector<Tensor> meshgrid(const std::vector<Tensor>& xs, std::string_view indexing = "ij",
                             SourceLine at = SourceLine::current());
Tensor cat(const std::vector<Tensor>& xs, int64_t dim = 0, SourceLine at = SourceLine::current());
Tensor stack(const std::vector<Tensor>& xs, int64_t dim = 0, SourceLine at = SourceLine::current());
/// Views of `size` along `dim`; the last may be smaller.
std::vector<Tensor> split(const Arg& x, int64_t size, int64_t dim = 0);
std::vector<Tensor> split(const Arg& x, const std::vector<int64_t>& sizes, int64_t dim = 0);
std::vector<Tensor> chunk(const Arg& x, int64_t chunks, int64_t dim = 0);  ///< views
std::vector<Tensor> unbind(const Arg& x, int64_t dim = 0);  ///< views: all of select(x, dim, i)
/// Surrounds with `value`: padding = {left of the last dimension, right of it, left of the one
/// before, …}, as torch.nn.functional.pad. Negative padding cuts.
Tensor pad(const Arg& x, const std::vector<int64_t>& padding, double value = 0);
/// The same by `mode`: "constant", "reflect" (c b | a b c | b a), "replicate" (a a | a b c | c c)
/// or "circular" (b c | a b c | a b).
Tensor pad(const Arg& x, const std::vector<int64_t>& padding, std::string_view mode,
           double value = 0);
Tensor flip(const Arg& x, const Axes& dims);
/// Elements that leave at one end come back at the other.
Tensor roll(const Arg& x, int64_t shift, int64_t dim);
/// The tensor repeats[d] times along every dimension d (new leading dimensions allowed).
Tensor repeat(const Arg& x, const Shape& repeats);
Tensor tile(const Arg& x, const Shape& repeats);  ///< repeat; missing leading numbers are 1
/// Repeats every element `repeats` times along `dim`, without `dim` in the flattened tensor.
Tensor repeat_interleave(const Arg& x, int64_t repeats, std::optional<int64_t> dim = {});
/// The same with one number per element along `dim` (i64, (n) or (1)).
Tensor repeat_interleave(const Arg& x, const Tensor& repeats, std::optional<int64_t> dim = {});
Tensor tril(const Arg& x, int64_t diagonal = 0);  ///< of the last two dimensions: zero above
Tensor triu(const Arg& x, int64_t diagonal = 0);  ///< zero below
Tensor contiguous(const Arg& x);                  ///< itself if it is, otherwise a copy
Tensor clone(const Arg& x);                       ///< a copy, contiguous
/// Converted to `dtype`. The gradient comes back in the dtype of x.
Tensor to(const Arg& x, DType dtype);

// -------------------------------------------------------------------------------------- indexing
// Indices are i64. One out of range is an error that names it, as is a negative one, except in
// index() and index_put().

/// x[:, …, index, …] along `dim`; index: (n).
Tensor index_select(const Arg& x, int64_t dim, const Tensor& index);
/// y[i, j, …] = x[index[i, j, …], j, …] (dim 0), as torch.gather; y has the shape of index.
Tensor gather(const Arg& x, int64_t dim, const Tensor& index);
/// y = x; y[index[i, j, …], j, …] += source[i, j, …] (dim 0). Sums in index order: deterministic.
Tensor scatter_add(const Arg& x, int64_t dim, const Tensor& index, const Arg& source);
/// y = x; y[index[i, j, …], j, …] = source[i, j, …] (dim 0), or `value`. If several write to one
/// element, the last one stays and gets the gradient.
Tensor scatter(const Arg& x, int64_t dim, const Tensor& index, const Arg& source);
Tensor scatter(const Arg& x, int64_t dim, const Tensor& index, double value);
/// y = x; y[…, index[i], …] += alpha · source[…, i, …] along `dim`; index: (n). In index order.
Tensor index_add(const Arg& x, int64_t dim, const Tensor& index, const Arg& source,
                 double alpha = 1);
/// x[i, j, …] by tensors of indices (i64; −1 is the last), one for each of the first dimensions,
/// which broadcast: y[p, …] = x[i[p], j[p], …]. An undefined tensor stands for all of a dimension,
/// as `:` does in PyTorch's x[i, :, j]. Between indices, it moves theirs to the front.
Tensor index(const Arg& x, const std::vector<Tensor>& indices);
/// x with x[i, j, …] = values, or += if `accumulate`; values broadcast to the shape of index(). If
/// several write to one element, the last one stays.
Tensor index_put(const Arg& x, const std::vector<Tensor>& indices, const Arg& values,
                 bool accumulate = false);
/// Rows of a table: (…) i64, weight (V, C) → (…, C). Gradients of repeated rows add up, in order.
Tensor embedding(const Tensor& index, const Arg& weight);
/// The elements where mask (bool, broadcast to x) is true, in row-major order; shape (n).
Tensor masked_select(const Arg& x, const Tensor& mask);
/// The k largest (smallest) along `dim`, sorted; equal ones keep their order.
ValuesIndices topk(const Arg& x, int64_t k, int64_t dim = -1, bool largest = true);
/// Sorted along `dim`; stable. NaN sorts as the largest.
ValuesIndices sort(const Arg& x, int64_t dim = -1, bool descending = false);
Tensor argsort(const Arg& x, int64_t dim = -1, bool descending = false);  ///< sort(x).indices
/// The position of each value (…, m) in its sorted row (…, n), or in the only row (n):
/// before equal elements, or after them if `right`. i64, of the shape of `values`.
Tensor searchsorted(const Tensor& sorted, const Tensor& values, bool right = false);
/// How often 0, 1, … occur in x ((n) i64, not negative), or the sum of their weights (n): (m), m =
/// max(largest + 1, minlength). No gradient for weights: use index_add for that.
Tensor bincount(const Tensor& x, const Tensor& weights = {}, int64_t minlength = 0);
/// The coordinates of all elements that are not 0, in row-major order: (n, x.dim()), i64.
Tensor nonzero(const Tensor& x);
/// `samples` indices per row, drawn with probability proportional to the weights:
/// (N, K) → (N, samples), or (K) → (samples), i64.
Tensor multinomial(const Tensor& weights, int64_t samples, bool replacement = false,
                   Generator& generator = default_generator());

// ---------------------------------------------------------------------------------------- matmul

/// The product of matrices, batched and broadcast over leading dimensions, as torch.matmul:
/// (…, m, k) · (…, k, n) → (…, m, n); 1-D arguments are a row on the left, a column on the right,
/// and that dimension is then dropped. Any strides: a transposed operand is never copied.
///   da = dy · bᵀ, db = aᵀ · dy        i64 as well, without gradients
Tensor matmul(const Arg& a, const Arg& b);
/// x · weightᵀ + bias: (…, in), (out, in), (out) → (…, out); bias may be undefined.
///   dx = dy · weight, dweight = dyᵀ · x, dbias = Σ dy        i64 as well, without gradients
Tensor linear(const Arg& x, const Arg& weight, const Tensor& bias = {});
/// Einstein summation: einsum("bhqd,bhkd->bhqk", {q, k}). Letters are dimensions; those missing on
/// the right are summed; "..." stands for leading dimensions that broadcast. One or more operands,
/// contracted from left to right.
Tensor einsum(std::string_view equation, const std::vector<Tensor>& operands,
              SourceLine at = SourceLine::current());

// ----------------------------------------------------------------------------------- convolution
// Images are (N, C, H, W): batch, channels, height, width; or a single one, (C, H, W), which gives a
// single result. The ops over one dimension take (N, C, L) or (C, L). A window of `kernel` elements,
// `dilation` apart, is placed at every `stride`-th position of the image with `padding` zeros on
// each side:
//   out = ⌊(in + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1    in height and in width

/// The windows as columns (im2col): (N, C, H, W) → (N, C·kh·kw, L), L = out_h · out_w. unfold and
/// fold are each other's gradients. As torch.nn.functional.unfold.
Tensor unfold(const Arg& x, Pair kernel, const WindowOptions& options = {});
/// Sums columns into an image: (N, C·kh·kw, L) → (N, C, H, W), output_size = {H, W}.
Tensor fold(const Arg& x, Pair output_size, Pair kernel, const WindowOptions& options = {});
/// y[n, o, i, j] = bias[o] +
///     Σ_{c,p,q} weight[o, c, p, q] · x[n, c, i·s + p·d − pad, j·s + q·d − pad]:
/// (N, C, H, W), (O, C/groups, kh, kw), (O) → (N, O, out_h, out_w); bias may be undefined.
///   dx = conv_transpose2d(dy, weight), dweight = dy · unfold(x)ᵀ, dbias = Σ dy
Tensor conv2d(const Arg& x, const Arg& weight, const Tensor& bias = {},
              const Conv2dOptions& options = {});
/// The same over one dimension: (N, C, L), (O, C/groups, k), (O) → (N, O, out).
Tensor conv1d(const Arg& x, const Arg& weight, const Tensor& bias = {},
              const Conv1dOptions& options = {});
/// The transpose of conv2d (its dx) as an op:
/// (N, C, H, W), (C, O/groups, kh, kw), (O) → (N, O, out_h, out_w),
///   out = (in − 1) · stride − 2·padding + dilation·(kernel − 1) + output_padding + 1
///   dx = conv2d(dy, weight)
Tensor conv_transpose2d(const Arg& x, const Arg& weight, const Tensor& bias = {},
                        const ConvTranspose2dOptions& options = {});
/// The same over one dimension: (N, C, L), (C, O/groups, k), (O) → (N, O, out).
Tensor conv_transpose1d(const Arg& x, const Arg& weight, const Tensor& bias = {},
                        const ConvTranspose1dOptions& options = {});
/// The largest element of each window. NaN counts as the largest. Of equal elements the first gets
/// the gradient.
Tensor max_pool2d(const Arg& x, Pair kernel, const MaxPool2dOptions& options = {});
Tensor max_pool1d(const Arg& x, int64_t kernel, const MaxPool1dOptions& options = {});
/// The mean of each window. Of images, like the ops after it, a product with small matrices: an
/// infinity or NaN spreads over its row and column (except with interpolate's "nearest").
Tensor avg_pool2d(const Arg& x, Pair kernel, const AvgPool2dOptions& options = {});
Tensor avg_pool1d(const Arg& x, int64_t kernel, const AvgPool1dOptions& options = {});
/// Means over out_h × out_w windows that share the image: from ⌊i·in/out⌋ to ⌈(i + 1)·in/out⌉.
Tensor adaptive_avg_pool2d(const Arg& x, Pair output_size);
Tensor adaptive_avg_pool1d(const Arg& x, int64_t output_size);
/// The image at another size, as torch.nn.functional.interpolate (recompute_scale_factor false).
/// (N, C, H, W) only, as there.
Tensor interpolate(const Arg& x, const InterpolateOptions& options);

// ----------------------------------------------------------------------------------------- fused
// One pass with hand-written backward kernels. Their reference forms in primitive ops, with which
// the tests compare them, are in ops/reference.h.

/// e^{x_i} / Σ_j e^{x_j} along `dim`.   dx = y · (dy − Σ dy · y)
Tensor softmax(const Arg& x, int64_t dim);
/// x − log Σ eˣ along `dim`.   dx = dy − softmax(x) · Σ dy
Tensor log_softmax(const Arg& x, int64_t dim);
/// (x − mean) / √(var + eps) · weight + bias over the last dimension (population variance); weight
/// and bias (C) may be undefined. Source: Ba et al. 2016.
Tensor layer_norm(const Arg& x, const Tensor& weight = {}, const Tensor& bias = {},
                  double eps = 1e-5);
/// x / √(mean(x²) + eps) · weight over the last dimension. Source: Zhang & Sennrich 2019.
Tensor rms_norm(const Arg& x, const Tensor& weight = {}, double eps = 1e-6);

/// −log softmax(logits)[target]: (N, C) and (N) i64, or (N, C, d…) and (N, d…), or (C) and ().
/// Or a floating target of the logits' shape, a probability for every class:
///   −Σ_c target_c · log softmax(logits)_c,  and `mean` divides the sum by the number of targets.
/// Formulas for weights and smoothing as torch.nn.functional.cross_entropy.
Tensor cross_entropy(const Arg& logits, const Tensor& target,
                     const CrossEntropyOptions& options = {});
/// −w · (t · log p + (1 − t) · log(1 − p)) of probabilities: see ops/loss/binary_cross_entropy.cpp.
Tensor binary_cross_entropy(const Arg& input, const Arg& target, const Tensor& weight = {},
                            Reduction reduction = Reduction::mean);
/// −log P(targets), summed over all alignments (Graves et al. 2006): see ops/loss/ctc.cpp.
Tensor ctc_loss(const Arg& log_probs, const Tensor& targets, const Tensor& input_lengths,
                const Tensor& target_lengths, int64_t blank = 0,
                Reduction reduction = Reduction::mean, bool zero_infinity = false);

/// Zeroes elements with probability p and scales the others by 1 / (1 − p); x itself if not
/// `training`. The mask is recomputed in backward, not stored.
Tensor dropout(const Arg& x, double p = 0.5, bool training = true,
               Generator& generator = default_generator());

/// softmax(q · kᵀ · scale + mask) · v: q (…, Tq, D), k (…, Tk, D), v (…, Tk, Dv) → (…, Tq, Dv);
/// leading dimensions broadcast. Source: Vaswani et al. 2017; as
/// torch.nn.functional.scaled_dot_product_attention.
/// `mask` broadcasts to (…, Tq, Tk): bool (true: may attend) or floating (added to the scores).
/// `is_causal`: query i sees keys 0 … i. `scale` defaults to 1/√D. dropout acts on the weights.
/// A row that may attend to nothing gives zeros, and zero gradients.
Tensor scaled_dot_product_attention(const Arg& q, const Arg& k, const Arg& v,
                                    const Tensor& mask = {}, double dropout_p = 0,
                                    bool is_causal = false, std::optional<double> scale = {},
                                    Generator& generator = default_generator());
/// Attention within a sliding window: scaled_dot_product_attention in which query i sees only the
/// keys of `window`. Time grows with T · (left + right), not with T². Source: Beltagy et al. 2020,
/// "Longformer: the long-document transformer".
Tensor local_attention(const Arg& q, const Arg& k, const Arg& v, const AttentionWindow& window,
                       const Tensor& mask = {}, double dropout_p = 0,
                       std::optional<double> scale = {},
                       Generator& generator = default_generator());

/// Rotates the pairs (x₁, x₂) of every row: y₁ = x₁·cos − x₂·sin, y₂ = x₂·cos + x₁·sin.
/// x (…, T, D), cos and sin (T, D/2), of x's dtype → (…, T, D). Pair d is (x[d], x[d + D/2]), or
/// (x[2d], x[2d + 1]) if `interleaved`. No gradient for cos and sin.
/// Source: Su et al. 2021, "RoFormer: enhanced transformer with rotary position embedding".
Tensor rotary_embedding(const Arg& x, const Tensor& cos, const Tensor& sin,
                        bool interleaved = false);

}  // namespace tarsier
