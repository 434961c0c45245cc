#pragma once
// Universal Transformer: reads a story and answers the questions in it.
//
//   the words of each line (U, W) → reader: one vector for a line                       (U, C)
//   the lines of stories, the questions among them                                      (B, L, C)
//     → `steps` times the same block: x ← block(x + signal of the step)                 (B, L, C)
//     → at the questions: norm → dropout → head: scores of the answers                  (N, A)
//
// The depth is a loop, not a stack of layers. At each step a question looks at the lines before it
// and takes something along, then looks again: "where is the milk" finds who took it, then where
// that person went. A statement does the same with the statements before it, and so becomes part of
// a memory of what is true by now; it does not see the questions. So one pass answers all questions
// of a story, and any line can be looked at by many.
//
// What a line is to another depends on how long ago it was, not on its place in the story. So time
// enters as a learned function of the distance, added to the scores of attention (below).
//
// With halting every line decides for itself after how many steps its vector is final
// (nn/layers/adaptive_computation.h).
//
// Sources: Dehghani et al. 2019, "Universal Transformers"; a vector for a line, and time counted
// back from the question: Sukhbaatar et al. 2015, "End-to-end memory networks".
//
// B stories, L lines, U different lines of up to W words, N questions, C width, H heads, A answers.

#include <cstdint>
#include <memory>
#include <vector>

#include "../../nn/nn.h"

namespace tarsier::zoo::question_answering {

struct Config {
  int64_t words = 100;     ///< of the vocabulary
  int64_t answers = 10;    ///< A
  int64_t max_words = 40;  ///< of a line
  int64_t width = 64;      ///< C
  int64_t steps = 5;       ///< how often the block is applied, at most
  int64_t heads = 4;       ///< H; divides the width
  int64_t mlp_width = 256;
  int64_t word_layers = 1;  ///< layers that read a line
  double dropout = 0.05;
  bool halting = false;  ///< whether lines may stop before the last step
};

/// Makes a vector of each line. A word is its embedding and two signals, of its place from the
/// start of the line and from its end: "the kitchen" ends many lines of different length. A small
/// encoder lets the words of a line see each other; the vector is what it makes of the first one,
/// which is a mark, plus the sum of all embeddings, so that lines with the same words are alike
/// from the start.
struct LineReader : nn::Layer<LineReader> {
  nn::Embedding embedding;
  nn::Embedding from_start, from_end;  ///< (max_words + 1, C)
  nn::Dropout dropout;
  nn::TransformerEncoder encoder;  ///< pre-norm, with a layer norm at the end

  explicit LineReader(const Config& config);

  /// words (U, W) i64, padding (U, W) bool: true where no word is → (U, C).
  /// Throws Error("question_answering") for lines of more than max_words words after the mark.
  Tensor forward(const Arg& words, const Tensor& padding);
};

/// The block that is repeated: x + attention(norm1(x)), then x + mlp(norm2(x)).
struct Block : nn::Layer<Block> {
  const int64_t heads;
  nn::LayerNorm norm1;
  nn::Linear in_proj;  ///< (3C, C): the maps of query, key and value
  nn::Linear out_proj;
  nn::LayerNorm norm2;
  nn::Linear linear1, linear2;
  nn::Dropout dropout;

  explicit Block(const Config& config);

  /// x (B, L, C), bias (B, H, L, L), added to the scores → (B, L, C). Writes the weights of the
  /// attention, (B, H, L, L), to `weights` if given.
  Tensor forward(const Arg& x, const Tensor& bias, Tensor* weights = nullptr);
};

/// The stories of a batch (readings.h says what each tensor is).
struct Input {
  Tensor padding;  ///< (U, W) bool
  Tensor lines;    ///< (B, L) i64
  Tensor times;    ///< (B, L)
  Tensor hidden;   ///< (B, L, L) bool
  Tensor present;  ///< (B, L) bool
  Tensor places;   ///< (N) i64
};

struct Thought {
  Tensor scores;  ///< (N, A): of every answer
  Tensor ponder;  ///< (): the mean over all lines of steps and remainder; with halting
  Tensor steps;   ///< (N): the steps that each question took
  std::vector<Tensor> weights;  ///< of each step, if wanted: (B, H, L, L)
};

struct UniversalReader : nn::Layer<UniversalReader> {
  const Config config;
  LineReader reader;
  /// What time means to each head, (H, 4): a head adds 4 · Σ_f distance[h, f] · φ_f(d) to the score
  /// of a line d statements ago, with φ(d) = (d = 0, d = 1, ln(1 + d), d / 8). Heads start with
  /// different shares of the logarithm: some look at everything, others at what is new.
  Tensor distance;
  Tensor signals;  ///< (steps, C): of each step
  Block block;
  std::unique_ptr<nn::AdaptiveComputation> halting;  ///< null without halting
  nn::LayerNorm norm;
  nn::Dropout dropout;
  nn::Linear head;

  /// Starts with matrices Xavier-uniform, embeddings and signals N(0, 0.1²), biases 0. The maps of
  /// query and key start equal and orthogonal: at first lines look at lines with the same words.
  /// Throws Error("question_answering") if the sizes do not fit together.
  explicit UniversalReader(const Config& config, Generator& generator = default_generator());

  /// words (U, W) i64: the different lines.
  Thought forward(const Arg& words, const Input& input, bool with_weights = false);

 private:
  Tensor bias_of(const Input& input, DType dtype) const;
};

}  // namespace tarsier::zoo::question_answering
