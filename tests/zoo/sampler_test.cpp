// Shuffles, batches of similar length, padding.
#include "zoo/data/sampler.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/error_of.h"

namespace tarsier::zoo {
namespace {

TEST_CASE("a permutation has every number once, and every order is equally likely") {
  CHECK(permutation(0, {1, 2}).empty());
  CHECK(permutation(1, {1, 2}) == std::vector<int64_t>{0});
  std::vector<int64_t> hundred = permutation(100, {1, 2});
  CHECK(hundred == permutation(100, {1, 2}));
  CHECK(hundred != permutation(100, {1, 3}));
  CHECK(hundred != permutation(100, {2, 2}));
  std::sort(hundred.begin(), hundred.end());
  for (int64_t i = 0; i < 100; ++i) CHECK(hundred[static_cast<size_t>(i)] == i);

  std::map<std::vector<int64_t>, int> counts;
  for (uint64_t stream = 0; stream < 6000; ++stream) ++counts[permutation(3, {7, stream})];
  CHECK(counts.size() == 6);
  // Each of 6 is drawn 1000 times; five standard deviations are 5·√(6000·1/6·5/6) = 144.
  for (const auto& [order, count] : counts) CHECK(std::abs(count - 1000) < 144);
}

/// Lengths 1, 2, …, 10, 1, 2, … of `n` examples.
std::vector<int64_t> some_lengths(int64_t n) {
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < n; ++i) lengths.push_back(1 + i % 10);
  return lengths;
}

TEST_CASE("an epoch has every example in one batch, of similar length and within the limits") {
  const std::vector<int64_t> lengths = some_lengths(103);
  for (const BatchLimits limits :
       {BatchLimits{.examples = 8}, BatchLimits{.tokens = 40},
        BatchLimits{.examples = 5, .tokens = 30}, BatchLimits{.examples = 8, .bucket = 4}}) {
    CAPTURE(limits.examples);
    CAPTURE(limits.tokens);
    BatchSampler sampler(lengths, limits, {1, 100});
    std::vector<std::vector<int64_t>> batches;
    for (int64_t step = 1; step <= sampler.batches_per_epoch(); ++step) {
      CHECK(sampler.epoch_of(step) == 0);
      batches.push_back(sampler.batch(step));
    }
    CHECK(sampler.epoch_of(sampler.batches_per_epoch() + 1) == 1);
    std::multiset<int64_t> seen;
    std::vector<std::pair<int64_t, int64_t>> ranges;  // shortest and longest of each batch
    for (const auto& batch : batches) {
      REQUIRE(!batch.empty());
      std::vector<int64_t> here;
      for (int64_t example : batch) {
        seen.insert(example);
        here.push_back(lengths[static_cast<size_t>(example)]);
      }
      const auto [low, high] = std::minmax_element(here.begin(), here.end());
      ranges.emplace_back(*low, *high);
      const auto size = static_cast<int64_t>(batch.size());
      if (limits.examples > 0) CHECK(size <= limits.examples);
      if (limits.tokens > 0) CHECK(size * *high <= limits.tokens);
    }
    CHECK(seen.size() == 103);
    CHECK(std::set<int64_t>(seen.begin(), seen.end()).size() == 103);
    // The lengths of batches do not overlap, up to the width of a bucket.
    std::sort(ranges.begin(), ranges.end());
    if (limits.bucket == 1)
      for (size_t i = 1; i < ranges.size(); ++i) CHECK(ranges[i - 1].second <= ranges[i].first);
    // No two neighbouring batches could have been merged.
    const auto all = sampler.all();
    CHECK(all.size() == batches.size());
    if (limits.bucket == 1 && limits.tokens > 0)
      for (size_t i = 1; i < all.size(); ++i) {
        const auto size = static_cast<int64_t>(all[i - 1].size());
        const int64_t next = lengths[static_cast<size_t>(all[i][0])];
        CHECK(((size + 1) * next > limits.tokens || size == limits.examples));
      }
  }
}

TEST_CASE("the batch of a step does not depend on the steps before") {
  const BatchLimits limits{.examples = 4};
  BatchSampler walked(some_lengths(50), limits, {9, 0}), jumped(some_lengths(50), limits, {9, 0});
  std::vector<std::vector<int64_t>> batches;
  for (int64_t step = 1; step <= 60; ++step) batches.push_back(walked.batch(step));
  for (int64_t step : {60, 1, 37, 14, 13, 60})
    CHECK(jumped.batch(step) == batches[static_cast<size_t>(step - 1)]);
}

TEST_CASE("epochs and seeds differ in the order of batches and in what is in them") {
  BatchSampler sampler(some_lengths(200), {.examples = 10}, {9, 0});
  BatchSampler other(some_lengths(200), {.examples = 10}, {10, 0});
  const auto epoch = [](BatchSampler& from, int64_t number) {
    std::vector<std::vector<int64_t>> out;
    for (int64_t step = 1; step <= 20; ++step) out.push_back(from.batch(20 * number + step));
    return out;
  };
  auto first = epoch(sampler, 0), second = epoch(sampler, 1), third = epoch(other, 0);
  CHECK(first != second);
  CHECK(first != third);
  for (auto* batches : {&first, &second, &third}) {
    for (auto& batch : *batches) std::sort(batch.begin(), batch.end());
    std::sort(batches->begin(), batches->end());
  }
  CHECK(first != second);
  CHECK(first != third);
}

TEST_CASE("with equal lengths the batches are those of a plain shuffle") {
  BatchSampler sampler(std::vector<int64_t>(10, 1), {.examples = 4}, {3, 0});
  CHECK(sampler.batches_per_epoch() == 3);
  CHECK(sampler.all() == std::vector<std::vector<int64_t>>{{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9}});
  std::set<std::set<int64_t>> seen;
  for (int64_t step = 1; step <= 300; ++step) {
    const auto batch = sampler.batch(step);
    if (batch.size() == 4) seen.insert({batch.begin(), batch.end()});
  }
  CHECK(seen.size() > 100);  // of 210 ways to choose 4 of 10
}

TEST_CASE("an example above the limit is a batch of its own, and length 0 is allowed") {
  BatchSampler sampler({50, 0, 3}, {.tokens = 10}, {1, 0});
  CHECK(sampler.all() == std::vector<std::vector<int64_t>>{{1, 2}, {0}});
}

TEST_CASE("impossible batches are errors") {
  CHECK(error_of([] { BatchSampler({}, {.examples = 1}, {}); }) ==
        "[data] there are no examples to make batches of");
  CHECK(error_of([] { BatchSampler({1}, {}, {}); }).find("one of them must be positive") !=
        std::string::npos);
  CHECK_THROWS_AS(BatchSampler({1}, {.examples = -1, .tokens = 5}, {}), Error);
  CHECK_THROWS_AS(BatchSampler({1}, {.examples = 1, .bucket = 0}, {}), Error);
  CHECK(error_of([] {
          BatchSampler({1, -4}, {.examples = 1}, {});
        }) == "[data] example 1 has length -4");
  BatchSampler sampler({1}, {.examples = 1}, {});
  CHECK_THROWS_AS(sampler.batch(0), Error);
  BatchSampler nothing;
  CHECK_THROWS_AS(nothing.batch(1), Error);
  CHECK(nothing.all().empty());
}

TEST_CASE("rows are padded to the longest, and the mask says where") {
  const std::vector<std::vector<int32_t>> rows = {{5, 6, 7}, {}, {8}};
  const Tensor padded = pad_rows(rows, 9);
  CHECK(padded.shape() == Shape{3, 3});
  CHECK(padded.to_vector<int64_t>() == std::vector<int64_t>{5, 6, 7, 9, 9, 9, 8, 9, 9});
  const Tensor mask = padding_mask(rows);
  CHECK(mask.dtype() == boolean);
  CHECK(mask.to_vector<int>() == std::vector<int>{0, 0, 0, 1, 1, 1, 0, 1, 1});
  CHECK(pad_rows({{}, {}}, 1).shape() == Shape{2, 1});
  CHECK_THROWS_AS(pad_rows({}, 0), Error);
}

}  // namespace
}  // namespace tarsier::zoo
