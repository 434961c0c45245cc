#pragma once
// Data for summarization without a download: the comments above the project's own declarations, of
// which the name is the summary.

#include <string>
#include <string_view>
#include <vector>

#include "../../autograd/base/random.h"
#include "embedded.h"
#include "parallel.h"

namespace tarsier::zoo {

/// The words of a name, in lower case: "max_length" and "maxLength" → "max length"; a "k" before a
/// capital, as constants have it here, is left out: "kEndToken" → "end token".
std::string words_of_name(std::string_view name);

/// The name that a declaration in C++ declares: that after struct, class or enum, or the one before
/// the first parenthesis, brace, semicolon or equals sign. "" if it has none, or is an operator.
std::string declared_name(std::string_view declaration);

/// Every comment of lines that begin with /// in a header, and the words of the name declared under
/// it. Comments of fewer than four words, and such as occurred before, are left out. Of the pairs,
/// in an order drawn from `key`, 8 of 10 train, 1 validates, 1 tests.
/// Throws Error("data") if there are fewer than 10.
ParallelFolder declarations_data(const std::vector<EmbeddedFile>& files, RandomKey key);

}  // namespace tarsier::zoo
