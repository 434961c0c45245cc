#pragma once
// The registry of ops: how to call each op of autograd/ops.h, and on which inputs. The tests of
// this folder run all the checks of tests/README.md on it, so one entry tests an op:
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
/// Inputs with `rows` rows of `n` elements: growing n covers every tail length of the loops along a
/// row, and enough rows use all threads.
using Sized = std::function<Tensors(int64_t rows, int64_t n)>;

struct Op {
  /// The name in ops.h, and the variant of the call: "keepdim", "negative step".
  std::string name, what = "";
  OpCall call;
  /// Small inputs, for differences: f64, and i64 or bool where needed.
  std::vector<Tensors> samples;
  /// Inputs of any size.
  Sized sized = nullptr;
  /// Fused ops: the reference form.
  OpCall reference = nullptr;
  /// Elementwise ops: the function of one element by std::.
  std::function<double(double)> scalar = nullptr;
  std::function<double(double, double)> scalar2 = nullptr;
  /// The name of the recorded node, if it is not `name`; "*" if it depends on the sample.
  std::string node = "";
  /// False: the result must not be recorded.
  bool differentiable = true;
  /// How many of the last inputs never require a gradient.
  int constants = 0;
  /// False: the op refuses inputs that are not contiguous (view).
  bool any_strides = true;
  /// Factor of the tolerance, for ill-conditioned ops.
  double condition = 1;
  /// The step of the differences.
  double step = 1e-6;
  /// Draws random numbers, which differ between f32 and f64.
  bool random = false;
};

/// All ops, in the order of ops.h.
const std::vector<Op>& registry();

/// Adds an op to the registry. Only called by the files of the families.
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

// ---- inputs. The numbers are exact in f32, so that f32 and f64 compute from the same ones.

/// Uniform in [low, high), f64. Every tensor of an op has different numbers.
Tensor values(const Shape& shape, double low = -2, double high = 2);
/// k/4 + 1/16 for integers k around 0, shuffled: of different sizes, none near a multiple of 1/4.
/// For ops with kinks and ties, which differences must stay away from.
Tensor distinct(const Shape& shape);
/// About half of them true.
Tensor mask(const Shape& shape);
/// Uniform in [0, bound), i64.
Tensor indices(const Shape& shape, int64_t bound);
/// The given numbers, f64.
Tensor numbers(const std::vector<double>& numbers, const Shape& shape);
Tensor integers(const std::vector<int64_t>& numbers, const Shape& shape);

/// Samples of one input in several shapes.
std::vector<Tensors> unary(double low = -2, double high = 2);
std::vector<Tensors> unary_distinct();
/// Samples of two inputs that broadcast in all ways.
std::vector<Tensors> binary(double low = -2, double high = 2);
std::vector<Tensors> binary_distinct();
/// Sized inputs: `count` tensors of shape (rows, n).
Sized rows_of(int count, double low = -2, double high = 2);
Sized rows_distinct();

}  // namespace tarsier::test
