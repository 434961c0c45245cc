#pragma once
// The tokens of a run as Hugging Face's tokenizers read them: tokenizer.json.
// Source: https://huggingface.co/docs/tokenizers

#include <optional>
#include <string>

#include "../../autograd/io/json.h"

namespace tarsier::zoo {

/// What stands around the tokens of a text, and what else a model knows.
struct TokenizerExtras {
  bool begins = false;    ///< <bos> before every text
  std::string mask = {};  ///< the name of one more token after the last; "" for none
};

/// tokenizer.json for `tokens`: the characters of a text as one string, or what
/// Tokenizer::to_json() says. None for words, which tokenizers cannot cut as words.h does.
///   characters   byte pairs without any merge; unknown ones are left out, or <unk> if there is one
///   byte pairs   GPT-2's pieces and merges
/// The names of special tokens (<pad>, <unk>, <bos>, <eos>) stand for these tokens in a text too.
/// Throws Error("json"), Error("tokenizer"), Error("bpe").
std::optional<Json> tokenizer_file(const Json& tokens, const TokenizerExtras& extras = {});

/// tokenizer_config.json for it: texts of up to `longest` tokens, and the special tokens.
Json tokenizer_config(const Json& tokenizer, int64_t longest);

/// The tokens by their ids: an object of id → token. For those who cut their words themselves.
Json token_list(const Json& tokens, const TokenizerExtras& extras = {});

}  // namespace tarsier::zoo
