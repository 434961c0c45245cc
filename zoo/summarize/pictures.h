#pragma once
// Summaries on the page of a run.

#include <string>
#include <vector>

#include "../data/parallel.h"
#include "../data/tokenizer.h"
#include "../report/page.h"
#include "../transformer/beam.h"
#include "model.h"

namespace tarsier::zoo::summarize {

/// Adds examples of `text` with what the model writes: which words it copies, and where it looks.
/// Documents are cut to `max_length` tokens. Under NoGrad, in eval().
void add_summaries(Page& page, const ParallelText& text, Summarizer& model,
                   const Tokenizer& tokenizer, const transformer::BeamOptions& beam,
                   int64_t max_length);

}  // namespace tarsier::zoo::summarize
