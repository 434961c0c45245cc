#include "zoo/data/sampler.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "autograd/base/error.h"

namespace tarsier::zoo {

std::vector<int64_t> permutation(int64_t n, RandomKey key) {
  std::vector<int64_t> out(static_cast<size_t>(n));
  std::iota(out.begin(), out.end(), int64_t{0});
  for (int64_t i = n - 1; i > 0; --i) {
    const double place =
        uniform<double>(key, static_cast<uint64_t>(i)) * static_cast<double>(i + 1);
    std::swap(out[static_cast<size_t>(i)], out[static_cast<size_t>(place)]);
  }
  return out;
}

BatchSampler::BatchSampler(std::vector<int64_t> lengths, BatchLimits limits, RandomKey key)
    : lengths_(std::move(lengths)), key_(key) {
  check(!lengths_.empty(), "data", "there are no examples to make batches of");
  check(limits.examples >= 0 && limits.tokens >= 0 && limits.examples + limits.tokens > 0, "data",
        "a batch is limited to ", limits.examples, " examples and ", limits.tokens,
        " tokens, but one of them must be positive, and the other positive or 0 (no limit)");
  check(limits.bucket >= 1, "data", "bucket is ", limits.bucket, ", but must be at least 1");
  for (size_t i = 0; i < lengths_.size(); ++i) {
    check(lengths_[i] >= 0, "data", "example ", i, " has length ", lengths_[i]);
    lengths_[i] = (lengths_[i] + limits.bucket - 1) / limits.bucket * limits.bucket;
  }
  std::vector<int64_t> ascending = lengths_;
  std::sort(ascending.begin(), ascending.end());
  cuts_.push_back(0);
  for (int64_t i = 0; i < examples(); ++i) {
    // Example i would be the longest of the open batch, so it alone determines the padding.
    const int64_t count = i - cuts_.back() + 1;
    const bool too_many = limits.examples > 0 && count > limits.examples;
    const bool too_long =
        limits.tokens > 0 && count * ascending[static_cast<size_t>(i)] > limits.tokens;
    if (count > 1 && (too_many || too_long)) cuts_.push_back(i);
  }
  cuts_.push_back(examples());
}

std::vector<int64_t> BatchSampler::sorted(const std::vector<int64_t>& tie) const {
  std::vector<int64_t> order = tie;
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return lengths_[static_cast<size_t>(a)] < lengths_[static_cast<size_t>(b)];
  });
  return order;
}

std::vector<int64_t> BatchSampler::batch(int64_t step) {
  check(step >= 1 && examples() > 0, "data", "there is no batch of step ", step, " of ", examples(),
        " examples: steps start at 1");
  if (epoch_of(step) != epoch_) {
    epoch_ = epoch_of(step);
    const uint64_t stream = key_.stream + 2 * static_cast<uint64_t>(epoch_);
    order_ = sorted(permutation(examples(), {key_.seed, stream}));
    batches_ = permutation(batches_per_epoch(), {key_.seed, stream + 1});
  }
  const auto b =
      static_cast<size_t>(batches_[static_cast<size_t>((step - 1) % batches_per_epoch())]);
  return {order_.begin() + cuts_[b], order_.begin() + cuts_[b + 1]};
}

std::vector<std::vector<int64_t>> BatchSampler::all() const {
  std::vector<int64_t> order(lengths_.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  order = sorted(order);
  std::vector<std::vector<int64_t>> out;
  for (size_t b = 0; b + 1 < cuts_.size(); ++b)
    out.emplace_back(order.begin() + cuts_[b], order.begin() + cuts_[b + 1]);
  return out;
}

std::vector<int64_t> lengths_of(const std::vector<std::vector<int32_t>>& rows) {
  std::vector<int64_t> lengths;
  for (const std::vector<int32_t>& row : rows) lengths.push_back(std::ssize(row));
  return lengths;
}

Tensor label_batch(const std::vector<int64_t>& labels, const std::vector<int64_t>& examples) {
  Tensor out = Tensor::empty({static_cast<int64_t>(examples.size())}, i64);
  int64_t* place = out.data<int64_t>();
  for (int64_t example : examples) {
    check(example >= 0 && example < static_cast<int64_t>(labels.size()), "data",
          "there is no label ", example, " among ", labels.size());
    *place++ = labels[static_cast<size_t>(example)];
  }
  return out;
}

namespace {

/// (B, T) for the rows, T at least 1.
Shape padded_shape(const std::vector<std::vector<int32_t>>& rows) {
  check(!rows.empty(), "data", "there are no rows to put into a batch");
  size_t longest = 1;
  for (const auto& row : rows) longest = std::max(longest, row.size());
  return {static_cast<int64_t>(rows.size()), static_cast<int64_t>(longest)};
}

}  // namespace

Tensor pad_rows(const std::vector<std::vector<int32_t>>& rows, int32_t padding) {
  Tensor out = Tensor::empty(padded_shape(rows), i64);
  int64_t* place = out.data<int64_t>();
  for (const auto& row : rows) {
    std::copy(row.begin(), row.end(), place);
    std::fill(place + row.size(), place + out.size(1), padding);
    place += out.size(1);
  }
  return out;
}

Tensor padding_mask(const std::vector<std::vector<int32_t>>& rows) {
  Tensor out = Tensor::empty(padded_shape(rows), DType::boolean);
  bool* place = out.data<bool>();
  for (const auto& row : rows) {
    std::fill(place, place + row.size(), false);
    std::fill(place + row.size(), place + out.size(1), true);
    place += out.size(1);
  }
  return out;
}

}  // namespace tarsier::zoo
