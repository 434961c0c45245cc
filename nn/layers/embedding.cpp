#include "nn/layers/embedding.h"

#include <algorithm>
#include <vector>

#include "nn/init.h"

namespace tarsier::nn {

// ---- Embedding

Embedding::Embedding(int64_t num_embeddings, int64_t embedding_dim, std::optional<int64_t> padding)
    : padding_idx(padding) {
  check(num_embeddings > 0 && embedding_dim > 0, "embedding", num_embeddings, " rows of ",
        embedding_dim, ": both must be positive");
  register_parameter("weight", weight, Tensor::empty({num_embeddings, embedding_dim}));
  normal_(weight);
  if (!padding_idx) return;
  check(*padding_idx >= -num_embeddings && *padding_idx < num_embeddings, "embedding",
        "padding_idx ", *padding_idx, " of ", num_embeddings, " rows: use ", -num_embeddings,
        " to ", num_embeddings - 1);
  if (*padding_idx < 0) *padding_idx += num_embeddings;
  zeros_(select(weight.detach(), 0, *padding_idx));
}

Tensor Embedding::forward(const Arg& index) {
  const Tensor y = embedding(index, {weight, index.at});
  if (!padding_idx) return y;
  // The padding row is looked up like the others, but gets no gradient.
  return where(unsqueeze(index == static_cast<double>(*padding_idx), -1), y.detach(), y);
}

std::string Embedding::extra_repr() const {
  std::string text = concat(weight.size(0), ", ", weight.size(1));
  if (padding_idx) text += concat(", padding_idx=", *padding_idx);
  return text;
}

// ---- EmbeddingBag

EmbeddingBag::EmbeddingBag(int64_t num_embeddings, int64_t embedding_dim, std::string_view mode)
    : mode(mode) {
  check(num_embeddings > 0 && embedding_dim > 0, "embedding_bag", num_embeddings, " rows of ",
        embedding_dim, ": both must be positive");
  check(mode == "mean" || mode == "sum", "embedding_bag", "mode '", mode, "': use mean or sum");
  register_parameter("weight", weight, Tensor::empty({num_embeddings, embedding_dim}));
  normal_(weight);
}

Tensor EmbeddingBag::forward(const Arg& index, const Tensor& offsets) {
  const Arg rows(embedding(index, {weight, index.at}), index.at);
  if (!offsets.defined()) {
    check(index.dim() == 2, "embedding_bag", "index of shape ", index.shape(),
          ": expected (B, T), or (n) with offsets");
    check(mode == "sum" || index.size(1) > 0, "embedding_bag", "index of shape ", index.shape(),
          ": bags of nothing have no mean");
    return mode == "mean" ? mean(rows, 1) : sum(rows, 1);
  }
  check(index.dim() == 1 && offsets.dim() == 1 && offsets.dtype() == i64, "embedding_bag",
        "index of shape ", index.shape(), " with offsets of shape ", offsets.shape(), " and dtype ",
        offsets.dtype(), ": expected (n) and (B), i64");
  // The bag of every index, and one over the number of indices of every bag.
  const std::vector<int64_t> begin = offsets.to_vector<int64_t>();
  std::vector<int64_t> bag;
  std::vector<double> factor;
  for (size_t b = 0; b < begin.size(); ++b) {
    const int64_t end = b + 1 < begin.size() ? begin[b + 1] : index.numel();
    check((b > 0 || begin[b] == 0) && begin[b] <= end, "embedding_bag", "offset ", b, " is ",
          begin[b], " before ", end, ": offsets begin at 0 and do not fall, up to the ",
          index.numel(), " indices");
    bag.insert(bag.end(), static_cast<size_t>(end - begin[b]), static_cast<int64_t>(b));
    factor.push_back(1 / static_cast<double>(std::max<int64_t>(end - begin[b], 1)));
  }
  check(!begin.empty() || index.numel() == 0, "embedding_bag", "no offsets for ", index.numel(),
        " indices: the first bag begins at 0");
  const int64_t bags = offsets.numel();
  const Tensor of_bag = expand(unsqueeze(from_vector(bag, {index.numel()}), 1), rows.shape());
  const Tensor y = scatter_add(zeros({bags, weight.size(1)}, rows.dtype()), 0, of_bag, rows);
  return mode == "sum" ? y : y * tarsier::to(from_vector(factor, {bags, 1}), rows.dtype());
}

std::string EmbeddingBag::extra_repr() const {
  return concat(weight.size(0), ", ", weight.size(1), ", mode='", mode, "'");
}

}  // namespace tarsier::nn
