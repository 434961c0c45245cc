#pragma once
// Makes batches on a second thread while the model trains.

#include <unistd.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "../../autograd/base/error.h"

namespace tarsier::zoo {

/// Calls make(first), make(first + 1), …, make(last) on a thread of its own, and hands the results
/// out in this order. At most `depth` results wait to be taken; then the thread pauses.
///
///   Prefetch<TokenBatch> batches([&](int64_t step) { return windows.training_batch(…, step, …); },
///                                start, recipe.steps);
///   for (int64_t step = start; step <= recipe.steps; ++step) train_on(batches.next());
///
/// If make(i) depends only on i, as for the batches here, the results do not depend on whether and
/// how far the thread is ahead: runs stay the same to the bit, and resuming is exact.
///
/// `make` and all that it uses belong to the thread until the Prefetch is destroyed. It may make
/// tensors, but should leave parallel_for to the model, which otherwise waits for it.
///
/// If the system provides no thread, and in a child of fork(), which has none, next() makes each
/// result itself: slower, with the same results.
template <class T>
class Prefetch {
 public:
  /// Starts immediately. Throws Error("prefetch") for a depth below 1.
  Prefetch(std::function<T(int64_t)> make, int64_t first, int64_t last, int64_t depth = 2)
      : next_(first), last_(last), ahead_(std::make_unique<Ahead>(std::move(make))) {
    check(depth >= 1, "prefetch", "depth is ", depth, ", but must be at least 1");
    try {
      ahead_->thread = std::thread(
          [ahead = ahead_.get(), first, last, depth] { ahead->run(first, last, depth); });
      process_ = ::getpid();
    } catch (const std::exception&) {
      // No thread, or no memory for one.
    }
  }

  /// Stops the thread; waits for the call of `make` that is running.
  ~Prefetch() {
    // In a child the parent's thread cannot be joined, nor what it may wait on be destroyed.
    if (process_ != 0 && !has_thread()) static_cast<void>(ahead_.release());
  }
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;

  /// The next result; waits until it is there. What make(i) throws is thrown here in place of its
  /// result, and again by every later call. Throws Error("prefetch") after the last. Only one
  /// thread may call it.
  T next() {
    check(next_ <= last_, "prefetch", "all results up to number ", last_, " were taken");
    if (!has_thread()) {
      T result = ahead_->make(next_);
      ++next_;
      return result;
    }
    T result = ahead_->take();
    ++next_;
    return result;
  }

  /// Whether results are made ahead.
  bool has_thread() const { return process_ == ::getpid(); }

 private:
  /// The state of the thread.
  struct Ahead {
    explicit Ahead(std::function<T(int64_t)> f) : make(std::move(f)) {}
    // Not a std::jthread, which libc++ has only since version 20.
    ~Ahead() {
      if (!thread.joinable()) return;
      {
        const std::lock_guard lock(mutex);
        stopped = true;
      }
      changed.notify_all();
      thread.join();
    }
    Ahead(const Ahead&) = delete;
    Ahead& operator=(const Ahead&) = delete;

    T take() {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return !ready.empty() || failure != nullptr; });
      if (ready.empty()) std::rethrow_exception(failure);
      T result = std::move(ready.front());
      ready.pop_front();
      lock.unlock();
      changed.notify_all();
      return result;
    }

    void run(int64_t first, int64_t last, int64_t depth) {
      for (int64_t i = first; i <= last; ++i) {
        std::optional<T> result;
        std::exception_ptr problem;
        try {
          result.emplace(make(i));
        } catch (...) {
          problem = std::current_exception();
        }
        std::unique_lock lock(mutex);
        if (problem != nullptr) {
          failure = problem;
        } else {
          const auto has_room = [&] { return static_cast<int64_t>(ready.size()) < depth; };
          changed.wait(lock, [&] { return stopped || has_room(); });
          if (stopped) return;
          ready.push_back(std::move(*result));
        }
        lock.unlock();
        changed.notify_all();
        if (problem != nullptr) return;
      }
    }

    const std::function<T(int64_t)> make;
    std::mutex mutex;  // of the next four
    std::condition_variable changed;
    std::deque<T> ready;
    std::exception_ptr failure;
    bool stopped = false;
    std::thread thread;
  };

  int64_t next_;  // number of the result that next() gives
  const int64_t last_;
  std::unique_ptr<Ahead> ahead_;
  pid_t process_ = 0;  // that has the thread; 0: none
};

}  // namespace tarsier::zoo
