#pragma once
// Where a token stands. Attention by itself sees a set of tokens without order; here are the four
// ways of telling it:
//
//   learned, sinusoidal   a vector per position, added to the tokens before the first layer
//   rotary                queries and keys turned by angles that grow with the position
//   alibi                 a penalty on the scores that grows with the distance
//
// The first two are layers of the model (input_positions makes the one that a name asks for), the
// others act inside of attention (the option `position` of GroupedQueryAttention).

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "../module.h"

namespace tarsier::nn {

enum class PositionKind { none, learned, sinusoidal, rotary, alibi };

/// The kind of that name: position_kind("rotary"). Throws Error("position_kind"), which lists the
/// names, for others.
PositionKind position_kind(std::string_view name);
std::string_view position_name(PositionKind kind);

// ---------------------------------------------------------------------------- added to the input

/// PE[p, 2i] = sin(p / 10000^{2i/C}), PE[p, 2i + 1] = cos(p / 10000^{2i/C}) for the positions p =
/// offset … offset + T − 1: (T, C). Where C is odd, the last column is a sine.
/// Throws Error("sinusoidal_positions") for negative arguments.
/// Source: Vaswani et al. 2017, "Attention is all you need", 3.5.
Tensor sinusoidal_positions(int64_t T, int64_t C, DType dtype = f32, int64_t offset = 0);

/// What learned and sinusoidal positions have in common: y = x + PE, the same for all sequences of
/// a batch: (…, T, C) → (…, T, C). The first of the T tokens stands at `offset`: when decoding, the
/// number of tokens that went before.
class InputPositions : public Layer<InputPositions> {
 public:
  const int64_t embed_dim;

  Tensor forward(const Arg& x, int64_t offset = 0);

 protected:
  /// Errors bear the tag `op`.
  InputPositions(const char* op, int64_t embed_dim);
  /// PE of positions offset … offset + T − 1: (T, C).
  virtual Tensor rows(int64_t T, DType dtype, int64_t offset) = 0;

 private:
  const char* op_;
};

/// Keeps the rows of the positions that were asked for last, and some after them: the next call
/// mostly asks for the same, or, when decoding, for the next one. It is a cache, not a buffer:
/// to(f64) would keep the rounding of f32, so another dtype computes them again. Several threads
/// may ask at once.
class PositionTable {
 public:
  using Make = std::function<Tensor(int64_t T, int64_t offset)>;
  /// `make` computes the rows of positions offset … offset + T − 1, in f64.
  explicit PositionTable(Make make) : make_(std::move(make)) {}

  /// The rows of positions offset … offset + T − 1. A view.
  Tensor rows(int64_t T, DType dtype, int64_t offset);

 private:
  Make make_;
  std::mutex mutex_;  ///< of the table, not of the memory it names: that is never written again
  Tensor table_;
  int64_t first_ = 0;  ///< the position of its row 0
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

/// y = x + weight[offset … offset + T − 1]: (…, T, C) → (…, T, C). Starts normal with deviation
/// 0.02, as GPT-2.
/// Throws Error("learned_positions") for other shapes, a negative offset, and tokens that stand
/// beyond max_len.
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

/// The layer of that kind, or null for the kinds that add nothing to the input. It is called
/// positions(x, offset), and its only key is "weight" (learned): under the name wpe, GPT-2's.
std::unique_ptr<InputPositions> input_positions(PositionKind kind, int64_t max_len,
                                                int64_t embed_dim);

// ------------------------------------------------------------------------------ inside attention

struct RotaryOptions {
  double base = 10000;       ///< of the wave lengths; Hugging Face: rope_theta
  bool interleaved = false;  ///< which elements are a pair; see RotaryEmbedding
  int64_t rotary_dim = 0;    ///< turn the first so many elements only; 0: all
  double factor = 1;         ///< positions are divided by it, for texts longer than trained on
                             ///< (Chen et al. 2023, "position interpolation"; rope_type "linear")
};

/// Turns queries or keys (…, T, D) by angles that grow with the position p = offset … offset + T −
/// 1, so that q · k depends on the distance alone. Pair i = 0 … R/2 − 1 of the first R = rotary_dim
/// elements turns by θ = p / factor / base^{2i/R}:
///   (x₁, x₂) → (x₁·cos θ − x₂·sin θ, x₂·cos θ + x₁·sin θ),
/// where the pair is (x[i], x[i + R/2]), as in Llama and GPT-NeoX; or with `interleaved`
/// (x[2i], x[2i + 1]), as in the paper and GPT-J. No parameters.
///   q = rotary(q, cache.length()), k = rotary(k, cache.length());
/// Throws Error("rotary_embedding") for an odd or too large R, another D, and a negative offset.
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

/// The slopes of ALiBi: m_h = 2^{−8h/H}, h = 1 … H; where H is no power of two, those of the power
/// n below it, and after them every second one of 2n: (H).
/// Throws Error("alibi") unless H is positive.
Tensor alibi_slopes(int64_t num_heads, DType dtype = f32);

/// Attention with linear biases: −m_h · |i + offset − j|, to be added to the scores of query i and
/// key j before the softmax: (H, T, S). Query 0 stands at key `offset`.
/// A view of H · (T + S) numbers, for it depends on the distance alone: make a clone to change it.
/// Throws Error("alibi") for sizes that are not positive, and a negative offset.
/// Source: Press et al. 2022, "Train short, test long: attention with linear biases enables input
/// length extrapolation".
Tensor alibi_bias(int64_t num_heads, int64_t T, int64_t S, int64_t offset = 0, DType dtype = f32);

}  // namespace tarsier::nn
