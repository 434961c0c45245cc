#pragma once
// New tensors: constants, ranges, random numbers, literal values. A part of ops.h.
//
// Not differentiable. Any dtype unless stated. `at` is the line of the call, for errors: leave it
// to its default. from_vector(values, shape), from a std::vector, is in from_vector.h.

#include <cstdint>
#include <initializer_list>

#include "../../base/random.h"
#include "../../tensor/tensor.h"

namespace tarsier {

Tensor zeros(const Shape& shape, DType dtype = f32, SourceLine at = SourceLine::current());
Tensor ones(const Shape& shape, DType dtype = f32, SourceLine at = SourceLine::current());
Tensor full(const Shape& shape, double value, DType dtype = f32,
            SourceLine at = SourceLine::current());
Tensor zeros_like(const Arg& x);
Tensor ones_like(const Arg& x);
Tensor full_like(const Arg& x, double value);
/// start, start + step, … up to `end`, exclusive. Shape (⌈(end − start) / step⌉).
Tensor arange(double start, double end, double step = 1, DType dtype = i64,
              SourceLine at = SourceLine::current());
/// 0, 1, …, end − 1.
Tensor arange(int64_t end, DType dtype = i64, SourceLine at = SourceLine::current());
/// `steps` floating values from start to end, both included.
Tensor linspace(double start, double end, int64_t steps, DType dtype = f32,
                SourceLine at = SourceLine::current());
/// Ones on the diagonal, (n, n).
Tensor eye(int64_t n, DType dtype = f32, SourceLine at = SourceLine::current());
/// Uniform in [0, 1), floating.
Tensor rand(const Shape& shape, DType dtype = f32, Generator& generator = default_generator(),
            SourceLine at = SourceLine::current());
/// Normal with mean 0 and deviation 1 (Box–Muller), floating.
Tensor randn(const Shape& shape, DType dtype = f32, Generator& generator = default_generator(),
             SourceLine at = SourceLine::current());
Tensor rand_like(const Arg& x, Generator& generator = default_generator());   ///< see rand
Tensor randn_like(const Arg& x, Generator& generator = default_generator());  ///< see randn
/// 1 with the probability given by the element of `p`, else 0. Shape and dtype (floating) of p.
Tensor bernoulli(const Tensor& p, Generator& generator = default_generator());
/// Uniform integers in [low, high), i64.
Tensor randint(int64_t low, int64_t high, const Shape& shape,
               Generator& generator = default_generator(), SourceLine at = SourceLine::current());
/// A random order of 0 … n − 1, i64.
Tensor randperm(int64_t n, Generator& generator = default_generator(),
                SourceLine at = SourceLine::current());
/// tensor({1, 2, 3}), tensor({{1, 2}, {3, 4}}): literal values. Rows must be equally long.
Tensor tensor(std::initializer_list<double> values, DType dtype = f32,
              SourceLine at = SourceLine::current());
Tensor tensor(std::initializer_list<std::initializer_list<double>> rows, DType dtype = f32,
              SourceLine at = SourceLine::current());
/// One value, shape ().
Tensor scalar(double value, DType dtype = f32, SourceLine at = SourceLine::current());
/// One-hot rows: (…) i64 → (…, classes), 1 at the index and 0 elsewhere.
Tensor one_hot(const Arg& index, int64_t classes, DType dtype = f32);
/// (rows, columns) bool: true on and below (above) diagonal `diagonal`.
Tensor tril_mask(int64_t rows, int64_t columns, int64_t diagonal = 0,
                 SourceLine at = SourceLine::current());
Tensor triu_mask(int64_t rows, int64_t columns, int64_t diagonal = 0,
                 SourceLine at = SourceLine::current());

}  // namespace tarsier
