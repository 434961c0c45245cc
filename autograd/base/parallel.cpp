// The thread pool of parallel_for.
//
// One job at a time. Its chunks are claimed by counting `unclaimed_` down; a thread that
// succeeds holds the job open until it has counted `unfinished_` down as well, so the description
// of the job (body_, n_, grain_) cannot change under it. A late worker finds unclaimed_ == 0 and
// does nothing.
//
// fork() copies the memory of a process and, of its threads, only the calling one. So a child
// starts with a new pool, whose workers are made with the first work. The old pool stays as it was
// copied and is never touched again, because nobody will finish what its threads were doing.
#include "autograd/base/parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>
#ifdef __linux__
#include <sched.h>
#endif

#include "autograd/base/call_site.h"
#include "autograd/base/error.h"

namespace tarsier {
namespace {

constexpr int kMaxThreads = 1024;

/// Whether this thread is inside the body of a parallel_for.
thread_local bool inside_parallel_for = false;

/// Marks this thread as inside a body for a scope.
struct Inside {
  Inside() { inside_parallel_for = true; }
  ~Inside() { inside_parallel_for = false; }
};

/// The number of processors that this process may run on.
int available_processors() {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
#endif
  const unsigned count = std::thread::hardware_concurrency();
  return count == 0 ? 1 : static_cast<int>(count);
}

/// TARSIER_THREADS, or one thread per processor if that is unset or empty.
int initial_threads() {
  const char* text = std::getenv("TARSIER_THREADS");
  if (text == nullptr || *text == '\0') {
    const int processors = available_processors();
    return processors < kMaxThreads ? processors : kMaxThreads;
  }
  int count = 0;
  for (const char* p = text; *p != '\0'; ++p) {
    const bool digit = *p >= '0' && *p <= '9';
    if (digit) count = count * 10 + (*p - '0');
    check(digit && count <= kMaxThreads, "TARSIER_THREADS", "'", text,
          "' is not a number of threads: use 1 to ", kMaxThreads,
          ", or unset TARSIER_THREADS for one per processor");
  }
  check(count >= 1, "TARSIER_THREADS", "'", text, "' is not a number of threads: use 1 to ",
        kMaxThreads, ", or unset TARSIER_THREADS for one per processor");
  return count;
}

/// Tells the processor that this is a waiting loop.
void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Waits for `ready()` without giving up the processor, for about 50 µs: longer than the gap
/// between two kernels of a training step, shorter than falling asleep and waking up would take.
/// Returns whether it became ready.
template <class Ready>
bool spin_until(Ready ready) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
  do {
    for (int i = 0; i < 32; ++i) {
      if (ready()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  return false;
}

void run_inline(int64_t n, int64_t grain, RangeFunction body) {
  for (int64_t begin = 0; begin < n; begin += grain)
    body(begin, n - begin < grain ? n : begin + grain);
}

/// Copies the lines that are stored, which are few.
void copy_lines(const detail::CallStack& from, detail::CallStack& to) {
  std::copy_n(from.at, std::min(from.size, detail::CallStack::kKept), to.at);
  to.size = from.size;
}

/// While a worker computes for an op, errors there name the line that called the op.
class BorrowedCallStack {
 public:
  explicit BorrowedCallStack(const detail::CallStack& caller)
      : borrows_(detail::call_stack.size == 0) {
    if (borrows_) copy_lines(caller, detail::call_stack);
  }
  ~BorrowedCallStack() {
    if (borrows_) detail::call_stack.size = 0;
  }
  BorrowedCallStack(const BorrowedCallStack&) = delete;
  BorrowedCallStack& operator=(const BorrowedCallStack&) = delete;

 private:
  bool borrows_;  // the calling thread has the lines already
};

/// The pool of this process; null before its first use. Never destroyed, because objects of static
/// storage duration may compute until the very end. At exit its threads are stopped.
class Pool;
std::atomic<Pool*> current_pool = nullptr;

class Pool {
 public:
  explicit Pool(int threads) : threads_(threads) {}

  int threads() const { return threads_.load(std::memory_order_relaxed); }

  void set_threads(int threads) {
    const std::lock_guard lock(job_mutex_);
    if (threads == this->threads()) return;
    stop_workers();
    threads_.store(threads, std::memory_order_relaxed);
  }

  void run(int64_t n, int64_t grain, RangeFunction body) {
    // A second job from another thread of the program does not wait for the first: it already has a
    // processor, that of the calling thread.
    const std::unique_lock lock(job_mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return run_inline(n, grain, body);
    start_workers();

    body_ = &body;
    n_ = n;
    grain_ = grain;
    copy_lines(detail::call_stack, caller_);
    error_ = nullptr;
    failed_.store(false, std::memory_order_relaxed);
    const int64_t chunks = (n - 1) / grain + 1;
    unfinished_.store(chunks, std::memory_order_relaxed);
    unclaimed_.store(chunks, std::memory_order_release);
    call_.fetch_add(1, std::memory_order_release);
    call_.notify_all();

    {
      const Inside inside;
      while (run_chunk()) {
      }
    }
    // Polls instead of waiting for a wake-up: with g++ 12 an owner in std::atomic::wait() could
    // stay asleep after its job was done. If a worker misses a call, the others do its share.
    const auto finished = [this] { return unfinished_.load(std::memory_order_acquire) == 0; };
    if (!(spins_ && spin_until(finished))) {
      for (int i = 0; i < 100 && !finished(); ++i) std::this_thread::yield();
      while (!finished()) {
        check_not_forked();
        std::this_thread::sleep_for(std::chrono::microseconds(20));
      }
    }
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

  /// Stops the workers for good: from now on each caller computes alone.
  void close() {
    {
      const std::lock_guard lock(workers_mutex_);
      closed_ = true;
    }
    stop_workers();
  }

 private:
  /// Claims one chunk and computes it. Returns false if no chunk is left.
  bool run_chunk() {
    int64_t left = unclaimed_.load(std::memory_order_relaxed);
    do {
      if (left <= 0) return false;
    } while (!unclaimed_.compare_exchange_weak(left, left - 1, std::memory_order_acquire,
                                               std::memory_order_relaxed));
    // From here until unfinished_ is counted down, the description of the job cannot change.
    const int64_t begin = ((n_ - 1) / grain_ + 1 - left) * grain_;
    if (!failed_.load(std::memory_order_relaxed)) {
      try {
        const BorrowedCallStack lines(caller_);
        (*body_)(begin, n_ - begin < grain_ ? n_ : begin + grain_);
      } catch (...) {
        if (!failed_.exchange(true, std::memory_order_relaxed)) error_ = std::current_exception();
      }
    }
    unfinished_.fetch_sub(1, std::memory_order_acq_rel);
    return true;
  }

  void work() {
    inside_parallel_for = true;
    while (true) {
      const uint32_t seen = call_.load(std::memory_order_acquire);
      if (stopping_.load(std::memory_order_relaxed)) return;
      while (run_chunk()) {
      }
      const auto called = [&] { return call_.load(std::memory_order_acquire) != seen; };
      if (!(spins_ && spin_until(called))) call_.wait(seen, std::memory_order_acquire);
    }
  }

  /// A body that forks and returns in the child leaves its job unfinished there: the other threads
  /// of the job exist only in the parent.
  void check_not_forked() const {
    check(current_pool.load(std::memory_order_relaxed) == this, "parallel_for",
          "the process was forked inside a body, so that the work of the other threads is missing "
          "in the child: let the child only call exec() or _exit(), or fork outside");
  }

  /// Starts the workers, unless they exist.
  void start_workers() {
    const std::lock_guard lock(workers_mutex_);
    if (closed_ || !workers_.empty()) return;
    // With more threads than processors, a spinning thread only blocks a working one.
    spins_ = threads() <= available_processors();
    try {
      for (int i = 1; i < threads(); ++i) workers_.emplace_back([this] { work(); });
    } catch (const std::exception&) {
      // No more threads, or no memory for them: the existing ones share the work.
    }
  }

  void stop_workers() {
    const std::lock_guard lock(workers_mutex_);
    stopping_.store(true, std::memory_order_relaxed);
    call_.fetch_add(1, std::memory_order_release);
    call_.notify_all();
    for (std::thread& worker : workers_) {
      // exit() called by a body closes the pool from a worker.
      if (worker.get_id() == std::this_thread::get_id())
        worker.detach();
      else
        worker.join();
    }
    workers_.clear();
    stopping_.store(false, std::memory_order_relaxed);
  }

  std::atomic<int> threads_;
  std::mutex job_mutex_;      // held by the thread whose job is running
  std::mutex workers_mutex_;  // of the next three
  std::vector<std::thread> workers_;
  bool closed_ = false;  // the program is exiting
  bool spins_ = true;

  // The job.
  RangeFunction* body_ = nullptr;
  int64_t n_ = 0, grain_ = 1;
  detail::CallStack caller_;
  std::exception_ptr error_;
  std::atomic<bool> failed_ = false;

  // Each on its own cache line: workers spin on call_ while others count.
  alignas(64) std::atomic<int64_t> unclaimed_ = 0;
  alignas(64) std::atomic<int64_t> unfinished_ = 0;
  alignas(64) std::atomic<uint32_t> call_ = 0;  // counts the calls for work, and to stop
  std::atomic<bool> stopping_ = false;
};

struct StopAtExit {
  ~StopAtExit() { current_pool.load(std::memory_order_acquire)->close(); }
};

Pool& pool() {
  static const bool made = [] {
    current_pool.store(new Pool(initial_threads()), std::memory_order_release);
    ::pthread_atfork(nullptr, nullptr, [] {
      const int threads = current_pool.load(std::memory_order_relaxed)->threads();
      current_pool.store(new Pool(threads), std::memory_order_relaxed);
    });
    return true;
  }();
  static_cast<void>(made);
  static const StopAtExit stop;
  return *current_pool.load(std::memory_order_acquire);
}

}  // namespace

void parallel_for(int64_t n, int64_t grain, RangeFunction body) {
  if (n <= 0) return;
  if (grain < 1) grain = 1;
  if (n <= grain) return body(0, n);
  if (inside_parallel_for || pool().threads() == 1) return run_inline(n, grain, body);
  pool().run(n, grain, body);
}

int num_threads() { return pool().threads(); }

void set_num_threads(int n) {
  check(n >= 1 && n <= kMaxThreads, "set_num_threads", n, " threads: use 1 to ", kMaxThreads);
  check(!inside_parallel_for, "set_num_threads",
        "called from inside a parallel_for: set the number of threads before it");
  pool().set_threads(n);
}

}  // namespace tarsier
