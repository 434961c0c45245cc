#pragma once
// Writing that can copy: the next word comes from the vocabulary or from the document.
//
//   p(w) = g · softmax(z)_w  +  (1 − g) · Σ_{s: source_s = w} a_s,      g = σ(u)
//
// z are the logits of the vocabulary (V), a the attention to the S words of the document, u the
// logit of the gate g: how sure the model is that the word is one to generate. Words that the
// vocabulary lacks have numbers of their own in each document, V, V + 1, …: the first term is 0 for
// them, the second is not. So a model of few words can write every name in a document.
//
// The loss is −log p(next). Both terms may be too small for a float, so it is computed from
// logarithms:
//   log p = logaddexp(log σ(u) + log softmax(z)_w,  log σ(−u) + log Σ a_s)
//   log Σ a_s = logsumexp of log a_s over the s with source_s = w
// With r = share of the second term in p, the gradients are
//   d log p / du = (1 − r)(1 − g) − r·g = 1 − r − g     a pull of the gate towards 1 − r
//   d log p / dz = (1 − r) · (one_hot(w) − softmax(z))  the usual one, as far as w was generated
//   d log p / d log a_s = r · a_s / Σ a                 for the s that hold w, as far as it was copied
// Nobody says which words are copies: r, the model's own guess, shares the credit.
//
// Source: See et al. 2017, "Get to the point: summarization with pointer-generator networks".
//
// B batch, T and S time (words of summary and document), N words to predict, V vocabulary.

#include <cstdint>
#include <vector>

#include "../../autograd/ops.h"

namespace tarsier::zoo::summarize {

/// What the words written so far say about each place of the document, as values 0 and 1:
///   [0] the word before it is the one written last: to copy it continues a phrase
///   [1] the two words before it are the two written last
///   [2] its word was written already
/// source (B, S) i64, target (B, T) i64, the words up to each step → 3 of (B, T, S), f32. Nothing
/// that a network could not learn; but attention that matches neighbours appears late in training,
/// and copying of phrases with it.
/// Source: Olsson et al. 2022, "In-context learning and induction heads".
std::vector<Tensor> phrase_evidence(const Tensor& source, const Tensor& target);
constexpr int64_t kEvidence = 3;

/// log Σ_{s: source_s = next_t} a_ts: log_attention (B, T, S), source (B, S) i64, next (B, T) i64 →
/// (B, T). About −10⁹ where the document does not have the word. Padding must have an attention
/// of 0, which is a logarithm of −10⁹ or less.
Tensor log_copied(const Tensor& log_attention, const Tensor& source, const Tensor& next);

/// log p of words: u (N), log softmax(z)_w (N), log Σ a_s (N) → (N).
Tensor log_mixture(const Tensor& gate_logit, const Tensor& log_generated, const Tensor& log_copied);

/// p of all `size` words, those of the vocabulary and those of the document: u (N), z (N, V),
/// log a (N, S), source (N, S) i64 → (N, size). Every row sums to 1.
Tensor distribution(const Tensor& gate_logit, const Tensor& logits, const Tensor& log_attention,
                    const Tensor& source, int64_t size);

/// Coverage: how much each step attends to what was attended to before,
///   Σ_s min(a_ts, c_ts),   c_t = Σ_{t' < t} a_t'
/// from 0 (something new) to 1: attention (B, T, S) → (B, T). As a part of the loss it keeps the
/// model from saying things twice.
Tensor coverage(const Tensor& attention);

}  // namespace tarsier::zoo::summarize
