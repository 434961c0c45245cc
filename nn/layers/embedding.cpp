#include "nn/layers/embedding.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "nn/init.h"

namespace tarsier::nn {
namespace {

void check_sizes(const char* op, int64_t num_embeddings, int64_t embedding_dim) {
  check(num_embeddings > 0 && embedding_dim > 0, op, num_embeddings, " rows of ", embedding_dim,
        ": both must be positive");
}

/// Sets the row of the padding to zeros, and counts it from the start.
void start_padding(const char* op, const Tensor& weight, std::optional<int64_t>& padding_idx) {
  if (!padding_idx) return;
  const int64_t rows = weight.size(0);
  check(*padding_idx >= -rows && *padding_idx < rows, op, "padding_idx ", *padding_idx, " of ",
        rows, " rows: use ", -rows, " to ", rows - 1);
  if (*padding_idx < 0) *padding_idx += rows;
  zeros_(select(weight.detach(), 0, *padding_idx));
}

}  // namespace

// ---- Embedding

Embedding::Embedding(int64_t num_embeddings, int64_t embedding_dim, std::optional<int64_t> padding)
    : padding_idx(padding) {
  check_sizes("embedding", num_embeddings, embedding_dim);
  register_parameter("weight", weight, Tensor::empty({num_embeddings, embedding_dim}));
  normal_(weight);
  start_padding("embedding", weight, padding_idx);
}

Tensor Embedding::forward(const Arg& index) {
  const CallScope here(index.at);
  if (quantized.defined()) {
    check_inference(*this, "embedding");
    return embedding(index, quantized);
  }
  const Tensor y = embedding(index, weight);
  if (!padding_idx) return y;
  // The padding row is looked up like the others, but gets no gradient.
  return where(unsqueeze(index == static_cast<double>(*padding_idx), -1), y.detach(), y);
}

std::string Embedding::extra_repr() const {
  std::string text = concat(num_embeddings(), ", ", embedding_dim());
  if (padding_idx) text += concat(", padding_idx=", *padding_idx);
  if (quantized.defined()) text += ", weight=int8";
  return text;
}

// ---- EmbeddingBag

namespace {

/// One number for every bag, (B, 1).
Tensor column(const std::vector<double>& numbers) {
  return from_vector(numbers, {static_cast<int64_t>(numbers.size()), 1});
}

}  // namespace

/// Which bag each index is in, and how many bags there are.
struct EmbeddingBag::Bags {
  std::vector<int64_t> bag;
  int64_t count = 0;
};

/// Those of the rows of a matrix.
EmbeddingBag::Bags EmbeddingBag::bags_of_rows(const Tensor& index) {
  Bags bags;
  bags.count = index.size(0);
  for (int64_t b = 0; b < bags.count; ++b)
    bags.bag.insert(bags.bag.end(), static_cast<size_t>(index.size(1)), b);
  return bags;
}

/// Those of a list of `indices`, which start at the offsets.
EmbeddingBag::Bags EmbeddingBag::bags_of_list(int64_t indices, const Tensor& offsets) {
  const std::vector<int64_t> begin = offsets.to_vector<int64_t>();
  const auto end = [&](size_t b) { return b + 1 < begin.size() ? begin[b + 1] : indices; };
  for (size_t b = 0; b < begin.size(); ++b)  // all, before memory is taken for any
    check((b > 0 || begin[b] == 0) && begin[b] <= end(b), "embedding_bag", "offset ", b, " is ",
          begin[b], " before ", end(b), ": offsets begin at 0 and do not fall, up to the ", indices,
          " indices");
  check(!begin.empty() || indices == 0, "embedding_bag", "no offsets for ", indices,
        " indices: the first bag begins at 0");
  Bags bags;
  bags.count = offsets.numel();
  for (size_t b = 0; b < begin.size(); ++b)
    bags.bag.insert(bags.bag.end(), static_cast<size_t>(end(b) - begin[b]),
                    static_cast<int64_t>(b));
  return bags;
}

/// The indices that are no padding, in their order.
Tensor EmbeddingBag::kept_places(const Tensor& index, int64_t padding, Bags& bags) {
  const std::vector<int64_t> values = index.to_vector<int64_t>();
  std::vector<int64_t> places, bag;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] == padding) continue;
    places.push_back(static_cast<int64_t>(i));
    bag.push_back(bags.bag[i]);
  }
  bags.bag = std::move(bag);
  const Shape shape = {static_cast<int64_t>(places.size())};
  return from_vector(places, shape);
}

