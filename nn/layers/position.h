#pragma once
// The positions of tokens. Attention alone sees a set of tokens without order. There are four ways
// to give it the order:
//
//   learned, sinusoidal   a vector per position, added to the tokens before the first layer
//   rotary                queries and keys rotated by angles that grow with the position
//   alibi                 a penalty on the scores that grows with the distance
//
// The first two are layers of the model (input_positions makes one by its kind). The others act
// inside attention (the option `position` of GroupedQueryAttention).

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "../module.h"

namespace tarsier::nn {

enum class PositionKind { none, learned, sinusoidal, rotary, alibi };

/// The kind with this name: position_kind("rotary"). Throws Error("position_kind"), which lists all
/// names, for an unknown one.
PositionKind position_kind(std::string_view name);
std::string_view position_name(PositionKind kind);

// ---------------------------------------------------------------------------- added to the input

/// The positions p = offset … offset + T − 1 as vectors, (T, C):
///   PE[p, 2i] = sin(p / 10000^{2i/C}),   PE[p, 2i + 1] = cos(p / 10000^{2i/C})
/// If C is odd, the last column is a sine.
/// Throws Error("sinusoidal_positions") for negative arguments.
/// Source: Vaswani et al. 2017, "Attention is all you need", 3.5.
Tensor sinusoidal_positions(int64_t T, int64_t C, DType dtype = f32, int64_t offset = 0);

/// The base of learned and sinusoidal positions: y = x + PE, the same for all sequences of a batch:
/// (…, T, C) → (…, T, C). The first of the T tokens is at position `offset`: when decoding, the
/// number of earlier tokens.
class InputPositions : public Layer<InputPositions> {
 public:
  const int64_t embed_dim;

  Tensor forward(const Arg& x, int64_t offset = 0);

 protected:
  /// `op` is the name in errors.
  InputPositions(const char* op, int64_t embed_dim);
  /// PE of positions offset … offset + T − 1: (T, C).
  virtual Tensor rows(int64_t T, DType dtype, int64_t offset) = 0;

 private:
  const char* op_;
};

/// Keeps the rows for the positions of the last call, and some more: the next call mostly needs the
/// same rows, or, when decoding, the next one. It is a cache and not a buffer: to(f64) of a buffer
/// would keep the rounding of f32, so rows are recomputed for another dtype. Several threads may
/// use it at once.
class PositionTable {
 public:
  using Make = std::function<Tensor(int64_t T, int64_t offset)>;
  /// `make` computes the rows of positions offset … offset + T − 1, in f64.
  explicit PositionTable(Make make);

  /// The rows of positions offset … offset + T − 1. A view.
  Tensor rows(int64_t T, DType dtype, int64_t offset);

 private:
  struct Table;
  Make make_;
  std::shared_ptr<Table> table_;
};

/// y = x + sinusoidal_positions(T, C): (…, T, C) → (…, T, C). No parameters, no limit of T.
/// Throws Error("sinusoidal_positions") for other shapes and a negative offset.
struct SinusoidalPositions : InputPositions {
  explicit SinusoidalPositions(int64_t embed_dim);
  std::string type_name() const override { return "SinusoidalPositions"; }
  std::string extra_repr() const override { return concat(embed_dim); }

 private:
  Tensor rows(int64_t T, DType dtype, int64_t offset) override {
    return table_.rows(T, dtype, offset);
  }
  PositionTable table_;
};

/// y = x + weight[offset … offset + T − 1]: (…, T, C) → (…, T, C). weight starts normal with
/// standard deviation 0.02, as in GPT-2.
/// Throws Error("learned_positions") for other shapes, a negative offset, and positions ≥ max_len.
/// Source: Gehring et al. 2017, "Convolutional sequence to sequence learning"; Radford et al. 2019,
/// "Language models are unsupervised multitask learners".
struct LearnedPositions : InputPositions {
  Tensor weight;  ///< (max_len, C)

  LearnedPositions(int64_t max_len, int64_t embed_dim);
  std::string type_name() const override { return "LearnedPositions"; }
  std::string extra_repr() const override { return concat(weight.size(0), ", ", embed_dim); }

 private:
  Tensor rows(int64_t T, DType dtype, int64_t offset) override;
};

/// The layer of this kind, or null for kinds that add nothing to the input. Call it with
/// positions(x, offset). Its only key is "weight" (learned): registered as wpe, it has GPT-2's key.
std::unique_ptr<InputPositions> input_positions(PositionKind kind, int64_t max_len,
                                                int64_t embed_dim);

// ------------------------------------------------------------------------------ inside attention

struct RotaryOptions {
  double base = 10000;       ///< of the wavelengths; rope_theta in Hugging Face's configs
  bool interleaved = false;  ///< which elements form a pair; see RotaryEmbedding
  int64_t rotary_dim = 0;    ///< the number of elements to rotate, from the first; 0: all
  double factor = 1;         ///< divides the positions, for texts longer than in training (Chen et
                             ///< al. 2023, "position interpolation"; rope_type "linear")
};

/// Rotates queries or keys (…, T, D) by angles that grow with the position p, which is offset …
/// offset + T − 1, so that q · k depends only on the distance. Pair i = 0 … R/2 − 1 of the first
/// R = rotary_dim elements rotates by θ = p / factor / base^{2i/R}:
///   (x₁, x₂) → (x₁·cos θ − x₂·sin θ, x₂·cos θ + x₁·sin θ),
/// where the pair is (x[i], x[i + R/2]), as in Llama and GPT-NeoX; or with `interleaved`
/// (x[2i], x[2i + 1]), as in the paper and GPT-J. No parameters.
///   q = rotary(q, cache.length()), k = rotary(k, cache.length());
/// Throws Error("rotary_embedding") if R is odd or too large, for another D, and for a negative
/// offset.
/// Source: Su et al. 2021, "RoFormer: enhanced transformer with rotary position embedding".
class RotaryEmbedding : public Layer<RotaryEmbedding> {
 public:
  const int64_t head_dim, rotary_dim;
  const RotaryOptions options;

  explicit RotaryEmbedding(int64_t head_dim, const RotaryOptions& options = {});

  Tensor forward(const Arg& x, int64_t offset = 0);

  std::string extra_repr() const override;

 private:
  Tensor theta(int64_t T, int64_t offset) const;

  PositionTable cos_, sin_;  ///< (T, R/2)
};

/// The slopes of ALiBi: m_h = 2^{−8h/H}, h = 1 … H. If H is not a power of two, the slopes of the
/// next lower power n, and then every second slope of 2n. Shape (H).
/// Throws Error("alibi") unless H is positive.
Tensor alibi_slopes(int64_t num_heads, DType dtype = f32);

/// Attention with linear biases: −m_h · |i + offset − j|, to be added to the score of query i and
/// key j before the softmax: (H, T, S). Query 0 is at the position of key `offset`.
/// A view of H · (T + S) numbers, since it depends only on the distance: clone it before you change
/// it. Throws Error("alibi") for sizes that are not positive, and for a negative offset.
/// Source: Press et al. 2022, "Train short, test long: attention with linear biases enables input
/// length extrapolation".
Tensor alibi_bias(int64_t num_heads, int64_t T, int64_t S, int64_t offset = 0, DType dtype = f32);

}  // namespace tarsier::nn
