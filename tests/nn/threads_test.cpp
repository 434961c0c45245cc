// One layer on several threads at once, as a server uses it.
#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "nn/nn.h"

namespace tarsier {
namespace {

/// Runs body(i) for i = 0 … 3, each on a thread of its own.
void on_threads(const std::function<void(int)>& body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

/// How many of 4 × 400 calls gave another answer than the same call on one thread. Lengths and
/// offsets keep changing, so that tables are made again and again.
template <class Call>
int wrong_answers(const Call& call) {
  constexpr int64_t lengths[] = {3, 300, 7, 400, 40, 290, 1, 350};
  std::vector<std::vector<double>> expected;
  const NoGrad guard;
  for (const int64_t T : lengths) expected.push_back(call(T, T % 5).to_vector());
  std::atomic<int> wrong = 0;
  on_threads([&](int thread) {
    const NoGrad no_grad;
    for (int i = 0; i < 400; ++i) {
      const auto at = static_cast<size_t>((i * 5 + thread * 3) % 8);
      const int64_t T = lengths[at];
      wrong += call(T, T % 5).to_vector() != expected[at] ? 1 : 0;
    }
  });
  return wrong;
}

TEST_CASE("layers with tables of positions give the same on several threads at once") {
  nn::RotaryEmbedding rotary(4);
  nn::SinusoidalPositions sinusoidal(4);
  rotary.eval();
  sinusoidal.eval();
  CHECK(wrong_answers([&](int64_t T, int64_t offset) {
          return rotary(ones({T, 4}), offset);
        }) == 0);
  CHECK(wrong_answers([&](int64_t T, int64_t offset) {
          return sinusoidal(ones({T, 4}), offset);
        }) == 0);
}

TEST_CASE("attention and an encoder give the same on several threads at once, also recording") {
  nn::GroupedQueryAttention attention(8, 4, 2, {.position = nn::PositionKind::rotary});
  nn::TransformerEncoder encoder(8, 2, 2);
  encoder.eval();
  const Tensor x = randn({1, 6, 8});
  const std::vector<double> expected[] = {attention(x).to_vector(), encoder(x).to_vector()};
  std::atomic<int> wrong = 0;
  on_threads([&](int thread) {
    const NoGrad maybe(thread % 2 == 0);
    for (int i = 0; i < 50; ++i) {
      wrong += attention(x).to_vector() != expected[0] ? 1 : 0;
      wrong += encoder(x).to_vector() != expected[1] ? 1 : 0;
    }
  });
  CHECK(wrong == 0);
}

TEST_CASE("threads that draw from one generator get different streams") {
  Generator generator(3);
  std::vector<std::vector<uint64_t>> streams(4);
  on_threads([&](int thread) {
    for (int i = 0; i < 1000; ++i)
      streams[static_cast<size_t>(thread)].push_back(generator.next().stream);
  });
  std::vector<bool> seen(4000);
  for (const auto& of_thread : streams)
    for (const uint64_t stream : of_thread) {
      REQUIRE(stream < 4000);
      CHECK_FALSE(seen[stream]);
      seen[stream] = true;
    }
}

}  // namespace
}  // namespace tarsier
