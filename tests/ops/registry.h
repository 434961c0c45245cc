#pragma once
// The registry of ops: how to call each op of autograd/ops.h, and on which inputs. The tests of
// this folder derive all the checks of tests/README.md from it, so an op is tested by an entry:
//
//   add({.name = "square",
//        .call = [](const Tensors& x) { return square(x[0]); },
//        .samples = unary(),
//        .sized = rows_of(1),
//        .scalar = [](double x) { return x * x; }});

#include <functional>
#include <string>
#include <vector>

#include "autograd/ops.h"

namespace tarsier::test {

using Tensors = std::vector<Tensor>;
using OpCall = std::function<Tensor(const Tensors&)>;
/// Inputs with `rows` rows of `n` elements: what runs along a row meets every tail length as n
/// grows, and rows enough wake the threads.
using Sized = std::function<Tensors(int64_t rows, int64_t n)>;

struct Op {
  /// As declared in ops.h, and which way of calling it: "keepdim", "negative step".
  std::string name, what = "";
  OpCall call;
  /// Small inputs, for differences: f64, and i64 or bool where needed.
  std::vector<Tensors> samples;
  /// Inputs of any size.
  Sized sized = nullptr;
  /// Fused ops: the reference form.
  OpCall reference = nullptr;
  /// Elementwise ops: the same for one element, or two, by std::.
  std::function<double(double)> scalar = nullptr;
  std::function<double(double, double)> scalar2 = nullptr;
  /// The name of the recorded node where it is not `name`; "*" where it depends on the sample.
  std::string node = "";
  /// False: the result must not be recorded.
  bool differentiable = true;
  /// How many of the last inputs never ask for a gradient.
  int constants = 0;
  /// False: refuses inputs that are not contiguous (view).
  bool any_strides = true;
  /// Times the tolerance, where small changes of the input change much.
  double condition = 1;
  /// Of the differences.
  double step = 1e-6;
  /// Draws random numbers, which differ between f32 and f64.
  bool random = false;
};

/// All ops, in the order of ops.h.
const std::vector<Op>& registry();

/// Puts an op into the registry. Called by the families' files alone.
void add(Op op);

// The families, one file each.
void register_elementwise();
void register_reductions();
void register_shape();
void register_indexing();
void register_matmul();
void register_convolution();
void register_fused();
void register_attention();

// ---- inputs. The numbers are those of f32, so that f32 and f64 compute from the same ones.

/// Uniform in [low, high), f64. Every tensor of an op has other numbers.
Tensor values(const Shape& shape, double low = -2, double high = 2);
/// k/4 + 1/16 for whole k around 0, shuffled: all of different size, none near a multiple of 1/4.
/// For ops with kinks and ties, where differences need distance.
Tensor distinct(const Shape& shape);
/// About half of them true.
Tensor mask(const Shape& shape);
/// Uniform in [0, bound), i64.
Tensor indices(const Shape& shape, int64_t bound);
/// The numbers given, f64.
Tensor numbers(const std::vector<double>& numbers, const Shape& shape);
Tensor integers(const std::vector<int64_t>& numbers, const Shape& shape);

/// Samples of one input in several shapes.
std::vector<Tensors> unary(double low = -2, double high = 2);
std::vector<Tensors> unary_distinct();
/// Samples of two inputs that broadcast in every way.
std::vector<Tensors> binary(double low = -2, double high = 2);
std::vector<Tensors> binary_distinct();
/// Sized inputs: `count` tensors of shape (rows, n).
Sized rows_of(int count, double low = -2, double high = 2);
Sized rows_distinct();

}  // namespace tarsier::test
