#include "autograd/base/parallel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <thread>
#include <vector>

#include "autograd/base/call_site.h"
#include "autograd/base/error.h"
#include "tests/threads.h"

namespace tarsier {
namespace {

TEST_CASE("parallel_for visits every index once, in chunks that do not depend on the threads") {
  for (int threads : {1, 2, 3, 8}) {
    const Threads scope(threads);
    for (int64_t n : {0, 1, 2, 7, 8, 9, 64, 1001}) {
      for (int64_t grain : {1, 3, 8, 1000, 5000}) {
        std::vector<int> visits(n, 0);
        std::atomic<int> chunks = 0;
        std::atomic<bool> aligned = true;
        parallel_for(n, grain, [&](int64_t begin, int64_t end) {
          ++chunks;
          const bool full = end - begin == grain || end == n;
          if (begin % grain != 0 || !full || begin >= end) aligned = false;
          for (int64_t i = begin; i < end; ++i) ++visits[i];
        });
        CAPTURE(threads);
        CAPTURE(n);
        CAPTURE(grain);
        CHECK(visits == std::vector<int>(n, 1));
        CHECK(chunks == (n + grain - 1) / grain);
        CHECK(aligned);
      }
    }
  }
}

TEST_CASE("parallel_for with a grain below 1 takes it as 1, and with n below 1 does nothing") {
  std::atomic<int> calls = 0;
  parallel_for(3, 0, [&](int64_t, int64_t) { ++calls; });
  CHECK(calls == 3);
  parallel_for(-5, 1, [&](int64_t, int64_t) { ++calls; });
  CHECK(calls == 3);
}

TEST_CASE("work of one grain stays on the calling thread") {
  const Threads scope(4);
  std::thread::id id;
  parallel_for(100, 100, [&](int64_t, int64_t) { id = std::this_thread::get_id(); });
  CHECK(id == std::this_thread::get_id());
}

TEST_CASE("the threads of the pool share the work") {
  const Threads scope(3);
  // Each chunk waits for three threads: the loop ends only if there are three.
  std::atomic<int> arrived = 0;
  parallel_for(3, 1, [&](int64_t, int64_t) {
    ++arrived;
    while (arrived < 3) std::this_thread::yield();
  });
  CHECK(arrived == 3);
}

TEST_CASE("a nested parallel_for runs on the thread that calls it") {
  const Threads scope(4);
  std::atomic<int> strays = 0;
  std::atomic<int64_t> total = 0;
  parallel_for(16, 1, [&](int64_t, int64_t) {
    const std::thread::id outer = std::this_thread::get_id();
    parallel_for(100, 10, [&](int64_t begin, int64_t end) {
      if (std::this_thread::get_id() != outer) ++strays;
      total += end - begin;
    });
  });
  CHECK(strays == 0);
  CHECK(total == 1600);
}

TEST_CASE("an exception in a body reaches the caller, and the pool keeps working") {
  for (int threads : {1, 2, 5}) {
    const Threads scope(threads);
    for (int repeat = 0; repeat < 20; ++repeat) {
      CHECK_THROWS_WITH_AS(parallel_for(50, 1,
                                        [](int64_t begin, int64_t) {
                                          if (begin % 7 == 3) throw std::runtime_error("broken");
                                        }),
                           "broken", std::runtime_error);
      std::atomic<int> calls = 0;
      parallel_for(50, 1, [&](int64_t, int64_t) { ++calls; });
      CHECK(calls == 50);
    }
  }
}

TEST_CASE("errors of the pool's threads name the line that called the op") {
  const Threads scope(2);
  const auto main_thread = std::this_thread::get_id();
  const SourceLine here = SourceLine::current();
  // Both threads must have arrived before one fails, so that it is the worker.
  std::atomic<int> arrived = 0;
  const auto fails_on_worker = [&](int64_t, int64_t) {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();
    if (std::this_thread::get_id() != main_thread) fail("op", "a wrong index");
  };
  {
    const CallSite site(here);
    CHECK_THROWS_WITH_AS(
        parallel_for(2, 1, fails_on_worker),
        concat("[op] a wrong index (called at ", here.file_name(), ":", here.line(), ")").c_str(),
        Error);
  }
  arrived = 0;  // outside of an op there is no line, also not the last one's
  CHECK_THROWS_WITH_AS(parallel_for(2, 1, fails_on_worker), "[op] a wrong index", Error);
}

TEST_CASE("results written by the workers are seen by the caller, job after job") {
  const Threads scope(4);
  std::vector<int64_t> values(64, 0);
  for (int64_t job = 0; job < 5000; ++job)
    parallel_for(64, 4, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) values[i] += job + i;
    });
  int64_t wrong = 0;
  for (int64_t i = 0; i < 64; ++i) wrong += values[i] != 5000 * 4999 / 2 + 5000 * i;
  CHECK(wrong == 0);
}

TEST_CASE("several threads of the program may call parallel_for at once") {
  const Threads scope(3);
  std::atomic<int64_t> total = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      for (int job = 0; job < 500; ++job)
        parallel_for(10, 1, [&](int64_t begin, int64_t) { total += begin; });
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(total == 4 * 500 * 45);
}

TEST_CASE("the number of threads may change while other threads of the program compute") {
  const Threads scope(3);
  std::atomic<int64_t> total = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 3; ++caller)
    callers.emplace_back([&] {
      for (int job = 0; job < 300; ++job)
        parallel_for(10, 1, [&](int64_t begin, int64_t) { total += begin; });
    });
  for (int change = 0; change < 100; ++change) set_num_threads(1 + change % 4);
  for (std::thread& caller : callers) caller.join();
  CHECK(total == 3 * 300 * 45);
}

TEST_CASE("set_num_threads reports what it accepts") {
  const int before = num_threads();
  CHECK_THROWS_AS(set_num_threads(0), Error);
  CHECK_THROWS_AS(set_num_threads(-3), Error);
  CHECK_THROWS_WITH_AS(set_num_threads(1025), "[set_num_threads] 1025 threads: use 1 to 1024",
                       Error);
  CHECK(num_threads() == before);
  const Threads scope(2);
  CHECK(num_threads() == 2);
  CHECK_THROWS_AS(parallel_for(4, 1, [](int64_t, int64_t) { set_num_threads(1); }), Error);
  CHECK(num_threads() == 2);
}

}  // namespace
}  // namespace tarsier
