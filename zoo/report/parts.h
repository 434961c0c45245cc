#pragma once
// Parts that the pages of several models share.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../data/tokenizer.h"
#include "../metrics/classifier_score.h"
#include "page.h"

namespace tarsier::zoo {

/// A section with the confusion matrix; above 40 classes only scores and the commonest mistakes.
void add_confusion(Page& page, const ConfusionMatrix& confusion,
                   const std::vector<std::string>& names);

/// The mistakes first, those of which the model was surest, then as many right answers as
/// requested, in the order of the data.
std::vector<Answer> worth_showing(const std::vector<Answer>& answers, size_t mistakes,
                                  size_t right);

/// "9, read as 4 (83 %)", or "4 (99 %)" if that is right.
std::string described(const Answer& answer, const std::vector<std::string>& names);

/// The values of a heat map as a collapsed table of percentages, for readers who want numbers.
void add_percent(Page& page, const std::vector<double>& values,
                 const std::vector<std::string>& row_labels,
                 const std::vector<std::string>& column_labels);

/// The self-attention of T positions: a large map of the last layer, averaged over its heads, and
/// a small one of every head. `weights` has (1, H, T, T) for each layer; `intro` says what a row is.
void add_attention(Page& page, const std::vector<Tensor>& weights,
                   const std::vector<std::string>& labels, std::string_view intro);

/// The text of each token, with its blanks; special tokens by name.
std::vector<std::string> text_pieces(const Tokenizer& tokenizer, const std::vector<int32_t>& ids);

/// The same of tokens as strings, as Tokenizer::split() gives them.
std::vector<std::string> text_pieces(const Tokenizer& tokenizer,
                                     const std::vector<std::string>& tokens);

/// Pieces as labels of a heat map: blanks between words left out, others made visible.
std::vector<std::string> as_labels(std::vector<std::string> pieces);
/// as_labels(text_pieces(tokenizer, ids)).
std::vector<std::string> token_labels(const Tokenizer& tokenizer, const std::vector<int32_t>& ids);

}  // namespace tarsier::zoo
