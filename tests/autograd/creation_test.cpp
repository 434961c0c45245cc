// Creation ops and their random streams.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "autograd/autograd.h"
#include "tests/numpy_random.h"
#include "tests/threads.h"

using namespace tarsier;

namespace {

using Values = std::vector<double>;

double mean_of(const Values& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}
/// The mean of xᵖ.
double moment(const Values& x, int p) {
  double total = 0;
  for (double v : x) total += std::pow(v, p);
  return total / static_cast<double>(x.size());
}

}  // namespace

TEST_CASE("constants and ranges") {
  CHECK(zeros({2, 2}).to_vector() == Values(4, 0));
  CHECK(full({3}, 2.5, f64).to_vector() == Values(3, 2.5));
  CHECK(full({2}, 7, i64).dtype() == i64);
  CHECK(ones({2}, boolean).to_vector<bool>() == std::vector<bool>{true, true});
  CHECK(scalar(3).shape() == Shape{});
  CHECK(arange(4).to_vector() == Values{0, 1, 2, 3});
  CHECK(arange(4).dtype() == i64);
  CHECK(arange(1, 2, 0.25, f64).to_vector() == Values{1, 1.25, 1.5, 1.75});
  CHECK(arange(5, 0, -2).to_vector() == Values{5, 3, 1});
  CHECK(arange(3, 3).numel() == 0);
  CHECK(linspace(0, 1, 5, f64).to_vector() == Values{0, 0.25, 0.5, 0.75, 1});
  CHECK(linspace(0, 0.3, 4, f64).to_vector().back() == 0.3);
  CHECK(linspace(2, 9, 1).to_vector() == Values{2});
  CHECK(linspace(2, 9, 0).numel() == 0);
  CHECK(eye(3).to_vector() == Values{1, 0, 0, 0, 1, 0, 0, 0, 1});
  CHECK(eye(0).shape() == Shape{0, 0});
  CHECK_THROWS_AS(arange(0, 5, 0), Error);
  CHECK_THROWS_AS(arange(0, 5, -1), Error);
  CHECK_THROWS_AS(arange(0, INFINITY), Error);
  CHECK_THROWS_AS(arange(0, 1, 0.25), Error);  // i64
  CHECK_THROWS_AS(linspace(0, 1, -1), Error);
  CHECK_THROWS_AS(zeros({-1}), Error);
  CHECK_THROWS_AS(full({1}, 0.5, i64), Error);
  CHECK_THROWS_AS(full({1}, std::nan(""), i64), Error);
}

TEST_CASE("literal values") {
  CHECK(tensor({1, 2, 3}).shape() == Shape{3});
  const Tensor x = tensor({{1, 2, 3}, {4, 5, 6}}, f64);
  CHECK(x.shape() == Shape{2, 3});
  CHECK(x.to_vector() == Values{1, 2, 3, 4, 5, 6});
  CHECK_THROWS_WITH(
      tensor({{1, 2}, {3}}),
      doctest::Contains("[tensor] row 1 has 1 values, the first has 2: rows must be equally long"));
  CHECK_THROWS_AS(tensor({1, 0.5}, i64), Error);
  CHECK(from_vector(std::vector<int64_t>{1, 2}, {2, 1}).dtype() == i64);
  CHECK(from_vector(std::vector<bool>{true, false}, {2}).to_vector() == Values{1, 0});
  CHECK_THROWS_AS(from_vector(std::vector<float>{1, 2, 3}, {2}), Error);
}

TEST_CASE("one-hot rows and triangles") {
  CHECK(one_hot(tensor({2, 0}, i64), 3).to_vector() == Values{0, 0, 1, 1, 0, 0});
  CHECK(one_hot(tensor({{1, 0}}, i64), 2).shape() == Shape{1, 2, 2});
  CHECK_THROWS_WITH(
      one_hot(tensor({0, 3}, i64), 3),
      doctest::Contains("[one_hot] index 3 at position 1 is not one of 3 classes: use 0 to 2"));
  CHECK_THROWS_AS(one_hot(tensor({-1}, i64), 3), Error);
  CHECK_THROWS_AS(one_hot(tensor({1}), 3), Error);
  CHECK(tril_mask(2, 3).to_vector() == Values{1, 0, 0, 1, 1, 0});
  CHECK(tril_mask(2, 2, -1).to_vector() == Values{0, 0, 1, 0});
  CHECK(triu_mask(2, 3, 1).to_vector() == Values{0, 1, 1, 0, 0, 1});
}

