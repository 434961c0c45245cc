#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "autograd/check/gradcheck.h"
#include "autograd/ops.h"
#include "tests/error_of.h"

namespace tarsier {
namespace {

Tensor random(const Shape& shape, uint64_t seed) {
  Generator generator(seed);
  return randn(shape, f64, generator);
}

Tensor leaf(const Shape& shape, uint64_t seed) { return random(shape, seed).requires_grad_(); }

/// The definition: for all values of all letters, out[…] += Π operands[…]. Letters only, in
/// explicit form; terms are the subscripts of the operands, then of the result.
Tensor by_loops(const std::vector<std::string>& terms, const std::vector<Tensor>& operands) {
  std::map<char, int64_t> sizes, index;
  for (size_t n = 0; n < operands.size(); ++n)
    for (size_t d = 0; d < terms[n].size(); ++d)
      sizes[terms[n][d]] = std::max(sizes[terms[n][d]], operands[n].shape()[static_cast<int>(d)]);
  const auto place = [&](const std::string& term, const Shape& shape) {
    int64_t at = 0;
    for (size_t d = 0; d < term.size(); ++d) {
      const int64_t size = shape[static_cast<int>(d)];
      at = at * size + (size == 1 ? 0 : index[term[d]]);
    }
    return static_cast<size_t>(at);
  };
  Shape shape;
  for (char letter : terms.back()) shape.push_back(sizes[letter]);
  std::vector<double> out(static_cast<size_t>(shape.numel()), 0.0);
  std::vector<std::vector<double>> values;
  for (const Tensor& x : operands) values.push_back(x.to_vector());
  std::function<void(std::map<char, int64_t>::iterator)> loop = [&](auto letter) {
    if (letter == sizes.end()) {
      double product = 1;
      for (size_t n = 0; n < operands.size(); ++n)
        product *= values[n][place(terms[n], operands[n].shape())];
      out[place(terms.back(), shape)] += product;
      return;
    }
    for (int64_t i = 0; i < letter->second; ++i) {
      index[letter->first] = i;
      loop(std::next(letter));
    }
  };
  loop(sizes.begin());
  return from_vector(out, shape);
}

constexpr double kTolerance = 1e-12;

TEST_CASE("einsum agrees with the loop over all letters") {
  struct Case {
    std::vector<std::string> terms;
    std::vector<Shape> shapes;
  };
  for (const Case& c : std::vector<Case>{
           {{"ij", "ji"}, {{3, 4}}},
           {{"ij", ""}, {{3, 4}}},
           {{"ij", "j"}, {{3, 4}}},
           {{"ii", ""}, {{4, 4}}},
           {{"ii", "i"}, {{4, 4}}},
           {{"iji", "ji"}, {{3, 2, 3}}},
           {{"iii", "i"}, {{3, 3, 3}}},
           {{"ijij", "ij"}, {{2, 3, 2, 3}}},
           {{"i", "i", ""}, {{5}, {5}}},
           {{"i", "i", "i"}, {{5}, {5}}},
           {{"i", "j", "ij"}, {{5}, {3}}},
           {{"i", "j", "ji"}, {{5}, {3}}},
           {{"ij", "jk", "ik"}, {{3, 4}, {4, 5}}},
           {{"ij", "kj", "ki"}, {{3, 4}, {5, 4}}},
           {{"ij", "jk", ""}, {{3, 4}, {4, 5}}},
           {{"ij", "kl", "jl"}, {{3, 4}, {2, 5}}},
           {{"bij", "bjk", "bik"}, {{2, 3, 4}, {2, 4, 5}}},
           {{"bij", "jk", "kib"}, {{2, 3, 4}, {4, 5}}},
           {{"bhqd", "bhkd", "bhqk"}, {{2, 3, 4, 5}, {2, 3, 6, 5}}},
           {{"bqhd", "bkhd", "bhqk"}, {{2, 4, 3, 5}, {2, 6, 3, 5}}},
           {{"bhqk", "bkhd", "bqhd"}, {{2, 3, 4, 6}, {2, 6, 3, 5}}},
           {{"ijkl", "klm", "mij"}, {{2, 3, 4, 5}, {4, 5, 2}}},
           {{"ij", "ij", "ij"}, {{3, 4}, {3, 4}}},
           {{"ii", "ij", "j"}, {{3, 3}, {3, 4}}},
           {{"ij", "ij", "i"}, {{3, 1}, {3, 4}}},
           {{"ij", "jk", "ik"}, {{3, 1}, {4, 5}}},
           {{"ij", "jk", "kl", "il"}, {{2, 3}, {3, 4}, {4, 5}}},
           {{"i", "j", "k", "kji"}, {{2}, {3}, {4}}},
           {{"bn", "anm", "bm", "ba"}, {{2, 3}, {4, 3, 5}, {2, 5}}},
           {{"ij", "jk", "ik"}, {{2, 0}, {0, 3}}},
       }) {
    std::string equation;
    std::vector<Tensor> operands;
    for (size_t n = 0; n + 1 < c.terms.size(); ++n) {
      equation += (n ? "," : "") + c.terms[n];
      operands.push_back(random(c.shapes[n], n + 1));
    }
    equation += "->" + c.terms.back();
    CAPTURE(equation);
    const Tensor y = einsum(equation, operands), expected = by_loops(c.terms, operands);
    CHECK(y.shape() == expected.shape());
    CHECK(allclose(y, expected, kTolerance, kTolerance));
  }
}

TEST_CASE("without -> the result has the letters that occur once, in alphabetical order") {
  const Tensor a = random({3, 4}, 1), b = random({4, 5}, 2), square = random({3, 3}, 3);
  CHECK(allclose(einsum("ij,jk", {a, b}), matmul(a, b), kTolerance, kTolerance));
  CHECK(allclose(einsum("kj,ji", {a, b}), transpose(matmul(a, b), 0, 1), kTolerance, kTolerance));
  CHECK(einsum("ba", {a}).shape() == Shape{4, 3});
  CHECK(einsum("bA", {a}).shape() == Shape{4, 3});
  CHECK(einsum("ii", {square}).shape() == Shape{});
  CHECK(einsum("...ij,...jk", {random({2, 3, 4}, 1), b}).shape() == Shape{2, 3, 5});
}

TEST_CASE("... stands for leading dimensions, which broadcast") {
  const Tensor a = random({2, 1, 3, 4}, 1), b = random({5, 4, 6}, 2);
  CHECK(allclose(einsum("...ij,...jk->...ik", {a, b}), matmul(a, b), kTolerance, kTolerance));
  CHECK(allclose(einsum("...ij->...ji", {a}), transpose(a, -2, -1)));
  CHECK(allclose(einsum("i...->...i", {a}), permute(a, {1, 2, 3, 0})));
  CHECK(allclose(einsum("i...j->...", {a}), sum(a, {0, 3}), kTolerance, kTolerance));
  CHECK(allclose(einsum("...->", {a}), sum(a), kTolerance, kTolerance));
  CHECK(allclose(einsum(" ... i j , j -> ... i ", {a, tensor({1, 2, 3, 4}, f64)}),
                 matmul(a, tensor({1, 2, 3, 4}, f64)), kTolerance, kTolerance));
  const Tensor x = random({2, 3}, 3), y = random({3}, 4);
  CHECK(allclose(einsum("...,...->...", {x, y}), x * y));
}

TEST_CASE("gradients of einsum, first and second order") {
  const GradcheckOptions options{.second_order = true};
  const auto check = [&](const char* equation, const std::vector<Tensor>& operands) {
    CAPTURE(equation);
    CHECK_NOTHROW(gradcheck([&](const std::vector<Tensor>& x) { return einsum(equation, x); },
                            operands, options));
  };
  check("bhqd,bhkd->bhqk", {leaf({1, 2, 2, 3}, 1), leaf({1, 2, 3, 3}, 2)});
  check("ii->i", {leaf({3, 3}, 1)});
  check("...ij,jk->...ki", {leaf({2, 2, 3}, 1), leaf({3, 2}, 2)});
  check("i,j,k->", {leaf({2}, 1), leaf({3}, 2), leaf({2}, 3)});
  check("ij,ij->i", {leaf({2, 1}, 1), leaf({2, 3}, 2)});
}

TEST_CASE("einsum reports where the equation is wrong, and what does not fit it") {
  const Tensor a = random({3, 4}, 1), b = random({5, 6}, 2);
  CHECK(error_of([&] { einsum("i1->i", {a}); }) ==
        "[einsum] 'i1->i', position 1: '1' cannot stand here: expected a letter, \"...\", \",\" or "
        "one \"->\"");
  CHECK(error_of([&] { einsum("i..j->i", {a}); }) ==
        "[einsum] 'i..j->i', position 1: '.' cannot stand here: expected \"...\"");
  CHECK(error_of([&] { einsum("ij->i->j", {a}); }) ==
        "[einsum] 'ij->i->j', position 5: '-' cannot stand here: expected a letter, \"...\", \",\" "
        "or one \"->\"");
  CHECK(error_of([&] { einsum("...i...", {a}); }) ==
        "[einsum] '...i...', position 4: '.' cannot stand here: an operand has \"...\" at most "
        "once");
  CHECK(error_of([&] {
          einsum("ij,jk->ik", {a, b});
        }) ==
        "[einsum] 'ij,jk->ik', position 3: 'j' has size 5 in operand 1 of shape (5, 6), but 4 "
        "before");
  CHECK(error_of([&] { einsum("ij,jk->ik", {a}); }) ==
        "[einsum] 'ij,jk->ik' has 2 operands, but 1 tensors were given");
  CHECK(error_of([&] { einsum("ijk->ik", {a}); }) ==
        "[einsum] 'ijk->ik', position 0: 3 letters for operand 0 of shape (3, 4) with 2 "
        "dimensions");
  CHECK(error_of([&] { einsum("ij->ik", {a}); }) ==
        "[einsum] 'ij->ik', position 4: 'k' of the result is in no operand");
  CHECK(error_of([&] { einsum("ij->ii", {a}); }) ==
        "[einsum] 'ij->ii', position 4: 'i' is in the result more than once");
  CHECK(error_of([&] { einsum("ii->i", {a}); }) ==
        "[einsum] 'ii->i', position 0: 'i' repeats in operand 0, a diagonal, but its sizes 3 and 4 "
        "differ");
  CHECK(error_of([&] {
          einsum("ij,ij->i", {a, to(a, f32)});
        }) ==
        "[einsum] 'ij,ij->i': operand 1 is f32 and operand 0 f64: all must be f32, all f64, or all "
        "i64");
}

}  // namespace
}  // namespace tarsier
