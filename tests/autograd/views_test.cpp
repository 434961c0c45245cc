// Views and rearrangements: what PyTorch 2.15 gives, edges, and errors. Gradients: tests/ops/.
#include <doctest/doctest.h>

#include "autograd/ops.h"
#include "tests/error_of.h"

namespace tarsier {
namespace {

using Numbers = std::vector<double>;
using Tensors = std::vector<Tensor>;

Tensor counting(const Shape& shape) { return reshape(arange(shape.numel(), f64), shape); }

TEST_CASE("narrow: exact, from the end, and not clipped") {
  CHECK(narrow(arange(5), 0, -3, 2).to_vector() == Numbers{2, 3});
  CHECK(narrow(arange(5), 0, 5, 0).shape() == Shape{0});
  check_error("[narrow] 3 elements from 3 on in dimension 0 of shape (5,), which has 2 from there",
              [] { narrow(arange(5), 0, 3, 3); });
  check_error("[narrow] start 6 in dimension 0", [] { narrow(arange(5), 0, 6, 0); });
  check_error("[narrow] -1 elements", [] { narrow(arange(5), 0, 0, -1); });
}

TEST_CASE("movedim: one, several, the others keep their order") {
  CHECK(movedim(zeros({2, 3, 4}), 0, -1).shape() == Shape{3, 4, 2});
  CHECK(movedim(zeros({2, 3, 4, 5}), {0, 1}, {-1, 0}).shape() == Shape{3, 4, 5, 2});
  check_error("name every dimension and every position at most once", [] {
    movedim(zeros({2, 3}), {0, 0}, {0, 1});
  });
  check_error("give a position for each", [] { movedim(zeros({2, 3}), {0, 1}, 0); });
}

TEST_CASE("diagonal and diag: offsets, dimensions, beyond the corner, views") {
  const Tensor x = counting({2, 3, 4});
  const Tensor y = diagonal(x, 1, 0, 2);
  CHECK(y.shape() == Shape{3, 2});
  CHECK(y.to_vector() == Numbers{1, 14, 5, 18, 9, 22});
  CHECK(y.impl()->storage == x.impl()->storage);
  CHECK(diagonal(zeros({2, 3}), 5).shape() == Shape{0});
  CHECK(diagonal(zeros({2, 3}), INT64_MIN).shape() == Shape{0});
  CHECK(diagonal(zeros({0, 3})).shape() == Shape{0});
  CHECK(diag(tensor({1, 2}), -1).to_vector() == Numbers{0, 0, 0, 1, 0, 0, 0, 2, 0});
  CHECK(diag(counting({2, 3}), 1).to_vector() == Numbers{1, 5});
  CHECK(diag(zeros({0})).shape() == Shape{0, 0});
  check_error("[diagonal] dimensions 0 and -2 of shape (2, 3) are the same", [] {
    diagonal(zeros({2, 3}), 0, 0, -2);
  });
  check_error("[diag] shape (1, 2, 3)", [] { diag(zeros({1, 2, 3})); });
}

TEST_CASE("unfold_dim: windows that overlap, have gaps, or are empty") {
  const Tensor x = counting({7}), y = unfold_dim(x, 0, 3, 2);
  CHECK(y.shape() == Shape{3, 3});
  CHECK(y.to_vector() == Numbers{0, 1, 2, 2, 3, 4, 4, 5, 6});
  CHECK(y.impl()->storage == x.impl()->storage);
  CHECK(unfold_dim(counting({2, 5}), 1, 1, 3).to_vector() == Numbers{0, 3, 5, 8});
  CHECK(unfold_dim(zeros({3}), 0, 0, 1).shape() == Shape{4, 0});
  CHECK(unfold_dim(zeros({3, 2}), 0, 3, INT64_MAX).shape() == Shape{1, 2, 3});
  check_error("[unfold_dim] windows of 4 elements", [] { unfold_dim(zeros({3}), 0, 4, 1); });
  check_error("[unfold_dim] step 0", [] { unfold_dim(zeros({3}), 0, 1, 0); });
}

TEST_CASE("meshgrid: ij and xy") {
  const Tensors xs = {arange(2), arange(3)};
  const Tensors ij = meshgrid(xs), xy = meshgrid(xs, "xy");
  CHECK(ij[0].to_vector() == Numbers{0, 0, 0, 1, 1, 1});
  CHECK(ij[1].to_vector() == Numbers{0, 1, 2, 0, 1, 2});
  CHECK(xy[0].shape() == Shape{3, 2});
  CHECK(xy[0].to_vector() == Numbers{0, 1, 0, 1, 0, 1});
  CHECK(xy[1].to_vector() == Numbers{0, 0, 1, 1, 2, 2});
  CHECK(meshgrid({arange(2), arange(3), arange(4)}, "xy")[2].shape() == Shape{3, 2, 4});
  CHECK(meshgrid({arange(2), scalar(1, i64)})[1].shape() == Shape{2, 1});
  check_error("[meshgrid] indexing 'ji'", [&] { meshgrid(xs, "ji"); });
  check_error("[meshgrid] tensor 1 has shape (1, 1)", [] {
    meshgrid({arange(2), zeros({1, 1}, i64)});
  });
  check_error("[meshgrid] tensors 0 and 1 are i64 and f32", [] {
    meshgrid({arange(2), zeros({1})});
  });
}

TEST_CASE("tile and repeat_interleave") {
  CHECK(tile(arange(2), {2, 1}).shape() == Shape{2, 2});
  CHECK(tile(zeros({2, 3, 4}), {2}).shape() == Shape{2, 3, 8});
  const Tensor x = tensor({{1, 2}, {3, 4}});
  CHECK(repeat_interleave(x, 2).to_vector() == Numbers{1, 1, 2, 2, 3, 3, 4, 4});
  CHECK(repeat_interleave(x, 2, 1).to_vector() == Numbers{1, 1, 2, 2, 3, 3, 4, 4});
  CHECK(repeat_interleave(x, 2, 1).shape() == Shape{2, 4});
  CHECK(repeat_interleave(x, from_vector<int64_t>({1, 2}, {2}), 0).to_vector() ==
        Numbers{1, 2, 3, 4, 3, 4});
  CHECK(repeat_interleave(arange(3), from_vector<int64_t>({2}, {1})).to_vector() ==
        Numbers{0, 0, 1, 1, 2, 2});
  CHECK(repeat_interleave(zeros({3}), 0).shape() == Shape{0});
  const Tensor once = repeat_interleave(x, 1, 0);
  CHECK(once.impl()->storage != x.impl()->storage);  // never a view
  CHECK(repeat_interleave(zeros({1}), 3).is_contiguous());
  check_error("[repeat_interleave] -1 repeats", [&] { repeat_interleave(x, -1); });
  check_error("one number is needed, or 2", [&] {
    repeat_interleave(x, from_vector<int64_t>({1, 2, 3}, {3}), 0);
  });
  check_error("[repeat_interleave] repeats are f32", [&] { repeat_interleave(x, ones({2}), 0); });
}

TEST_CASE("pad: the modes of torch.nn.functional.pad") {
  const Tensor x = counting({2, 3});
  const auto row = [&](const std::vector<int64_t>& padding, const char* mode) {
    return select(pad(x, padding, mode), 0, 0).to_vector();
  };
  CHECK(row({2, 1}, "reflect") == Numbers{2, 1, 0, 1, 2, 1});
  CHECK(row({2, 1}, "replicate") == Numbers{0, 0, 0, 1, 2, 2});
  CHECK(row({2, 1}, "circular") == Numbers{1, 2, 0, 1, 2, 0});
  CHECK(row({2, 1}, "constant") == Numbers{0, 0, 0, 1, 2, 0});
  // Cropped elements come back by reflection, not by wrapping.
  CHECK(row({-1, 2}, "reflect") == Numbers{1, 2, 1, 0});
  CHECK(row({-1, 2}, "replicate") == Numbers{1, 2, 2, 2});
  CHECK(row({-1, 2}, "circular") == Numbers{1, 2, 1, 2});
  CHECK(pad(counting({3, 4}), {1, 2, 2, 1}, "reflect").to_vector() ==
        Numbers{9, 8, 9, 10, 11, 10, 9, 5, 4, 5, 6,  7,  6,  5, 1, 0, 1, 2, 3, 2, 1,
                5, 4, 5, 6,  7,  6,  5, 9, 8, 9, 10, 11, 10, 9, 5, 4, 5, 6, 7, 6, 5});
  CHECK(pad(counting({3, 4}), {1, 2, 2, 1}, "circular").to_vector() ==
        Numbers{7, 4, 5, 6, 7, 4, 5, 11, 8, 9, 10, 11, 8, 9, 3, 0, 1, 2, 3, 0, 1,
                7, 4, 5, 6, 7, 4, 5, 11, 8, 9, 10, 11, 8, 9, 3, 0, 1, 2, 3, 0, 1});
  CHECK(pad(x, {1, 1}, "constant", 7).to_vector()[0] == 7);
  CHECK(pad(x, {0, 0}, "reflect").impl()->storage != x.impl()->storage);
  check_error("[pad] padding by 3 and 0 of dimension 1 in shape (2, 3): 'reflect' needs at most 2",
              [&] {
                pad(x, {3, 0}, "reflect");
              });
  check_error("'circular' needs at most 3", [&] { pad(x, {4, 0}, "circular"); });
  check_error("'replicate' needs an element", [] { pad(zeros({2, 0}), {1, 0}, "replicate"); });
  check_error("[pad] mode 'mirror': use", [&] { pad(x, {1, 0}, "mirror"); });
  check_error("only 'constant' fills with a value", [&] { pad(x, {1, 0}, "reflect", 1); });
  check_error("cuts more than there is", [&] { pad(x, {-4, 0}, "replicate"); });
}

}  // namespace
}  // namespace tarsier
