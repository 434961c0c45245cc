#include "nn/layers/embedding.h"

#include <algorithm>
#include <vector>

namespace tarsier::nn {

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

}  // namespace tarsier::nn
