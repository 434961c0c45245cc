#include "zoo/tokenizer_json/tokenizer_json.h"

#include <algorithm>
#include <utility>

#include "autograd/io/json.h"
#include "zoo/data/byte_characters.h"
#include "zoo/data/text.h"

namespace tarsier::zoo::tokenizer_json {

TokenizerJson TokenizerJson::load(const std::string& path) {
  return TokenizerJson(Json::parse(read_text_file(path), concat('\'', path, '\'')),
                       concat('\'', path, '\''));
}

TokenizerJson::TokenizerJson(const Json& json, const std::string& source) {
  const Section file(json, source);
  normalizer_ = Normalizer(file);
  pre_tokenizer_ = PreTokenizer(file);
  if (pre_tokenizer_.needs_first() && normalizer_.may_remove())
    file.refuse("a Metaspace for the first word after a normalizer that removes characters");
  model_ = read_model(file);
  added_ = AddedTokens(file, model_->vocabulary, normalizer_);
  post_processor_ = PostProcessor(file);
  decoder_ = Decoder(file);
  for (const Vocabulary* part : {&std::as_const(model_->vocabulary), &added_.vocabulary()})
    for (const auto& [token, id] : part->ids()) size_ = std::max(size_, int64_t{id} + 1);
}

std::vector<int32_t> TokenizerJson::tokens_of(std::string_view text) const {
  check_utf8(text, "the text");
  std::vector<int32_t> out;
  for (Stretch& stretch : added_.cut(text, normalizer_)) {
    if (stretch.id >= 0) {
      out.push_back(stretch.id);
      continue;
    }
    for (const Piece& piece : pre_tokenizer_({std::move(stretch.text), stretch.is_first}))
      model_->encode(piece.text, out);
  }
  return out;
}

std::vector<int32_t> TokenizerJson::encode(std::string_view text, bool specials) const {
  return post_processor_(tokens_of(text), nullptr, specials).ids;
}

Encoding TokenizerJson::encode_pair(std::string_view first, std::string_view second,
                                    bool specials) const {
  const std::vector<int32_t> other = tokens_of(second);
  return post_processor_(tokens_of(first), &other, specials);
}

int32_t TokenizerJson::id_of(std::string_view token) const {
  const int32_t added = added_.vocabulary().id_of(token);
  return added >= 0 ? added : model_->vocabulary.id_of(token);
}

const std::string* TokenizerJson::token_of(int32_t id) const {
  const std::string* added = added_.vocabulary().token_of(id);
  return added != nullptr ? added : model_->vocabulary.token_of(id);
}

std::string TokenizerJson::decode(const std::vector<int32_t>& ids, bool skip_specials) const {
  std::vector<std::string> tokens;
  for (const int32_t id : ids)
    if (const std::string* token = token_of(id);
        token != nullptr && !(skip_specials && is_special(id)))
      tokens.push_back(*token);
  return decoder_(std::move(tokens));
}

std::string TokenizerJson::added(int32_t id, int32_t before) const {
  const std::string* token = token_of(id);
  if (token == nullptr || is_special(id)) return "";
  if (decoder_.is_byte_level()) return bytes_of(*token).value_or(*token);
  const std::string first = decode({before}), both = decode({before, id});
  return both.substr(std::min(first.size(), both.size()));
}

}  // namespace tarsier::zoo::tokenizer_json
