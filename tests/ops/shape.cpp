// Registrations of the shape ops.
#include <algorithm>

#include "tests/ops/registry.h"

namespace tarsier::test {
namespace {

/// An op on one tensor that only moves elements.
void add_move(const std::string& name, const std::string& what, const OpCall& f,
              const std::vector<Shape>& shapes, const std::string& node = "", bool sized = true) {
  std::vector<Tensors> samples;
  for (const Shape& shape : shapes) samples.push_back({values(shape)});
  add({.name = name,
       .what = what,
       .call = f,
       .samples = samples,
       .sized = sized ? rows_of(1) : Sized(),
       .node = node});
}

void register_views() {
  add_move("reshape", "inferred", [](const Tensors& x) { return reshape(x[0], {-1}); },
           {{}, {4}, {2, 3}, {2, 1, 3}});
  add_move(
      "reshape", "new shape",
      [](const Tensors& x) {
        return reshape(x[0], {3, 2, -1});
      },
      {{6}, {2, 3}, {2, 3, 2}}, "", false);
  add({.name = "view",
       .call =
           [](const Tensors& x) {
             return view(x[0], {-1, 1});
           },
       .samples = {{values({4})}, {values({2, 3})}},
       .sized = rows_of(1),
       .any_strides = false});
  add_move(
      "flatten", "all", [](const Tensors& x) { return flatten(x[0]); },
      {{}, {3}, {2, 3}, {2, 2, 2}}, "reshape");
  add_move(
      "flatten", "last two", [](const Tensors& x) { return flatten(x[0], -2); },
      {{2, 3}, {2, 2, 3}}, "reshape");
  add_move(
      "permute", "three",
      [](const Tensors& x) {
        return permute(x[0], {2, 0, -2});
      },
      {{2, 3, 4}, {1, 2, 1}}, "", false);
  add_move("permute", "two", [](const Tensors& x) { return permute(x[0], {1, 0}); }, {{2, 3}});
  add_move("transpose", "", [](const Tensors& x) { return transpose(x[0], 0, -1); },
           {{3}, {2, 3}, {2, 3, 2}});
  add_move(
      "squeeze", "dim", [](const Tensors& x) { return squeeze(x[0], 1); },
      {{3, 1}, {2, 1, 2}, {2, 3}}, "*");
  add_move("squeeze", "all", [](const Tensors& x) { return squeeze(x[0]); },
           {{1}, {1, 3, 1}, {2, 3}});
  add_move("unsqueeze", "front", [](const Tensors& x) { return unsqueeze(x[0], 0); },
           {{}, {3}, {2, 3}});
  add_move("unsqueeze", "back", [](const Tensors& x) { return unsqueeze(x[0], -1); },
           {{}, {3}, {2, 3}});
  add_move(
      "expand", "",
      [](const Tensors& x) {
        return expand(x[0], {2, -1, 3});
      },
      {{4, 1}, {2, 3}, {1, 2, 1}, {2, 1, 3}}, "", false);
  add_move(
      "broadcast_to", "",
      [](const Tensors& x) {
        return broadcast_to(x[0], {2, 2, 3});
      },
      {{}, {3}, {2, 1}, {1, 1, 3}, {2, 2, 3}}, "expand", false);
  add_move("slice", "step", [](const Tensors& x) { return slice(x[0], -1, 1, {}, 2); },
           {{5}, {6}, {2, 7}});
  add_move("slice", "from the end", [](const Tensors& x) { return slice(x[0], 0, -3, -1); },
           {{5}, {4, 2}});
  add_move("slice", "clipped", [](const Tensors& x) { return slice(x[0], 0, 0, 100); },
           {{5}, {2, 2}});
  add_move(
      "select", "first", [](const Tensors& x) { return select(x[0], 0, 1); },
      {{3}, {2, 3}, {2, 2, 2}}, "", false);
  add_move("select", "last", [](const Tensors& x) { return select(x[0], -1, -1); },
           {{3}, {2, 3}, {2, 2, 2}});
}

void register_joins() {
  const Sized two = rows_of(2);
  for (int64_t dim : {0, -1})
    add({.name = "cat",
         .what = concat("dim ", dim),
         .call = [=](const Tensors& x) { return cat(x, dim); },
         .samples = {{values({3})},
                     {values({2, 3}), values({2, 3})},
                     {values({2, 2, 1}), values({2, 2, 1}), values({2, 2, 1})}},
         .sized = two});
  add({.name = "cat",
       .what = "different sizes",
       .call = [](const Tensors& x) { return cat(x, 1); },
       .samples = {{values({2, 1}), values({2, 3}), values({2, 0})}}});
  for (int64_t dim : {0, 1, -1})
    add({.name = "stack",
         .what = concat("dim ", dim),
         .call = [=](const Tensors& x) { return stack(x, dim); },
         .samples = {{values({3})}, {values({2, 3}), values({2, 3}), values({2, 3})}},
         .sized = two,
         .node = "cat"});
  // One of the parts, and all of them together.
  add_move("split", "size", [](const Tensors& x) { return split(x[0], 2, -1).back(); },
           {{5}, {2, 4}});
  add_move(
      "split", "all parts",
      [](const Tensors& x) {
        const Tensors parts = split(x[0], 2, 0);
        return cat({parts[1], parts[0], parts[1]});
      },
      {{3}, {4, 2}}, "cat", false);
  add_move(
      "split", "sizes",
      [](const Tensors& x) {
        return split(x[0], {1, 3}, -1)[1];
      },
      {{4}, {2, 4}}, "", false);
  add_move(
      "chunk", "", [](const Tensors& x) { return chunk(x[0], 2, -1)[0]; }, {{5}, {2, 4}}, "split");
  add_move(
      "unbind", "one", [](const Tensors& x) { return unbind(x[0])[1]; }, {{3}, {2, 3}, {2, 2, 2}},
      "", false);
  add_move(
      "unbind", "last dimension, all parts",
      [](const Tensors& x) {
        Tensors parts = unbind(x[0], -1);
        std::reverse(parts.begin(), parts.end());
        return stack(parts, -1);
      },
      {{3}, {2, 3}}, "cat");
}

void register_more_views() {
  add_move(
      "narrow", "", [](const Tensors& x) { return narrow(x[0], -1, -2, 2); }, {{3}, {2, 4}},
      "slice", false);
  add_move(
      "movedim", "", [](const Tensors& x) { return movedim(x[0], 0, -1); },
      {{3}, {2, 3}, {2, 3, 4}}, "permute");
  add_move(
      "movedim", "two",
      [](const Tensors& x) {
        return movedim(x[0], {0, 1}, {-1, 0});
      },
      {{2, 3}, {2, 3, 4}}, "permute");
  add_move("diagonal", "", [](const Tensors& x) { return diagonal(x[0]); },
           {{3, 3}, {2, 4}, {2, 3, 2}});
  for (const int64_t offset : {1, -1})
    add_move(
        "diagonal", concat("offset ", offset),
        [=](const Tensors& x) { return diagonal(x[0], offset, -1, 0); },
        {{3, 3}, {3, 2}, {2, 3, 2}}, "", false);
  add_move(
      "diag", "of a vector", [](const Tensors& x) { return diag(x[0], -1); }, {{3}, {1}}, "",
      false);
  add_move(
      "diag", "of a matrix", [](const Tensors& x) { return diag(x[0]); }, {{3, 2}, {2, 2}},
      "diagonal");
  add_move(
      "unfold_dim", "",
      [](const Tensors& x) { return unfold_dim(x[0], -1, std::min<int64_t>(3, x[0].size(-1)), 2); },
      {{5}, {2, 7}});
  add_move(
      "unfold_dim", "gaps", [](const Tensors& x) { return unfold_dim(x[0], 0, 1, 3); },
      {{5}, {4, 2}}, "", false);
  for (const char* indexing : {"ij", "xy"})
    add({.name = "meshgrid",
         .what = indexing,
         .call =
             [=](const Tensors& x) {
               const Tensors grids = meshgrid({flatten(x[0]), flatten(x[1])}, indexing);
               return grids[0] * grids[1];
             },
         .samples = {{values({3}), values({2})}, {values({}), values({2})}},
         .node = "mul"});
}

void register_moves() {
  add_move("pad", "last", [](const Tensors& x) { return pad(x[0], {1, 2}, 0.5); }, {{3}, {2, 3}});
  add_move("pad", "two dimensions",
           [](const Tensors& x) {
             return pad(x[0], {0, 1, 2, 0});
           },
           {{2, 3}, {1, 2, 2}});
  add_move("pad", "cut", [](const Tensors& x) { return pad(x[0], {-1, 1}, 2); }, {{4}, {2, 3}});
  for (const char* mode : {"reflect", "replicate", "circular"}) {
    add_move(
        "pad", mode,
        [=](const Tensors& x) {
          return pad(x[0], {1, 2}, mode);
        },
        {{3}, {2, 4}}, "index_select", false);
    add_move(
        "pad", concat(mode, ", two dimensions"),
        [=](const Tensors& x) {
          return pad(x[0], {-1, 1, 1, 0}, mode);
        },
        {{2, 3}, {2, 3, 3}}, "index_select", false);
  }
  add_move(
      "pad", "replicate, rows",
      [](const Tensors& x) {
        return pad(x[0], {2, 9}, "replicate");
      },
      {{3}}, "index_select");
  add_move("flip", "last", [](const Tensors& x) { return flip(x[0], -1); }, {{5}, {2, 3}});
  add_move("flip", "two", [](const Tensors& x) { return flip(x[0], {0, 1}); }, {{2, 3}, {2, 2, 2}});
  for (int64_t shift : {1, -2, 7})
    add_move("roll", concat("by ", shift), [=](const Tensors& x) { return roll(x[0], shift, -1); },
             {{5}, {2, 3}, {2, 1}});
  add_move(
      "repeat", "",
      [](const Tensors& x) {
        return repeat(x[0], {2, 3});
      },
      {{}, {2}, {2, 3}, {1, 2}}, "reshape");
  add_move(
      "tile", "",
      [](const Tensors& x) {
        return tile(x[0], {2, 3});
      },
      {{}, {2}, {2, 3}, {2, 1, 2}}, "reshape");
  add_move(
      "repeat_interleave", "all", [](const Tensors& x) { return repeat_interleave(x[0], 2); },
      {{}, {3}, {2, 3}}, "reshape");
  add_move(
      "repeat_interleave", "dim", [](const Tensors& x) { return repeat_interleave(x[0], 3, 0); },
      {{2}, {2, 3}}, "reshape");
  add_move(
      "repeat_interleave", "counts",
      [](const Tensors& x) {
        return repeat_interleave(x[0], from_vector<int64_t>({2, 0, 1}, {3}), 0);
      },
      {{3}, {3, 2}}, "index_select", false);
  for (int64_t diagonal : {0, 1, -1}) {
    add_move("tril", concat("diagonal ", diagonal),
             [=](const Tensors& x) { return tril(x[0], diagonal); }, {{3, 3}, {2, 4}, {2, 3, 2}});
    add_move("triu", concat("diagonal ", diagonal),
             [=](const Tensors& x) { return triu(x[0], diagonal); }, {{3, 3}, {2, 4}, {2, 3, 2}});
  }
  // A strided view, so that there is something to do.
  add_move("contiguous", "", [](const Tensors& x) { return contiguous(transpose(x[0], 0, -1)); },
           {{2, 3}, {2, 1, 3}});
  add_move("clone", "", [](const Tensors& x) { return clone(x[0]); }, {{}, {3}, {2, 3}});
  // To the other floating dtype and back. Steps of 1/64 are exact in f32 as well.
  add({.name = "to",
       .call =
           [](const Tensors& x) {
             return to(to(x[0], x[0].dtype() == f32 ? f64 : f32), x[0].dtype());
           },
       .samples = unary_distinct(),
       .sized = rows_of(1),
       .step = 1.0 / 64});
}

}  // namespace

void register_shape() {
  register_views();
  register_joins();
  register_more_views();
  register_moves();
}

}  // namespace tarsier::test
