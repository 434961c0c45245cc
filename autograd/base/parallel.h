#pragma once
// One thread pool for everything. Work is cut into chunks of a fixed size, never into one piece per
// thread: what a chunk computes cannot depend on the number of threads.

#include <cstdint>
#include <type_traits>

namespace tarsier {

/// A reference to a callable `void(int64_t begin, int64_t end)`: two pointers, no allocation.
class RangeFunction {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, RangeFunction>)
      RangeFunction(F&& f)  // NOLINT: implicit by design
      : object_(const_cast<void*>(static_cast<const void*>(&f))),
        call_([](void* object, int64_t begin, int64_t end) {
          (*static_cast<std::remove_reference_t<F>*>(object))(begin, end);
        }) {}
  void operator()(int64_t begin, int64_t end) const { call_(object_, begin, end); }

 private:
  void* object_;
  void (*call_)(void*, int64_t, int64_t);
};

/// Calls `body(begin, end)` for every chunk [0, grain), [grain, 2·grain), … of [0, n), on the
/// threads of the pool and the calling thread; returns when all are done. The chunks are always the
/// same; only which thread computes which depends on the number of threads. `grain` is the number
/// of iterations worth waking a thread for: if n ≤ grain the caller computes all. Inside another
/// parallel_for it runs on the calling thread only. The first exception of a body is rethrown.
/// A child of fork() starts without workers and makes its own. A child forked inside a body may
/// only call exec() or _exit().
void parallel_for(int64_t n, int64_t grain, RangeFunction body);

/// The number of computing threads, including the caller. Starts at TARSIER_THREADS, or the
/// number of processors that this process may use.
int num_threads();

/// Sets the number of threads, 1 ≤ n ≤ 1024. Throws Error("set_num_threads") otherwise.
/// Must not be called inside a parallel_for.
void set_num_threads(int n);

}  // namespace tarsier
