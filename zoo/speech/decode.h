#pragma once
// From log p of the tokens at every moment to a text: greedy and beam search for CTC.
//
// A path has a token, or the blank, for every moment. It writes the text that is left when repeated
// tokens are merged, and then blanks are removed: 0 1 1 0 1 2 writes 1 1 2, where 0 is the blank.

#include <cstdint>
#include <vector>

#include "../../autograd/tensor/tensor.h"

namespace tarsier::zoo::speech {

/// A token of the likeliest path.
struct Span {
  int32_t token = 0;
  int64_t begin = 0, end = 0;  ///< moments begin … end − 1
  double score = 0;            ///< the mean of its probability over them
};

/// The likeliest path, log_probs (T, V): the likeliest token of each moment (of equal ones the
/// first), merged, without blanks. As torchaudio.functional.merge_tokens.
/// Throws Error("ctc_decode") for another shape, and for NaN.
std::vector<Span> greedy_spans(const Tensor& log_probs);

struct Transcript {
  std::vector<int32_t> tokens;
  double log_probability = 0;  ///< of the text: of all paths to it that were followed
};

/// Nearly the likeliest texts, the best first: prefix beam search. Many paths write the same text,
/// and the likeliest text may differ from that of the likeliest path. Of every prefix of a text, the
/// probability of its paths that end in a blank, p_b, and of the others, p_n, is followed:
///   p_b'(l) = p(blank) · (p_b(l) + p_n(l))
///   p_n'(l) = p(last token) · p_n(l)
///   p_n'(l c) += p(c) · (p_b(l) + p_n(l)),  without p_n(l) if c repeats the last token,
/// and after each moment the `beams` likeliest prefixes are kept (of equal ones the first in the
/// order of their tokens). With enough beams the result is exact.
/// Throws Error("ctc_decode") unless beams is positive, for another shape, and for NaN.
/// Source: Graves and Jaitly 2014, "Towards end-to-end speech recognition with recurrent neural
/// networks"; Hannun et al. 2014, "First-pass large vocabulary continuous speech recognition using
/// bi-directional recurrent DNNs".
std::vector<Transcript> beam_texts(const Tensor& log_probs, int64_t beams);

/// The transcript with the largest log p − cost · tokens, of equal ones the first: where two texts
/// are about as likely, the shorter one. CTC decides at every moment on its own, so a word whose
/// place is uncertain may be written twice. Throws Error("ctc_decode") if there is none.
const Transcript& cheapest(const std::vector<Transcript>& transcripts, double cost);

}  // namespace tarsier::zoo::speech
