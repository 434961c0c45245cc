#include "autograd/loops/strided.h"

#include <utility>

namespace tarsier::detail {

Loop merged(const Shape& shape, std::initializer_list<Strides> operands) {
  Loop loop;
  const Strides* full = operands.begin();
  const int count = static_cast<int>(operands.size());
  for (int d = 0; d < shape.size(); ++d) {
    if (shape[d] == 1) continue;
    const int last = loop.shape.size() - 1;
    bool even = last >= 0;
    for (int k = 0; even && k < count; ++k) even = loop.strides[k][last] == full[k][d] * shape[d];
    if (even) {
      loop.shape[last] *= shape[d];
      for (int k = 0; k < count; ++k) loop.strides[k][last] = full[k][d];
    } else {
      loop.shape.push_back(shape[d]);
      for (int k = 0; k < kMaxOperands; ++k) loop.strides[k].push_back(k < count ? full[k][d] : 0);
    }
  }
  if (loop.shape.empty()) {
    loop.shape.push_back(1);
    for (Strides& strides : loop.strides) strides.push_back(0);
  }
  return loop;
}

Strides broadcast_strides(const Shape& from, const Strides& strides, const Shape& to) {
  Strides out = Shape::filled(to.size(), 0);
  const int lead = to.size() - from.size();
  for (int d = 0; d < from.size(); ++d)
    if (from[d] != 1) out[lead + d] = strides[d];
  return out;
}

Loop plan_loop(const Shape& shape, std::initializer_list<const Tensor*> operands) {
  const auto seen = [&](const Tensor& x) {
    return broadcast_strides(x.shape(), x.strides(), shape);
  };
  const auto* x = operands.begin();
  if (operands.size() == 1) return merged(shape, {seen(*x[0])});
  if (operands.size() == 2) return merged(shape, {seen(*x[0]), seen(*x[1])});
  return merged(shape, {seen(*x[0]), seen(*x[1]), seen(*x[2])});
}

void locate(const Loop& loop, Shape& index, Run& run) {
  index = Shape::filled(loop.shape.size(), 0);
  int64_t rest = run.at;
  for (int d = loop.shape.size() - 1; d >= 0; --d) {
    index[d] = rest % loop.shape[d];
    rest /= loop.shape[d];
    for (int k = 0; k < kMaxOperands; ++k) run.from[k] += index[d] * loop.strides[k][d];
  }
}

void advance(const Loop& loop, Shape& index, Run& run) {
  const int last = loop.shape.size() - 1;
  for (int k = 0; k < kMaxOperands; ++k) run.from[k] -= index[last] * loop.strides[k][last];
  index[last] = 0;
  for (int d = last - 1; d >= 0; --d) {
    for (int k = 0; k < kMaxOperands; ++k) run.from[k] += loop.strides[k][d];
    if (++index[d] < loop.shape[d]) return;
    for (int k = 0; k < kMaxOperands; ++k) run.from[k] -= loop.shape[d] * loop.strides[k][d];
    index[d] = 0;
  }
}

int64_t offset_of(int64_t position, const Shape& shape, const Strides& strides) {
  int64_t offset = 0;
  for (int d = shape.size() - 1; d >= 0; --d) {
    offset += position % shape[d] * strides[d];
    position /= shape[d];
  }
  return offset;
}

std::vector<int64_t> all_offsets(const Shape& shape, const Strides& strides) {
  std::vector<int64_t> offsets = {0};
  for (int d = 0; d < shape.size(); ++d) {
    std::vector<int64_t> finer;
    finer.reserve(offsets.size() * static_cast<size_t>(shape[d]));
    for (int64_t offset : offsets)
      for (int64_t i = 0; i < shape[d]; ++i) finer.push_back(offset + i * strides[d]);
    offsets = std::move(finer);
  }
  return offsets;
}

}  // namespace tarsier::detail
