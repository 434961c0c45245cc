// Registrations of attention, to all keys and within a window, and of rotary positions.
#include <optional>

#include "tests/ops/registry.h"

namespace tarsier::test {
namespace {

struct Sizes {
  Shape q, k, v;
};
const std::vector<Sizes> kSizes = {
    {{2, 3}, {2, 3}, {2, 3}},
    {{3, 2}, {2, 2}, {2, 3}},
    {{1, 2, 2, 2}, {1, 2, 3, 2}, {1, 2, 3, 2}},
    {{2, 1, 2, 2}, {1, 2, 2, 2}, {2, 2, 2}},
};

std::vector<Tensors> plain_samples() {
  std::vector<Tensors> samples;
  for (const auto& [q, k, v] : kSizes) samples.push_back({values(q), values(k), values(v)});
  return samples;
}

using MakeMask = std::function<Tensor(const Shape&)>;

/// Samples with a mask (Tq, Tk), and with one of another shape.
std::vector<Tensors> masked_samples(const MakeMask& make_mask) {
  std::vector<Tensors> samples;
  for (const auto& [q, k, v] : kSizes)
    samples.push_back(
        {values(q), values(k), values(v), make_mask({q[q.size() - 2], k[k.size() - 2]})});
  samples.push_back(
      {values({2, 2, 2, 2}), values({2, 2, 2, 2}), values({2, 2, 2, 2}), make_mask({2, 1, 2, 2})});
  return samples;
}

Tensors rows_of_qkv(int64_t rows, int64_t n) {
  return {values({2, rows, n}), values({2, rows, n}), values({2, rows, n})};
}
Sized masked_rows(const MakeMask& make_mask) {
  return [=](int64_t rows, int64_t n) {
    Tensors inputs = rows_of_qkv(rows, n);
    inputs.push_back(make_mask({rows, rows}));
    return inputs;
  };
}

/// A mask with a row without any key.
Tensor mask_with_empty_row(const Shape& shape) {
  Tensor m = mask(shape);
  for (int64_t i = 0; i < shape.back(); ++i) m.data<bool>()[i] = false;
  return m;
}
Tensor additive_mask(const Shape& shape) { return values(shape); }

void register_full_attention() {
  const auto add_plain = [&](const std::string& what, bool causal, std::optional<double> scale,
                             double dropout) {
    add({.name = "scaled_dot_product_attention",
         .what = what,
         .call =
             [=](const Tensors& x) {
               Generator generator(5);
               return scaled_dot_product_attention(x[0], x[1], x[2], {}, dropout, causal, scale,
                                                   generator);
             },
         .samples = plain_samples(),
         .sized = rows_of_qkv,
         .reference =
             [=](const Tensors& x) {
               return scaled_dot_product_attention_reference(x[0], x[1], x[2], {}, dropout, causal,
                                                             scale, {5, 0});
             },
         .condition = 16,
         .random = dropout > 0});
  };
  add_plain("plain", false, {}, 0);
  add_plain("causal", true, {}, 0);
  add_plain("scale", false, 0.25, 0);
  add_plain("dropout", false, {}, 0.4);
  add_plain("causal, dropout, scale", true, 1.5, 0.25);
  add_plain("large scale", false, 1.5, 0);

  const auto add_masked = [&](const std::string& what, bool causal, const MakeMask& make_mask,
                              int constants = 1, const std::string& node = "") {
    add({.name = "scaled_dot_product_attention",
         .what = what,
         .call =
             [=](const Tensors& x) {
               return scaled_dot_product_attention(x[0], x[1], x[2], x[3], 0, causal);
             },
         .samples = masked_samples(make_mask),
         .sized = masked_rows(make_mask),
         .reference =
             [=](const Tensors& x) {
               return scaled_dot_product_attention_reference(x[0], x[1], x[2], x[3], 0, causal);
             },
         .node = node,
         .constants = constants,
         .condition = 16});
  };
  add_masked("boolean mask", false, mask_with_empty_row);
  add_masked("boolean mask, causal", true, mask_with_empty_row);
  add_masked("additive mask", false, additive_mask);
  add_masked("learnt mask", false, additive_mask, /*constants=*/0, "*");
}

void register_local_attention() {
  const auto add_window = [&](const std::string& what, const AttentionWindow& window,
                              double dropout = 0) {
    add({.name = "local_attention",
         .what = what,
         .call =
             [=](const Tensors& x) {
               Generator generator(5);
               return local_attention(x[0], x[1], x[2], window, {}, dropout, 0.8, generator);
             },
         .samples = plain_samples(),
         .sized = rows_of_qkv,
         .reference =
             [=](const Tensors& x) {
               return local_attention_reference(x[0], x[1], x[2], window, {}, dropout, 0.8, {5, 0});
             },
         .condition = 16,
         .random = dropout > 0});
  };
  add_window("no limit", {});
  add_window("one to the left", {.left = 1, .right = 0});
  add_window("both sides", {.left = 3, .right = 1});
  add_window("after a cache", {.right = 0, .offset = 1});
  add_window("with empty rows at the end", {.left = 0, .right = 0, .offset = 2});
  add_window("with empty rows at the start", {.left = 2, .right = 1, .offset = -2});
  add_window("dropout", {.left = 2, .right = 2}, 0.4);

  const auto add_masked = [&](const std::string& what, const MakeMask& make_mask, int constants = 1,
                              const std::string& node = "") {
    const AttentionWindow window{.left = 2, .right = 0};
    add({.name = "local_attention",
         .what = what,
         .call = [=](const Tensors& x) { return local_attention(x[0], x[1], x[2], window, x[3]); },
         .samples = masked_samples(make_mask),
         .sized = masked_rows(make_mask),
         .reference =
             [=](const Tensors& x) {
               return local_attention_reference(x[0], x[1], x[2], window, x[3], 0, {}, {});
             },
         .node = node,
         .constants = constants,
         .condition = 16});
  };
  add_masked("boolean mask", mask_with_empty_row);
  add_masked("additive mask", additive_mask);
  add_masked("learnt mask", additive_mask, /*constants=*/0, "*");
}

/// The formula in primitive ops.
Tensor composed_rotary(const Tensor& x, const Tensor& cos, const Tensor& sin, bool interleaved) {
  const int64_t d = x.size(-1);
  const Tensor a = interleaved ? slice(x, -1, 0, d, 2) : slice(x, -1, 0, d / 2);
  const Tensor b = interleaved ? slice(x, -1, 1, d, 2) : slice(x, -1, d / 2, d);
  const Tensor y1 = a * cos - b * sin, y2 = b * cos + a * sin;
  return interleaved ? flatten(stack({y1, y2}, -1), -2, -1) : cat({y1, y2}, -1);
}

void register_rotary() {
  for (const bool interleaved : {false, true})
    add({.name = "rotary_embedding",
         .what = interleaved ? "interleaved" : "halves",
         .call = [=](const Tensors& x) { return rotary_embedding(x[0], x[1], x[2], interleaved); },
         .samples = {{values({1, 2}), values({1, 1}), values({1, 1})},
                     {values({3, 4}), values({3, 2}), values({3, 2})},
                     {values({2, 3, 2, 6}), values({2, 3}), values({2, 3})}},
         .sized =
             [](int64_t rows, int64_t n) {
               return Tensors{values({2, rows, 2 * n}), values({rows, n}), values({rows, n})};
             },
         .reference =
             [=](const Tensors& x) { return composed_rotary(x[0], x[1], x[2], interleaved); },
         .constants = 2});
}

}  // namespace

void register_attention() {
  register_full_attention();
  register_local_attention();
  register_rotary();
}

}  // namespace tarsier::test
