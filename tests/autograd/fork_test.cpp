// Children of fork(): they have one thread, and a library with threads must still work.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include "autograd/autograd.h"
#include "autograd/base/parallel.h"
#include "tests/child.h"

namespace tarsier {
namespace {

/// Sets the number of threads for a scope, and gives the pool work, so that its workers exist.
struct Workers {
  explicit Workers(int n) : before(num_threads()) {
    set_num_threads(n);
    parallel_for(64, 1, [](int64_t, int64_t) {});
  }
  ~Workers() { set_num_threads(before); }
  int before;
};

/// A forward and a backward pass, large enough for several threads.
std::vector<double> gradient() {
  Generator generator(1);
  const Tensor x = randn({300, 200}, f32, generator).requires_grad_();
  sum(square(softmax(matmul(x, transpose(x, 0, 1)), -1))).backward();
  return x.grad().to_vector();
}

/// Ends only if three threads share the work.
void wait_for_three() {
  std::atomic<int> arrived = 0;
  parallel_for(3, 1, [&](int64_t, int64_t) {
    ++arrived;
    while (arrived < 3) std::this_thread::yield();
  });
}

TEST_CASE("a forked child makes its own workers, and ends like any process") {
  const Workers scope(3);
  const std::vector<double> expected = gradient();
  CHECK(in_child([] { return 0; }) == 0);
  CHECK(in_child([&] { return gradient() == expected ? 0 : 1; }) == 0);
  CHECK(in_child([] {
          wait_for_three();
          return num_threads() == 3 ? 0 : 1;
        }) == 0);
  CHECK(in_child([&] {
          set_num_threads(2);
          return gradient() == expected ? 0 : 1;
        }) == 0);
  // By exit(): with the pool never used, used, and changed.
  CHECK(in_child([]() -> int { std::exit(5); }) == 5);
  CHECK(in_child([]() -> int {
          wait_for_three();
          std::exit(6);
        }) == 6);
  CHECK(in_child([]() -> int {
          set_num_threads(8);
          gradient();
          std::exit(7);
        }) == 7);
  // A child of the child; and the parent continues with its workers.
  CHECK(in_child([] {
          wait_for_three();
          return in_child([] {
            wait_for_three();
            return 8;
          });
        }) == 8);
  wait_for_three();
  CHECK(gradient() == expected);
}

TEST_CASE(
    "a fork at any moment of what others compute and allocate leaves a child that can do so") {
  if (kSanitized) return;
  const Workers scope(3);
  std::atomic<bool> stop = false;
  std::vector<std::thread> busy;
  for (int i = 0; i < 3; ++i)
    busy.emplace_back([&] {
      while (!stop) {
        for (int n = 1; n < 200; ++n) zeros({n});
        if (memory_stats().current_bytes < 0) stop = true;
        parallel_for(64, 1, [](int64_t, int64_t) { zeros({3}); });
      }
    });
  int failed = 0;
  for (int i = 0; i < 150 && failed == 0; ++i)
    failed += in_child([] {
                for (int n = 1; n < 50; ++n) zeros({n});
                parallel_for(64, 1, [](int64_t, int64_t) { zeros({3}); });
                set_num_threads(2);
                return 0;
              }) != 0;
  stop = true;
  for (std::thread& thread : busy) thread.join();
  CHECK(failed == 0);
}

TEST_CASE("a body that forks and returns in the child gets an error there, and does not wait") {
  const Workers scope(2);
  const std::thread::id here = std::this_thread::get_id();
  std::atomic<int> arrived = 0;
  std::atomic<bool> forked = false;
  pid_t child = -1;
  bool error = false;
  try {
    parallel_for(2, 1, [&](int64_t, int64_t) {
      ++arrived;
      while (arrived < 2) std::this_thread::yield();
      if (std::this_thread::get_id() == here) {
        child = ::fork();
        if (child == 0) ::alarm(60);
        forked = child != 0;
      } else {
        while (!forked) std::this_thread::yield();
      }
    });
  } catch (const Error& e) {
    error = std::string(e.what()).find("forked inside a body") != std::string::npos;
  }
  if (child == 0) ::_exit(error ? 9 : 1);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 9);
  CHECK_FALSE(error);
}

TEST_CASE("if the system provides no threads, the caller computes alone") {
  const std::vector<double> expected = gradient();
  CHECK(in_child([&] {
          refuse_new_workers();
          set_num_threads(4);
          return gradient() == expected ? 0 : 1;
        }) == 0);
}

/// Made before the pool of threads, and therefore destroyed after it.
struct Late {
  bool computes = false;
  std::vector<double> expected;
  ~Late() {
    if (computes) ::_exit(gradient() == expected ? 10 : 1);
  }
} late;

TEST_CASE("objects destroyed after the pool at exit can still compute") {
  const Workers scope(3);
  CHECK(in_child([]() -> int {
          late.expected = gradient();
          late.computes = true;
          std::exit(1);
        }) == 10);
}

}  // namespace
}  // namespace tarsier
