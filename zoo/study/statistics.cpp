// What a page says about all elements of a tensor, and the copies that a recording keeps.
#include <algorithm>
#include <cmath>

#include "autograd/loops/copy.h"
#include "autograd/tape/observer.h"
#include "autograd/tape/tape.h"
#include "zoo/study/recording.h"

namespace tarsier::study {
namespace {

/// The mean is computed first: a variance from sums of squares would lose its digits.
template <class T>
Statistics statistics_of(const T* x, int64_t count) {
  Statistics s;
  double sum = 0, squares = 0;
  int64_t finite = 0, zeros = 0;
  for (int64_t i = 0; i < count; ++i) {
    const double v = static_cast<double>(x[i]);
    s.nan += std::isnan(v);
    s.infinite += std::isinf(v);
    zeros += v == 0;
    if (!std::isfinite(v)) continue;
    s.min = finite ? std::min(s.min, v) : v;
    s.max = finite ? std::max(s.max, v) : v;
    sum += v;
    squares += v * v;
    ++finite;
  }
  if (count > 0) s.zeros = static_cast<double>(zeros) / static_cast<double>(count);
  if (finite == 0) return s;
  s.mean = sum / static_cast<double>(finite);
  s.norm = std::sqrt(squares);
  double spread = 0;
  for (int64_t i = 0; i < count; ++i) {
    const double v = static_cast<double>(x[i]);
    if (std::isfinite(v)) spread += (v - s.mean) * (v - s.mean);
  }
  s.deviation = std::sqrt(spread / static_cast<double>(finite));
  return s;
}

}  // namespace

Statistics statistics(const Tensor& x) {
  const Tensor elements = x.is_contiguous() ? x : contiguous_copy(x);
  return dispatch_all(elements.dtype(), [&]<class T>() {
    return statistics_of(elements.data<T>(), elements.numel());
  });
}

int Recording::add_tensor(const Tensor& x) {
  if (!x.defined()) return -1;
  const ObserverScope nobody(nullptr);
  tensors.push_back({no_grad([&] { return contiguous_copy(x); })});
  return static_cast<int>(tensors.size()) - 1;
}

}  // namespace tarsier::study
