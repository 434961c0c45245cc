#include "zoo/data/batches.h"

#include <algorithm>

#include "autograd/base/error.h"

namespace tarsier::zoo {

TokenBatch TokenWindows::at(const std::vector<int64_t>& starts, int64_t length) const {
  const auto batch = static_cast<int64_t>(starts.size());
  TokenBatch out{Tensor::empty({batch, length}, i64), Tensor::empty({batch, length}, i64)};
  int64_t* inputs = out.inputs.data<int64_t>();
  int64_t* targets = out.targets.data<int64_t>();
  for (int64_t start : starts) {
    check(start >= 0 && start + length < size(), "data", "a window of ", length, " tokens at ",
          start, " needs one more after it, but there are ", size());
    const int32_t* tokens = tokens_.data() + start;
    for (int64_t t = 0; t < length; ++t) {
      *inputs++ = tokens[t];
      *targets++ = tokens[t + 1];
    }
  }
  return out;
}

void TokenWindows::for_each(int64_t length,
                            const std::function<void(const TokenBatch&)>& use) const {
  const int64_t targets = size() - 1, batch = std::max<int64_t>(1, 2048 / length);
  std::vector<int64_t> starts;
  for (int64_t start = 0; start + length <= targets; start += length) {
    starts.push_back(start);
    if (static_cast<int64_t>(starts.size()) < batch) continue;
    use(at(starts, length));
    starts.clear();
  }
  if (!starts.empty()) use(at(starts, length));
  if (targets % length > 0) use(at({targets / length * length}, targets % length));
}

TokenBatch TokenWindows::training_batch(RandomKey key, int64_t step, int64_t batch,
                                        int64_t length) const {
  const int64_t places = size() - length;  // starts at which a window and its last target fit
  check(places > 0, "data", "a window of ", length,
        " tokens needs one more after it, but there are ", size());
  std::vector<int64_t> starts;
  for (int64_t b = 0; b < batch; ++b) {
    const auto number = static_cast<uint64_t>((step - 1) * batch + b);
    starts.push_back(
        static_cast<int64_t>(uniform<double>(key, number) * static_cast<double>(places)));
  }
  return at(starts, length);
}

}  // namespace tarsier::zoo
