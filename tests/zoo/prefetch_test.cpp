// Results made ahead on a second thread.
#include "zoo/data/prefetch.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "autograd/base/random.h"
#include "tests/child.h"
#include "tests/error_of.h"
#include "zoo/data/batches.h"

namespace tarsier::zoo {
namespace {

TEST_CASE("results come in order, each once, made on another thread") {
  for (int64_t depth : {1, 2, 7}) {
    std::atomic<int> calls{0};
    std::atomic<bool> elsewhere{true};
    const std::thread::id here = std::this_thread::get_id();
    Prefetch<std::string> prefetch(
        [&](int64_t i) {
          ++calls;
          if (std::this_thread::get_id() == here) elsewhere = false;
          return std::to_string(i * i);
        },
        5, 104, depth);
    for (int64_t i = 5; i <= 104; ++i) CHECK(prefetch.next() == std::to_string(i * i));
    CHECK(calls == 100);
    CHECK(elsewhere);
    CHECK(error_of([&] { prefetch.next(); }) ==
          "[prefetch] all results up to number 104 were taken");
  }
}

TEST_CASE("no more is made ahead than requested") {
  std::atomic<int64_t> made{0};
  int64_t taken = 0;
  Prefetch<int64_t> prefetch([&](int64_t i) { return made = i; }, 1, 1000, 3);
  for (; taken < 100; ++taken) {
    prefetch.next();
    // Three wait, and another one may be in progress while the fourth is taken.
    CHECK(made <= taken + 1 + 3 + 1);
  }
}

TEST_CASE("an exception of make comes in place of its result, and stays") {
  Prefetch<int> prefetch(
      [](int64_t i) -> int {
        if (i == 3) throw std::out_of_range("three");
        return static_cast<int>(i);
      },
      1, 10);
  CHECK(prefetch.next() == 1);
  CHECK(prefetch.next() == 2);
  CHECK_THROWS_WITH_AS(prefetch.next(), "three", std::out_of_range);
  CHECK_THROWS_WITH_AS(prefetch.next(), "three", std::out_of_range);
}

TEST_CASE("it can be destroyed at any time, full, failed or never used") {
  for (int64_t taken : {0, 1, 5}) {
    Prefetch<std::vector<int>> prefetch([](int64_t) { return std::vector<int>(1000, 1); }, 1,
                                        1'000'000'000, 2);
    for (int64_t i = 0; i < taken; ++i) prefetch.next();
  }
  Prefetch<int> failing([](int64_t) -> int { throw std::out_of_range("x"); }, 1, 5);
  Prefetch<int> empty([](int64_t) { return 1; }, 1, 0);
  CHECK_THROWS_AS(empty.next(), Error);
  CHECK_THROWS_AS(Prefetch<int>([](int64_t) { return 1; }, 1, 5, 0), Error);
}

TEST_CASE("results need not be copied, and need no default") {
  struct Result {
    explicit Result(int64_t value) : value(std::make_unique<int64_t>(value)) {}
    std::unique_ptr<int64_t> value;
  };
  Prefetch<Result> prefetch([](int64_t i) { return Result(i); }, 1, 3);
  CHECK(*prefetch.next().value == 1);
  CHECK(*prefetch.next().value == 2);
}

TEST_CASE("without threads of the system, next() makes each result itself") {
  CHECK(in_child([] {
          refuse_new_workers();
          Prefetch<int64_t> prefetch(
              [](int64_t i) {
                if (i == 8) throw std::out_of_range("eight");
                return i * i;
              },
              3, 10);
          if (prefetch.has_thread()) return 1;
          for (int64_t i = 3; i < 8; ++i)
            if (prefetch.next() != i * i) return 2;
          for (int again = 0; again < 2; ++again) {
            try {
              prefetch.next();
              return 3;
            } catch (const std::out_of_range&) {
            }
          }
          return 0;
        }) == 0);
}

TEST_CASE("a forked child continues on its own, wherever its parent was") {
  if (kSanitized) return;
  for (int round = 0; round < 60; round += 3) {
    auto prefetch = std::make_unique<Prefetch<std::string>>(
        [](int64_t i) { return std::string(1000, static_cast<char>('a' + i % 26)); }, 1, 100, 3);
    const auto next_is = [&](int64_t i) { return prefetch->next()[999] == 'a' + i % 26; };
    for (int64_t i = 1; i <= round; ++i) CHECK(next_is(i));
    CHECK(in_child([&] {
            for (int64_t i = round + 1; i <= 100; ++i)
              if (!next_is(i)) return 1;
            prefetch.reset();
            return 0;
          }) == 0);
    CHECK(prefetch->has_thread());
    CHECK(next_is(round + 1));
  }
}

TEST_CASE("batches are the same with and without prefetching") {
  std::vector<int32_t> tokens(500);
  std::iota(tokens.begin(), tokens.end(), 0);
  const TokenWindows windows(tokens);
  const auto make = [&](int64_t step) { return windows.training_batch({7, 1}, step, 4, 9); };
  Prefetch<TokenBatch> prefetch(make, 11, 40);
  for (int64_t step = 11; step <= 40; ++step)
    CHECK(prefetch.next().inputs.to_vector<int64_t>() == make(step).inputs.to_vector<int64_t>());
}

}  // namespace
}  // namespace tarsier::zoo
