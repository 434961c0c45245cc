#include "tests/ops/registry.h"

#include <algorithm>
#include <numeric>
#include <random>

namespace tarsier::test {
namespace {

std::vector<Op>& ops() {
  static std::vector<Op> all;
  return all;
}

/// Restarts with each op, so that a new op does not change the numbers of the others.
uint32_t next_seed = 0;

template <class T, class Make>
Tensor make(const Shape& shape, const Make& element) {
  std::mt19937 random(next_seed++);
  Tensor x = Tensor::empty(shape, dtype_of<T>);
  T* p = x.data<T>();
  for (int64_t i = 0; i < x.numel(); ++i) p[i] = element(random, i);
  return x;
}

template <class Make>
std::vector<Tensors> one_each(const Make& make) {
  return {{make(Shape{})},
          {make(Shape{1})},
          {make(Shape{9})},
          {make(Shape{2, 3})},
          {make(Shape{2, 1, 4})}};
}
template <class Make>
std::vector<Tensors> two_each(const Make& make) {
  std::vector<Tensors> samples;
  const std::pair<Shape, Shape> pairs[] = {
      {{}, {}},
      {{7}, {7}},
      {{2, 3}, {2, 3}},
      {{2, 3}, {3}},
      {{3}, {2, 3}},
      {{2, 3}, {2, 1}},
      {{2, 1}, {1, 3}},
      {{2, 3}, {}},
      {{}, {2, 3}},
      {{1}, {4}},
      {{2, 1, 3}, {1, 2, 1}},
      {{1, 1}, {1}},
      {{2, 1, 2, 2}, {2, 1}},
  };
  for (const auto& [a, b] : pairs) samples.push_back({make(a), make(b)});
  return samples;
}

}  // namespace

const std::vector<Op>& registry() {
  if (ops().empty()) {
    register_elementwise();
    register_reductions();
    register_shape();
    register_indexing();
    register_matmul();
    register_convolution();
    register_fused();
    register_attention();
  }
  return ops();
}

void add(Op op) {
  if (op.node.empty()) op.node = op.name;
  ops().push_back(std::move(op));
  next_seed = 0;
}

Tensor values(const Shape& shape, double low, double high) {
  return make<double>(shape, [&](std::mt19937& random, int64_t) {
    const double u = static_cast<double>(random()) / 4294967296.0;
    return static_cast<double>(static_cast<float>(low + (high - low) * u));
  });
}

Tensor distinct(const Shape& shape) {
  const int64_t n = shape.numel();
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), -(n / 2));
  std::shuffle(order.begin(), order.end(), std::mt19937(next_seed));
  return make<double>(shape, [&](std::mt19937&, int64_t i) {
    return static_cast<double>(order[static_cast<size_t>(i)]) / 4 + 0.0625;
  });
}

Tensor mask(const Shape& shape) {
  return make<bool>(shape, [](std::mt19937& random, int64_t) { return random() % 2 == 0; });
}

Tensor indices(const Shape& shape, int64_t bound) {
  return make<int64_t>(
      shape, [&](std::mt19937& random, int64_t) { return static_cast<int64_t>(random()) % bound; });
}

Tensor numbers(const std::vector<double>& numbers, const Shape& shape) {
  return make<double>(shape,
                      [&](std::mt19937&, int64_t i) { return numbers[static_cast<size_t>(i)]; });
}

Tensor integers(const std::vector<int64_t>& numbers, const Shape& shape) {
  return make<int64_t>(shape,
                       [&](std::mt19937&, int64_t i) { return numbers[static_cast<size_t>(i)]; });
}

std::vector<Tensors> unary(double low, double high) {
  return one_each([&](const Shape& shape) { return values(shape, low, high); });
}
std::vector<Tensors> unary_distinct() { return one_each(distinct); }

std::vector<Tensors> binary(double low, double high) {
  return two_each([&](const Shape& shape) { return values(shape, low, high); });
}
std::vector<Tensors> binary_distinct() {
  // Shifted by 1/16, so that no element of one equals an element of the other.
  std::vector<Tensors> samples = two_each(distinct);
  for (Tensors& pair : samples) {
    double* b = pair[1].data<double>();
    for (int64_t i = 0; i < pair[1].numel(); ++i) b[i] += 0.0625;
  }
  return samples;
}

Sized rows_of(int count, double low, double high) {
  return [=](int64_t rows, int64_t n) {
    Tensors inputs;
    for (int i = 0; i < count; ++i) inputs.push_back(values({rows, n}, low, high));
    return inputs;
  };
}
Sized rows_distinct() {
  return [](int64_t rows, int64_t n) { return Tensors{distinct({rows, n})}; };
}

}  // namespace tarsier::test
