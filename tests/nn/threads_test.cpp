// One layer on several threads at once, as in a server.
#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <thread>
#include <vector>

#include "nn/nn.h"

namespace tarsier {
namespace {

/// Runs body(i) for i = 0 … 3, each on a thread of its own, all at once.
void on_threads(const std::function<void(int)>& body) {
  std::vector<std::thread> threads;
  std::latch all(4);
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      all.arrive_and_wait();
      body(i);
    });
  for (std::thread& thread : threads) thread.join();
}

/// How many of 4 × 10,000 calls gave another result than the same call on one thread, or threw.
/// Half of the threads use distant positions, so that their tables do not serve the others.
template <class Call>
int wrong_answers(const Call& call) {
  const NoGrad guard;
  const auto offset = [](int thread, int i) { return int64_t{1000} * (thread % 2) + i % 7; };
  std::vector<double> expected[2][7];
  for (int thread = 0; thread < 2; ++thread)
    for (int i = 0; i < 7; ++i) expected[thread][i] = call(offset(thread, i)).to_vector();
  std::atomic<int> wrong = 0;
  on_threads([&](int thread) {
    const NoGrad no_grad;
    for (int i = 0; i < 10'000; ++i) try {
        wrong += call(offset(thread, i)).to_vector() != expected[thread % 2][i % 7] ? 1 : 0;
      } catch (const Error&) {
        ++wrong;
      }
  });
  return wrong;
}

TEST_CASE("layers with tables of positions give the same on several threads at once") {
  nn::RotaryEmbedding rotary(4);
  nn::SinusoidalPositions sinusoidal(4);
  rotary.eval();
  sinusoidal.eval();
  const Tensor x = ones({3, 4});
  CHECK(wrong_answers([&](int64_t offset) { return rotary(x, offset); }) == 0);
  CHECK(wrong_answers([&](int64_t offset) { return sinusoidal(x, offset); }) == 0);
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