// ------------------------------------------------------------------------------------- random

TEST_CASE("Philox-4x32-10: the known answers of its authors (Random123, kat_vectors)") {
  using Words = std::array<uint32_t, 4>;
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const uint32_t all = 0xffffffff;
  CHECK(philox({all, all, all, all}, {all, all}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("numpy's legacy generator: np.random.seed(1); np.random.rand()") {
  NumpyRandom random(1);
  CHECK(random.rand() == 0.417022004702574);
  CHECK(random.rand() == 0.7203244934421581);
}

TEST_CASE("a generator's state can be saved and restored; every call takes the next stream") {
  Generator g(3);
  const auto first = rand({5}, f32, g).to_vector();
  const RandomKey state = g.state();
  const auto second = rand({5}, f32, g).to_vector();
  CHECK(first != second);
  g.set_state(state);
  CHECK(rand({5}, f32, g).to_vector() == second);
  g.manual_seed(3);
  CHECK(rand({5}, f32, g).to_vector() == first);
  g.manual_seed(4);
  CHECK(rand({5}, f32, g).to_vector() != first);
}

TEST_CASE("random tensors: the same at any number of threads, and at any size") {
  const Threads restore;
  for (DType dtype : {f32, f64}) {
    Generator a(9), b(9), c(9);
    set_num_threads(1);
    const auto rand1 = rand({50000}, dtype, a).to_vector(),
               randn1 = randn({50000}, dtype, a).to_vector();
    set_num_threads(4);
    CHECK(rand({50000}, dtype, b).to_vector() == rand1);
    CHECK(randn({50000}, dtype, b).to_vector() == randn1);
    const auto small = rand({777}, dtype, c).to_vector(),
               small_n = randn({777}, dtype, c).to_vector();
    CHECK(std::equal(small.begin(), small.end(), rand1.begin()));
    CHECK(std::equal(small_n.begin(), small_n.end(), randn1.begin()));
  }
}

// The bounds are five deviations of the statistic. Seeds are fixed, so the tests are deterministic.

TEST_CASE("rand is uniform in [0, 1)") {
  const int n = 200000;
  for (DType dtype : {f32, f64}) {
    Generator g(1);
    const Values x = rand({n}, dtype, g).to_vector();
    CHECK(*std::min_element(x.begin(), x.end()) >= 0);
    CHECK(*std::max_element(x.begin(), x.end()) < 1);
    CHECK(std::abs(mean_of(x) - 0.5) < 5 * std::sqrt(1.0 / 12 / n));
    int counts[10] = {};
    for (double v : x) ++counts[static_cast<int>(v * 10)];
    for (int count : counts) CHECK(std::abs(count - n / 10) < 5 * std::sqrt(n * 0.09));
    double neighbours = 0;  // correlation of successive numbers
    for (size_t i = 1; i < x.size(); ++i) neighbours += (x[i] - 0.5) * (x[i - 1] - 0.5);
    CHECK(std::abs(neighbours / n) < 5.0 / 12 / std::sqrt(n));
  }
}

TEST_CASE("randn is normal: moments, tails, no correlation of neighbours") {
  const int n = 200000;
  for (DType dtype : {f32, f64}) {
    Generator g(2);
    const Values x = randn({n}, dtype, g).to_vector();
    const double root = std::sqrt(n);
    CHECK(std::abs(moment(x, 1)) < 5 / root);
    CHECK(std::abs(moment(x, 2) - 1) < 5 * std::sqrt(2.0) / root);
    CHECK(std::abs(moment(x, 3)) < 5 * std::sqrt(15.0) / root);
    CHECK(std::abs(moment(x, 4) - 3) < 5 * std::sqrt(96.0) / root);
    const auto beyond = [&](double limit) {
      return static_cast<double>(
          std::count_if(x.begin(), x.end(), [=](double v) { return std::abs(v) > limit; }));
    };
    for (double limit : {0.5, 1.0, 2.0, 3.0}) {
      const double p = std::erfc(limit / std::sqrt(2.0));
      CHECK(std::abs(beyond(limit) - n * p) < 5 * std::sqrt(n * p * (1 - p)));
    }
    double halves = 0;  // r·cos θ and r·sin θ of one pair are 128 apart
    for (size_t i = 128; i < x.size(); ++i) halves += x[i] * x[i - 128];
    CHECK(std::abs(halves / n) < 5 / root);
  }
}

TEST_CASE("randint: every value of the range and no other") {
  Generator g(3);
  const auto x = randint(-2, 3, {50000}, g).to_vector<int64_t>();
  int64_t counts[5] = {};
  for (int64_t v : x) {
    REQUIRE((v >= -2 && v < 3));
    ++counts[v + 2];
  }
  for (int64_t count : counts)
    CHECK(std::abs(static_cast<double>(count) - 10000) < 5 * std::sqrt(8000.0));
  const int64_t low = std::numeric_limits<int64_t>::min(),
                high = std::numeric_limits<int64_t>::max();
  const auto wide = randint(low, high, {1000}, g).to_vector<int64_t>();
  CHECK(std::any_of(wide.begin(), wide.end(), [](int64_t v) { return v < -(int64_t(1) << 61); }));
  CHECK(std::any_of(wide.begin(), wide.end(), [](int64_t v) { return v > int64_t(1) << 61; }));
  CHECK(randint(5, 6, {3}, g).to_vector() == Values{5, 5, 5});
  CHECK_THROWS_AS(randint(3, 3, {1}, g), Error);
}

TEST_CASE("randperm: every order, equally often") {
  Generator g(4);
  CHECK(randperm(0, g).numel() == 0);
  const auto big = randperm(1000, g).to_vector<int64_t>();
  auto sorted = big;
  std::sort(sorted.begin(), sorted.end());
  for (int64_t i = 0; i < 1000; ++i) REQUIRE(sorted[static_cast<size_t>(i)] == i);
  CHECK(sorted != big);
  int counts[27] = {};
  const int n = 12000;
  for (int i = 0; i < n; ++i) {
    const auto p = randperm(3, g).to_vector<int64_t>();
    ++counts[p[0] * 9 + p[1] * 3 + p[2]];
  }
  const int orders[] = {5, 7, 11, 15, 19, 21};  // 012, 021, 102, 120, 201, 210
  for (int order : orders) CHECK(std::abs(counts[order] - n / 6) < 5 * std::sqrt(n * 5.0 / 36));
}

TEST_CASE("randperm: the exchanges of Fisher and Yates, each with its own random number") {
  Generator g(9);
  const RandomKey key = Generator(g).next();
  for (const int64_t n : {2, 256, 257, 1000}) {
    std::vector<int64_t> expected(static_cast<size_t>(n));
    std::iota(expected.begin(), expected.end(), int64_t{0});
    for (auto i = static_cast<uint32_t>(n - 1); i > 0; --i) {
      const auto words = philox({i, 0, static_cast<uint32_t>(key.stream), 0},
                                {static_cast<uint32_t>(key.seed), 0});
      const uint64_t bits = uint64_t(words[1]) << 32 | words[0];
      const auto j = static_cast<unsigned __int128>(bits) * (i + 1) >> 64;
      std::swap(expected[i], expected[static_cast<size_t>(j)]);
    }
    Generator again(9);
    CHECK(randperm(n, again).to_vector<int64_t>() == expected);
  }
}

TEST_CASE("random ops refuse other dtypes") {
  CHECK_THROWS_AS(rand({2}, i64), Error);
  CHECK_THROWS_AS(randn({2}, boolean), Error);
}
