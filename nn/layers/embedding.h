#pragma once
// Lookup tables of vectors.

#include <optional>
#include <string>
#include <string_view>

#include "../module.h"

namespace tarsier::nn {

/// Row weight[index] for every index: (…) i64 → (…, embedding_dim).
/// weight starts normal with standard deviation 1. The row `padding_idx`, if given, starts as zeros
/// and gets no gradient.
/// Throws Error("embedding") unless 0 ≤ index < num_embeddings.
/// As https://pytorch.org/docs/stable/generated/torch.nn.Embedding.html
struct Embedding : Layer<Embedding> {
  Tensor weight;  ///< (num_embeddings, embedding_dim)
  std::optional<int64_t> padding_idx;

  Embedding(int64_t num_embeddings, int64_t embedding_dim, std::optional<int64_t> padding = {});

  Tensor forward(const Arg& index);

  std::string extra_repr() const override;
};

/// The mean or the sum of the rows weight[index] of every bag of indices. Bags are the rows of a
/// matrix, (B, T) i64 → (B, embedding_dim); or parts of one list (n), where bag i starts at
/// offsets[i] and ends where the next one starts: (n), (B) i64 → (B, embedding_dim). An empty bag
/// gives zeros. weight starts normal with standard deviation 1.
/// Throws Error("embedding_bag") for other shapes, and for offsets that do not start at 0 or that
/// decrease; Error("embedding") for an index out of range.
/// As https://pytorch.org/docs/stable/generated/torch.nn.EmbeddingBag.html
class EmbeddingBag : public Layer<EmbeddingBag> {
 public:
  Tensor weight;  ///< (num_embeddings, embedding_dim)
  const std::string mode;

  /// `mode` is "mean" or "sum".
  EmbeddingBag(int64_t num_embeddings, int64_t embedding_dim, std::string_view mode = "mean");

  Tensor forward(const Arg& index, const Tensor& offsets = {});

  std::string extra_repr() const override;
};

}  // namespace tarsier::nn
