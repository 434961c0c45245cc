#pragma once
// The tokenizer of a saved model, also of the files that were written before tokenizer.json.

#include <string>

#include "tokenizer_json.h"

namespace tarsier::zoo::tokenizer_json {

/// The tokenizer in `folder`: tokenizer.json; or else GPT-2's vocab.json and merges.txt; or BERT's
/// vocab.txt, in lower case unless tokenizer_config.json says do_lower_case: false.
/// Throws Error("tokenizer") that lists the files if there is none of them.
TokenizerJson load_folder(const std::string& folder);

}  // namespace tarsier::zoo::tokenizer_json
