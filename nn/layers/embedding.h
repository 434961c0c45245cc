#pragma once
// Lookup tables of vectors.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../module.h"
#include "quantizable.h"

namespace tarsier::nn {

/// Row weight[index] for every index: (…) i64 → (…, embedding_dim).
/// weight starts normal with standard deviation 1. The row `padding_idx`, if given, starts as zeros
/// and gets no gradient.
/// Throws Error("embedding") unless 0 ≤ index < num_embeddings.
/// As https://pytorch.org/docs/stable/generated/torch.nn.Embedding.html
struct Embedding : Layer<Embedding>, Quantizable {
  Tensor weight;              ///< (num_embeddings, embedding_dim)
  QuantizedMatrix quantized;  ///< in its place after nn::quantize_
  std::optional<int64_t> padding_idx;

  Embedding(int64_t num_embeddings, int64_t embedding_dim, std::optional<int64_t> padding = {});

  Tensor forward(const Arg& index);
  /// x · weightᵀ, the score of every row: (…, embedding_dim) → (…, num_embeddings). An output layer
  /// that is tied to the table (Press & Wolf, 2017).
  Tensor scores(const Arg& x) const { return multiplied(*this, x, weight, quantized); }

  int64_t num_embeddings() const { return weight.defined() ? weight.size(0) : quantized.rows(); }
  int64_t embedding_dim() const { return weight.defined() ? weight.size(1) : quantized.cols(); }
  std::vector<QuantizableMatrix> matrices() override { return {{"weight", &weight, &quantized}}; }

  std::string extra_repr() const override;
};

/// The mean, the sum or the largest elements of the rows weight[index] of every bag of indices.
/// Bags are the rows of a matrix, (B, T) i64 → (B, embedding_dim); or parts of one list (n), where
/// bag i starts at offsets[i] and ends where the next one starts:
/// (n), (B) i64 → (B, embedding_dim).
/// An empty bag gives zeros. The index `padding_idx`, if given, counts as none: it is not in the
/// bag, and its row starts as zeros and gets no gradient. Each row may have a weight of its own in
/// the sum: per_sample_weights, of the shape of the index. Of equal largest elements the first gets
/// the gradient. NaN counts as the largest (PyTorch skips it unless it comes first).
/// weight starts normal with standard deviation 1.
/// Throws Error("embedding_bag") for other shapes, for offsets that do not start at 0 or that
/// decrease, and for per_sample_weights in another mode than "sum"; Error("embedding") for an index
/// out of range.
/// As https://pytorch.org/docs/stable/generated/torch.nn.EmbeddingBag.html
class EmbeddingBag : public Layer<EmbeddingBag> {
 public:
  Tensor weight;  ///< (num_embeddings, embedding_dim)
  const std::string mode;
  std::optional<int64_t> padding_idx;

  /// `mode` is "mean", "sum" or "max".
  EmbeddingBag(int64_t num_embeddings, int64_t embedding_dim, std::string_view mode = "mean",
               std::optional<int64_t> padding = {});

  Tensor forward(const Arg& index, const Tensor& offsets = {},
                 const Tensor& per_sample_weights = {});

  std::string extra_repr() const override;

 private:
  struct Bags;
  static Bags bags_of_rows(const Tensor& index);
  static Bags bags_of_list(int64_t indices, const Tensor& offsets);
  static Tensor kept_places(const Tensor& index, int64_t padding, Bags& bags);
  static Tensor largest_places(const Tensor& rows, const Bags& bags);
  void check_weights(const Tensor& index, const Tensor& per_sample_weights) const;
  Tensor of_bags(const Tensor& index, const Bags& bags, const Tensor& factors);
};

}  // namespace tarsier::nn
