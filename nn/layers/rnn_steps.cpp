#include "nn/layers/rnn_steps.h"

namespace tarsier::nn {

RNNSteps::RNNSteps(const char* op, int64_t T, int64_t B, const Tensor& lengths) : T_(T), B_(B) {
  counts_.assign(static_cast<size_t>(T), B);
  if (!lengths.defined()) return;
  check(lengths.shape() == Shape{B} && lengths.dtype() == i64, op, "lengths ", lengths.shape(),
        " of ", lengths.dtype(), ": expected ", Shape{B}, " of i64, one for each sequence");
  const Tensor given = contiguous(lengths);
  const auto length = given.span<int64_t>();
  for (size_t b = 0; b < length.size(); ++b)
    check(length[b] >= 1 && length[b] <= T, op, "length ", length[b], " of sequence ", b,
          ": expected 1 to ", T, ", the number of steps of x");
  order_ = argsort(lengths, 0, /*descending=*/true);
  place_ = argsort(order_);
  const auto order = order_.span<int64_t>();
  std::vector<int64_t> rows;
  for (int64_t t = 0; t < T; ++t) {
    int64_t count = 0;
    while (count < B && length[static_cast<size_t>(order[static_cast<size_t>(count)])] > t)
      rows.push_back(t * B + order[static_cast<size_t>(count++)]);
    counts_[static_cast<size_t>(t)] = count;
  }
  while (!counts_.empty() && counts_.back() == 0) counts_.pop_back();
  rows_ = from_vector(rows, {static_cast<int64_t>(rows.size())});
}

Tensor RNNSteps::pack(const Tensor& x) const {
  const Tensor all = reshape(x, {T_ * B_, x.size(2)});
  return rows_.defined() ? index_select(all, 0, rows_) : all;
}

Tensor RNNSteps::unpack(const Tensor& y) const {
  const Shape shape{T_, B_, y.size(1)};
  if (!rows_.defined()) return reshape(y, shape);
  return reshape(index_add(zeros({T_ * B_, y.size(1)}, y.dtype()), 0, rows_, y), shape);
}

Tensor RNNSteps::sort(const Tensor& state) const {
  return order_.defined() ? index_select(state, 1, order_) : state;
}

Tensor RNNSteps::unsort(const Tensor& state) const {
  return place_.defined() ? index_select(state, 1, place_) : state;
}

}  // namespace tarsier::nn
