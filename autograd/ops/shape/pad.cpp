// Padding with the elements of the tensor itself.
#include <algorithm>
#include <string_view>

#include "autograd/ops.h"

namespace tarsier {
namespace {

enum class Mode { reflect, replicate, circular };

/// The index of the element at position i of the padded row; position 0 is the first of x.
int64_t source_of(Mode mode, int64_t i, int64_t n) {
  switch (mode) {
    case Mode::reflect:
      return i < 0 ? -i : i < n ? i : 2 * (n - 1) - i;
    case Mode::replicate:
      return std::clamp<int64_t>(i, 0, n - 1);
    default:
      return i < 0 ? i + n : i < n ? i : i - n;
  }
}

/// x padded along dimension d, by index_select.
Tensor padded_along(const Arg& x, Mode mode, std::string_view name, int d, int64_t left,
                    int64_t right) {
  const int64_t n = x.shape()[d], most = std::max(left, right);
  constexpr int64_t kMost = int64_t{1} << 60;
  check(left >= -kMost && right >= -kMost && most <= kMost, "pad", "padding by ", left, " and ",
        right, ": use ", -kMost, " to ", kMost);
  const int64_t limit = mode == Mode::reflect ? n - 1 : mode == Mode::circular ? n : kMost;
  check(most <= 0 || (n > 0 && most <= limit), "pad", "padding by ", left, " and ", right,
        " of dimension ", d, " in shape ", x.shape(), ": '", name, "' needs ",
        n == 0 ? "an element to repeat there"
               : concat("at most ", limit,
                        mode == Mode::reflect ? ", because the edge is not repeated" : ""));
  check(left + right >= -n && left >= -n && right >= -n, "pad",
        "negative padding cuts more than there is: dimension ", d, " of shape ", x.shape(),
        " would get size ", n + left + right);
  if (mode == Mode::circular && std::min(left, right) < 0) {  // wraps around what is left
    const int64_t start = std::max<int64_t>(-left, 0), end = n - std::max<int64_t>(-right, 0);
    return padded_along(slice(x, d, start, end), mode, name, d, std::max<int64_t>(left, 0),
                        std::max<int64_t>(right, 0));
  }
  const Tensor index = Tensor::empty({n + left + right}, i64);
  int64_t* entries = index.data<int64_t>();
  for (int64_t i = 0; i < index.numel(); ++i) entries[i] = source_of(mode, i - left, n);
  return index_select(x, d, index);
}

}  // namespace

/// Composed of index_select, which has a gradient.
Tensor pad(const Arg& x, const std::vector<int64_t>& padding, std::string_view mode, double value) {
  if (mode == "constant") return pad(x, padding, value);
  const CallScope here(x.at);
  check(mode == "reflect" || mode == "replicate" || mode == "circular", "pad", "mode '", mode,
        "': use 'constant', 'reflect', 'replicate' or 'circular'");
  check(value == 0, "pad", "value ", value, " with mode '", mode,
        "': only 'constant' fills with a value");
  check(padding.size() % 2 == 0 && static_cast<int>(padding.size()) <= 2 * x.dim(), "pad",
        padding.size(), " numbers for a tensor of shape ", x.shape(),
        ": give a left and a right one for each of the last dimensions");
  const Mode how = mode == "reflect"     ? Mode::reflect
                   : mode == "replicate" ? Mode::replicate
                                         : Mode::circular;
  Tensor y = x;
  for (size_t i = 0; i < padding.size(); i += 2) {
    const int d = x.dim() - 1 - static_cast<int>(i / 2);
    if (padding[i] != 0 || padding[i + 1] != 0)
      y = padded_along(y, how, mode, d, padding[i], padding[i + 1]);
  }
  return y.impl() == x.impl() ? clone(x) : y;
}

}  // namespace tarsier