/// The place of the largest element of every bag among the rows (n, C), the first of equals; NaN is
/// larger than all. 0 where a bag is empty. (B, C)
Tensor EmbeddingBag::largest_places(const Tensor& rows, const Bags& bags) {
  const Tensor in_order = contiguous(rows.detach());
  const int64_t C = rows.size(1);
  std::vector<int64_t> best(static_cast<size_t>(bags.count * C), -1);
  dispatch_floating(rows.dtype(), "embedding_bag", [&]<class T>() {
    const T* x = in_order.data<T>();
    for (size_t i = 0; i < bags.bag.size(); ++i)
      for (int64_t c = 0; c < C; ++c) {
        int64_t& place = best[static_cast<size_t>(bags.bag[i] * C + c)];
        const auto row = static_cast<int64_t>(i);
        if (place < 0 || (!std::isnan(x[place * C + c]) && !(x[row * C + c] <= x[place * C + c])))
          place = row;
      }
  });
  for (int64_t& place : best) place = std::max<int64_t>(place, 0);
  return from_vector(best, {bags.count, C});
}

EmbeddingBag::EmbeddingBag(int64_t num_embeddings, int64_t embedding_dim, std::string_view mode,
                           std::optional<int64_t> padding)
    : mode(mode), padding_idx(padding) {
  check_sizes("embedding_bag", num_embeddings, embedding_dim);
  check(mode == "mean" || mode == "sum" || mode == "max", "embedding_bag", "mode '", mode,
        "': use mean, sum or max");
  register_parameter("weight", weight, Tensor::empty({num_embeddings, embedding_dim}));
  normal_(weight);
  start_padding("embedding_bag", weight, padding_idx);
}

Tensor EmbeddingBag::forward(const Arg& index, const Tensor& offsets,
                             const Tensor& per_sample_weights) {
  const CallScope here(index.at);
  check_weights(index, per_sample_weights);
  Bags bags;
  if (offsets.defined()) {
    check(index.dim() == 1 && offsets.dim() == 1 && offsets.dtype() == i64, "embedding_bag",
          "index of shape ", index.shape(), " with offsets of shape ", offsets.shape(),
          " and dtype ", offsets.dtype(), ": expected (n) and (B), i64");
    bags = bags_of_list(index.numel(), offsets);
  } else {
    check(index.dim() == 2, "embedding_bag", "index of shape ", index.shape(),
          ": expected (B, T), or (n) with offsets");
    check(mode == "sum" || index.size(1) > 0, "embedding_bag", "index of shape ", index.shape(),
          ": an empty bag has no ", mode, "; use mode sum");
    if (!padding_idx && !per_sample_weights.defined() && mode != "max") {
      const Tensor rows = embedding(index, weight);
      return mode == "mean" ? mean(rows, 1) : sum(rows, 1);
    }
    bags = bags_of_rows(index);
  }
  Tensor list = flatten(index);
  Tensor factors = per_sample_weights.defined() ? flatten(per_sample_weights) : Tensor();
  if (padding_idx) {
    const Tensor places = kept_places(list, *padding_idx, bags);
    list = index_select(list, 0, places);
    if (factors.defined()) factors = index_select(factors, 0, places);
  }
  return of_bags(list, bags, factors);
}

void EmbeddingBag::check_weights(const Tensor& index, const Tensor& per_sample_weights) const {
  check(index.dtype() == i64, "embedding_bag", "index of ", index.dtype(),
        ": i64 is needed, convert it with to(x, i64)");
  if (!per_sample_weights.defined()) return;
  check(mode == "sum", "embedding_bag", "per_sample_weights with mode '", mode,
        "': they are for sum");
  check(per_sample_weights.shape() == index.shape() && per_sample_weights.dtype() == weight.dtype(),
        "embedding_bag", "per_sample_weights of ", per_sample_weights.dtype(), " and shape ",
        per_sample_weights.shape(), ": expected ", weight.dtype(), " and ", index.shape(),
        ", one for each index");
}

/// The rows of the indices (n), put together by bags.
Tensor EmbeddingBag::of_bags(const Tensor& index, const Bags& bags, const Tensor& factors) {
  const Tensor looked_up = embedding(index, weight);
  std::vector<double> sizes(static_cast<size_t>(bags.count));
  for (const int64_t bag : bags.bag) ++sizes[static_cast<size_t>(bag)];
  if (mode == "max" && index.numel() > 0) {
    const Tensor y = gather(looked_up, 0, largest_places(looked_up, bags));
    return where(column(sizes) == 0, 0.0, y);
  }
  const Tensor rows = factors.defined() ? looked_up * unsqueeze(factors, 1) : looked_up;
  const Tensor of_bag = expand(unsqueeze(from_vector(bags.bag, {index.numel()}), 1), rows.shape());
  const Tensor y = scatter_add(zeros({bags.count, weight.size(1)}, rows.dtype()), 0, of_bag, rows);
  if (mode != "mean") return y;
  for (double& size : sizes) size = 1 / std::max(size, 1.0);
  return y * tarsier::to(column(sizes), rows.dtype());
}

std::string EmbeddingBag::extra_repr() const {
  std::string text = concat(weight.size(0), ", ", weight.size(1), ", mode='", mode, "'");
  if (padding_idx) text += concat(", padding_idx=", *padding_idx);
  return text;
}

}  // namespace tarsier::nn
