#pragma once
// The tokenizer.json of Hugging Face's tokenizers: text to ids and back, as a model of theirs needs
// it.
// Source: https://huggingface.co/docs/tokenizers

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "added_tokens.h"
#include "decoder.h"
#include "model.h"
#include "normalizer.h"
#include "post_processor.h"
#include "pre_tokenizer.h"

namespace tarsier::zoo::tokenizer_json {

/// A tokenizer that was read from a file. Its ids are those of the tokenizers library; truncation and
/// padding, which the file may ask for, are left to the caller.
class TokenizerJson {
 public:
  /// Throws Error("tokenizer") that names the file, the place in it and what is wrong or not
  /// supported; Error("json") with the byte for what is not JSON; Error("data") for what cannot be
  /// read.
  static TokenizerJson load(const std::string& path);
  /// The same of the content of a file.
  TokenizerJson(const Json& json, const std::string& source);

  /// The tokens of a text, and with `specials` those that the file puts around it ([CLS], <s>).
  /// Throws Error("data") for a text that is not UTF-8.
  std::vector<int32_t> encode(std::string_view text, bool specials = true) const;
  /// The same of two texts that belong together, with their types.
  Encoding encode_pair(std::string_view first, std::string_view second, bool specials = true) const;

  /// The text of tokens. Ids without a token are left out, and so are special tokens if
  /// `skip_specials`.
  std::string decode(const std::vector<int32_t>& ids, bool skip_specials = true) const;

  /// What token `id` adds to a text that ends with token `before`. Tokens of bytes give these, also
  /// parts of a character; special tokens give nothing.
  std::string added(int32_t id, int32_t before) const;

  /// The largest id, and 1.
  int64_t size() const { return size_; }
  /// The id of a token as the file writes it, or −1.
  int32_t id_of(std::string_view token) const;
  /// The token as the file writes it, or null.
  const std::string* token_of(int32_t id) const;
  bool is_special(int32_t id) const { return added_.is_special(id); }

 private:
  std::vector<int32_t> tokens_of(std::string_view text) const;

  std::unique_ptr<Model> model_;
  Normalizer normalizer_;
  PreTokenizer pre_tokenizer_;
  AddedTokens added_;
  PostProcessor post_processor_;
  Decoder decoder_;
  int64_t size_ = 0;
};

}  // namespace tarsier::zoo::tokenizer_json
