#include "zoo/export/tokenizer_file.h"

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "autograd/io/utf8.h"
#include "zoo/data/bpe.h"
#include "zoo/data/text.h"
#include "zoo/data/tokenizer.h"

namespace tarsier::zoo {

namespace {

/// The special tokens of every Tokenizer, by id, and what tokenizer_config.json calls them.
constexpr std::array<std::pair<std::string_view, std::string_view>, kSpecialTokens> kSpecial = {
    {{"<pad>", "pad_token"},
     {"<unk>", "unk_token"},
     {"<bos>", "bos_token"},
     {"<eos>", "eos_token"}}};

/// A vocabulary and its merges as the model of tokenizer.json has them.
struct Tokens {
  std::vector<std::string> names;  ///< by id
  std::vector<bool> special;       ///< by id
  Json::Array merges;
  bool bytes = false;  ///< names are bytes, each written as a printable character
  bool words = false;

  void add(const std::string& name, bool is_special) {
    names.push_back(name);
    special.push_back(is_special);
  }
};

void add_byte_pairs(Tokens& tokens, const Json& json) {
  tokens.bytes = true;
  for (const auto& [name, role] : kSpecial) tokens.add(std::string(name), true);
  const Bpe bpe = Bpe::from_json(json);
  const Json own = bpe.to_json();
  for (const auto& [name, id] : own["vocab"].as_object()) tokens.add(name, bpe.special(name) >= 0);
  for (const Json& merge : own["merges"].as_array()) {
    const std::string& pair = merge.as_string();
    const size_t space = pair.find(' ');
    tokens.merges.push_back(Json::Array{pair.substr(0, space), pair.substr(space + 1)});
  }
}

Tokens tokens_of(const Json& json, const TokenizerExtras& extras) {
  Tokens tokens;
  if (json.is_string()) {
    for (const char32_t character : decode_utf8(json.as_string(), "the characters"))
      tokens.add(encode_utf8(character), false);
  } else if (const std::string& kind = json["kind"].as_string(); kind == "bpe") {
    add_byte_pairs(tokens, json["bpe"]);
  } else {
    Tokenizer::from_json(json);  // throws for anything else
    tokens.words = kind == "words";
    for (const Json& name : json["tokens"].as_array())
      tokens.add(name.as_string(), std::ssize(tokens.names) < kSpecialTokens);
  }
  if (!extras.mask.empty()) tokens.add(extras.mask, true);
  return tokens;
}

Json added_token(int64_t id, const std::string& content) {
  return Json::Object{{"id", id},        {"content", content}, {"single_word", false},
                      {"lstrip", false}, {"rstrip", false},    {"normalized", false},
                      {"special", true}};
}

/// Puts <bos> before a text, and before both of a pair.
Json begin_of_text() {
  const auto text = [](const char* which) {
    return Json(Json::Object{{"Sequence", Json::Object{{"id", which}, {"type_id", 0}}}});
  };
  const std::string name(kSpecial[kBegin].first);
  const Json begin = Json::Object{{"SpecialToken", Json::Object{{"id", name}, {"type_id", 0}}}};
  const Json::Object special = {{name, Json::Object{{"id", name},
                                                    {"ids", Json::Array{int64_t{kBegin}}},
                                                    {"tokens", Json::Array{name}}}}};
  return Json::Object{{"type", "TemplateProcessing"},
                      {"single", Json::Array{begin, text("A")}},
                      {"pair", Json::Array{begin, text("A"), begin, text("B")}},
                      {"special_tokens", special}};
}

Json byte_level() {
  return Json::Object{{"type", "ByteLevel"},
                      {"add_prefix_space", false},
                      {"trim_offsets", true},
                      {"use_regex", true}};
}

}  // namespace

std::optional<Json> tokenizer_file(const Json& json, const TokenizerExtras& extras) {
  if (json.is_object() && json["kind"] == Json("tokenizer.json"))  // a gpt that started from GPT-2
    return Json::parse(json["file"].as_string(), "tokenizer.json");
  const Tokens tokens = tokens_of(json, extras);
  if (tokens.words) return {};
  Json::Object vocabulary;
  Json::Array added;
  for (size_t i = 0; i < tokens.names.size(); ++i) {
    const auto id = static_cast<int64_t>(i);
    vocabulary.emplace_back(tokens.names[i], id);
    if (tokens.special[i]) added.push_back(added_token(id, tokens.names[i]));
  }
  const bool has_unknown = !json.is_string() && !tokens.bytes;
  const Json none;
  return Json::Object{
      {"version", "1.0"},
      {"truncation", none},
      {"padding", none},
      {"added_tokens", added},
      {"normalizer", none},
      {"pre_tokenizer", tokens.bytes ? byte_level() : none},
      {"post_processor", extras.begins ? begin_of_text() : none},
      {"decoder", tokens.bytes ? byte_level() : Json(Json::Object{{"type", "Fuse"}})},
      {"model", Json::Object{{"type", "BPE"},
                             {"dropout", none},
                             {"unk_token", has_unknown ? Json(kSpecial[kUnknown].first) : none},
                             {"continuing_subword_prefix", none},
                             {"end_of_word_suffix", none},
                             {"fuse_unk", false},
                             {"byte_fallback", false},
                             {"ignore_merges", false},
                             {"vocab", vocabulary},
                             {"merges", tokens.merges}}}};
}

Json tokenizer_config(const Json& tokenizer, int64_t longest) {
  Json config = Json::Object{{"tokenizer_class", "PreTrainedTokenizerFast"},
                             {"model_max_length", longest},
                             {"clean_up_tokenization_spaces", false}};
  for (const Json& token : tokenizer["added_tokens"].as_array()) {
    const int64_t id = token["id"].as_int();
    const Json& name = token["content"];
    if (id < kSpecialTokens && name == Json(kSpecial[static_cast<size_t>(id)].first))
      config.set(kSpecial[static_cast<size_t>(id)].second, name);
    if (name == Json("[MASK]")) config.set("mask_token", name);
  }
  return config;
}

Json token_list(const Json& json, const TokenizerExtras& extras) {
  Json::Object list;
  for (const std::string& name : tokens_of(json, extras).names)
    list.emplace_back(std::to_string(list.size()), name);
  return list;
}

}  // namespace tarsier::zoo
