#pragma once
// Loops over strided memory: few dimensions, long runs, and where each run begins.

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "../base/parallel.h"
#include "../tensor/tensor.h"

namespace tarsier::detail {

inline constexpr int kMaxOperands = 3;

/// The elements of a result in row-major order, and the positions of each operand's: `shape` has as
/// few dimensions as possible (at least one), `strides` are 0 where an operand is broadcast.
struct Loop {
  Shape shape;
  Strides strides[kMaxOperands];

  /// The step of an operand along a run.
  int64_t step(int operand) const { return strides[operand].back(); }
};

/// The loop over `shape` in as few dimensions as possible, at least one: sizes of 1 are dropped,
/// and two dimensions that all operands step through evenly are merged. So a copy of (B, T, H, D)
/// into (B, H, T, D) becomes a few loops around long runs.
Loop merged(const Shape& shape, std::initializer_list<Strides> operands);

/// The same for operands that broadcast to `shape`.
Loop plan_loop(const Shape& shape, std::initializer_list<const Tensor*> operands);

/// The strides of an operand in a shape that it broadcasts to: 0 where it is stretched, and in
/// dimensions that it lacks.
Strides broadcast_strides(const Shape& from, const Strides& strides, const Shape& to);

/// `n` successive elements of the result from index `at` on; from[k] is the offset of operand k.
struct Run {
  int64_t at, n;
  int64_t from[kMaxOperands];
};

/// Sets run.from to the offsets of element run.at, and `index` to its coordinates.
void locate(const Loop& loop, Shape& index, Run& run);

/// The same incrementally, if run.at is the element after a whole run.
void advance(const Loop& loop, Shape& index, Run& run);

/// Calls body(run) for runs that together cover elements [begin, end) of the loop.
template <class Body>
void for_each_run(const Loop& loop, int64_t begin, int64_t end, const Body& body) {
  Shape index;
  Run run{begin, 0, {}};
  locate(loop, index, run);
  while (true) {
    run.n = std::min(end - run.at, loop.shape.back() - index.back());
    body(run);
    run.at += run.n;
    if (run.at == end) return;
    advance(loop, index, run);
  }
}

/// The same for all elements, on all threads.
template <class Body>
void run_loop(const Loop& loop, int64_t grain, const Body& body) {
  const int64_t n = loop.shape.numel();
  if (n == 0) return;
  parallel_for(n, grain, [&](int64_t begin, int64_t end) { for_each_run(loop, begin, end, body); });
}

/// The offset of the element at row-major position `position`: Σ coordinate · stride.
int64_t offset_of(int64_t position, const Shape& shape, const Strides& strides);

/// offset_of() for all positions, in order.
std::vector<int64_t> all_offsets(const Shape& shape, const Strides& strides);

}  // namespace tarsier::detail
