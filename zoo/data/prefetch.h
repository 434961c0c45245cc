#pragma once
// Makes batches on a second thread while the model trains on the one before.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

#include "../../autograd/error.h"

namespace tarsier::zoo {

/// Calls make(first), make(first + 1), …, make(last) on a thread of its own, and hands the results
/// out in this order. At most `depth` results wait to be taken; then the thread pauses.
///
///   Prefetch<TokenBatch> batches([&](int64_t step) { return windows.training_batch(…, step, …); },
///                                start, recipe.steps);
///   for (int64_t step = start; step <= recipe.steps; ++step) train_on(batches.next());
///
/// Where make(i) is a function of i alone, as batches are here, it makes no difference to what
/// comes out whether and how far the thread is ahead: runs stay the same to the bit, and resuming
/// exact.
///
/// `make` and all that it uses belong to the thread until the Prefetch is destroyed. It may make
/// tensors, but should leave parallel_for to the model, which waits for it otherwise.
template <class T>
class Prefetch {
 public:
  /// Starts at once. Throws Error("prefetch") for a depth below 1.
  Prefetch(std::function<T(int64_t)> make, int64_t first, int64_t last, int64_t depth = 2)
      : make_(std::move(make)), next_(first), last_(last), depth_(depth) {
    check(depth >= 1, "prefetch", "depth is ", depth, ", but must be at least 1");
    thread_ = std::jthread([this, first](const std::stop_token& stop) { run(stop, first); });
  }

  /// Stops the thread; waits for the call of `make` that is running.
  ~Prefetch() {
    thread_.request_stop();
    thread_.join();
  }
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;

  /// The next result; waits until it is there. What make(i) throws is thrown here in the place of
  /// its result, and again by every later call. Throws Error("prefetch") after the last. One thread
  /// may call it.
  T next() {
    check(next_ <= last_, "prefetch", "all results up to number ", last_, " were taken");
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !ready_.empty() || failure_ != nullptr; });
    if (ready_.empty()) std::rethrow_exception(failure_);
    T result = std::move(ready_.front());
    ready_.pop_front();
    ++next_;
    lock.unlock();
    changed_.notify_all();
    return result;
  }

 private:
  void run(const std::stop_token& stop, int64_t first) {
    for (int64_t i = first; i <= last_; ++i) {
      std::optional<T> result;
      std::exception_ptr failure;
      try {
        result.emplace(make_(i));
      } catch (...) {
        failure = std::current_exception();
      }
      std::unique_lock lock(mutex_);
      if (failure != nullptr) {
        failure_ = failure;
      } else {
        // wait() also ends, with false, when a stop is asked for.
        const auto has_room = [&] { return static_cast<int64_t>(ready_.size()) < depth_; };
        if (!changed_.wait(lock, stop, has_room)) return;
        ready_.push_back(std::move(*result));
      }
      lock.unlock();
      changed_.notify_all();
      if (failure != nullptr || stop.stop_requested()) return;
    }
  }

  const std::function<T(int64_t)> make_;
  int64_t next_;  // number of the result that next() gives
  const int64_t last_, depth_;
  std::mutex mutex_;  // of what follows
  std::condition_variable_any changed_;
  std::deque<T> ready_;
  std::exception_ptr failure_;
  std::jthread thread_;  // last, so that it ends before what it uses
};

}  // namespace tarsier::zoo
