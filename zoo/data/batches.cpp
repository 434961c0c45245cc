#include "zoo/data/batches.h"

#include <algorithm>

#include "autograd/error.h"

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

const std::vector<int64_t>& TokenWindows::epoch_starts(RandomKey key, int64_t epoch,
                                                       int64_t length) const {
  const std::array<uint64_t, 4> wanted = {key.seed, key.stream, static_cast<uint64_t>(epoch),
                                          static_cast<uint64_t>(length)};
  if (!epoch_.empty() && wanted == epoch_key_) return epoch_;
  epoch_key_ = wanted;
  const RandomKey random{key.seed, key.stream + static_cast<uint64_t>(epoch)};
  const auto draw = [&](int64_t index, int64_t limit) {  // uniform in [0, limit)
    return static_cast<int64_t>(uniform<double>(random, static_cast<uint64_t>(index)) *
                                static_cast<double>(limit));
  };
  const int64_t count = windows_per_epoch(length);
  const int64_t shift = draw(count, std::min(length, size() - count * length));
  epoch_.resize(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) epoch_[static_cast<size_t>(i)] = shift + i * length;
  for (int64_t i = count - 1; i > 0; --i)  // Fisher and Yates
    std::swap(epoch_[static_cast<size_t>(i)], epoch_[static_cast<size_t>(draw(i, i + 1))]);
  return epoch_;
}

TokenBatch TokenWindows::training_batch(RandomKey key, int64_t step, int64_t batch,
                                        int64_t length) const {
  check(size() > length, "data", "a window of ", length,
        " tokens needs one more after it, but there are ", size());
  const int64_t count = windows_per_epoch(length);
  std::vector<int64_t> starts;
  for (int64_t b = 0; b < batch; ++b) {
    const int64_t number = (step - 1) * batch + b;
    const std::vector<int64_t>& epoch = epoch_starts(key, number / count, length);
    starts.push_back(epoch[static_cast<size_t>(number % count)]);
  }
  return at(starts, length);
}

}  // namespace tarsier::zoo
