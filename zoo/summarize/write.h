#pragma once
// Writes summaries with a trained Summarizer: beam search with a cache of keys and values.

#include <cstdint>
#include <string>
#include <vector>

#include "../transformer/beam.h"
#include "documents.h"
#include "model.h"

namespace tarsier::zoo::summarize {

/// The best summary of a document, without begin and end: numbers of the vocabulary and of the
/// document's own words. At most as long as the document and 10 words more, and as
/// options.max_length. The model must be in eval().
std::vector<int32_t> summarize(Summarizer& model, const Document& document,
                               transformer::BeamOptions options);

/// What a summary was made of. T words and the end.
struct Origin {
  std::vector<double> copied;  ///< (T + 1): the share of the word's probability that was copied
  Tensor attention;            ///< (T + 1, S): the pointer's
};
Origin origin_of(Summarizer& model, const Document& document, const std::vector<int32_t>& summary);

}  // namespace tarsier::zoo::summarize
