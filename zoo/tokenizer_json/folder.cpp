#include "zoo/tokenizer_json/folder.h"

#include <cstdint>
#include <utility>

#include "autograd/io/json.h"
#include "zoo/data/lines.h"
#include "zoo/data/text.h"

namespace tarsier::zoo::tokenizer_json {

namespace {

using Object = Json::Object;

Json read_json(const std::string& path) { return Json::parse(read_text_file(path), path); }

Object special_token(const char* content, int64_t id) {
  return {{"id", id}, {"content", content}, {"special", true}, {"normalized", false}};
}

/// GPT-2's files as a tokenizer.json.
Json gpt2(const std::string& vocab_path, const std::string& merges_path) {
  Json vocab = read_json(vocab_path);
  Json::Array merges, added;
  for (int64_t line = 1; const std::string& text : read_lines(merges_path))
    if (!text.empty() && !(line++ == 1 && text.starts_with("#version"))) merges.emplace_back(text);
  const char* const end = "<|endoftext|>";
  if (vocab.is_object())
    if (const Json* id = vocab.find(end); id != nullptr && id->is_int())
      added.emplace_back(special_token(end, id->as_int()));
  return Object{
      {"added_tokens", std::move(added)},
      {"pre_tokenizer", Object{{"type", "ByteLevel"}, {"add_prefix_space", false}}},
      {"decoder", Object{{"type", "ByteLevel"}}},
      {"model",
       Object{{"type", "BPE"}, {"vocab", std::move(vocab)}, {"merges", std::move(merges)}}}};
}

/// BERT's list of tokens as a tokenizer.json.
Json bert(const std::string& path, bool lower) {
  Object vocab;
  std::vector<std::string> tokens = read_lines(path);
  int64_t begin = -1, end = -1, id = 0;
  Json::Array added;
  for (std::string& token : tokens) {
    for (const char* special : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"})
      if (token == special) added.emplace_back(special_token(special, id));
    if (token == "[CLS]") begin = id;
    if (token == "[SEP]") end = id;
    vocab.emplace_back(std::move(token), id++);
  }
  check(begin >= 0 && end >= 0, "tokenizer", "'", path, "' lacks [CLS] or [SEP]");
  return Object{
      {"added_tokens", std::move(added)},
      {"normalizer", Object{{"type", "BertNormalizer"}, {"lowercase", lower}}},
      {"pre_tokenizer", Object{{"type", "BertPreTokenizer"}}},
      {"post_processor", Object{{"type", "BertProcessing"},
                                {"cls", Json::Array{"[CLS]", begin}},
                                {"sep", Json::Array{"[SEP]", end}}}},
      {"decoder", Object{{"type", "WordPiece"}}},
      {"model",
       Object{{"type", "WordPiece"}, {"unk_token", "[UNK]"}, {"vocab", std::move(vocab)}}}};
}

/// Whether tokenizer_config.json wants lower case, which is the default.
bool is_lower(const std::string& config) {
  if (!file_exists(config)) return true;
  const Json json = read_json(config);
  return Section(json, concat('\'', config, '\'')).flag("do_lower_case", true);
}

}  // namespace

TokenizerJson load_folder(const std::string& folder) {
  const auto file = [&](const char* name) { return folder + "/" + name; };
  const std::string whole = file("tokenizer.json"), vocab = file("vocab.json"),
                    merges = file("merges.txt"), list = file("vocab.txt");
  if (file_exists(whole)) return TokenizerJson::load(whole);
  if (file_exists(vocab) && file_exists(merges))
    return TokenizerJson(gpt2(vocab, merges), concat('\'', vocab, "' with merges.txt"));
  check(file_exists(list), "tokenizer", "'", folder,
        "' has no tokenizer.json, vocab.json with merges.txt, or vocab.txt, but ",
        describe_folder(folder));
  return TokenizerJson(bert(list, is_lower(file("tokenizer_config.json"))),
                       concat('\'', list, '\''));
}

}  // namespace tarsier::zoo::tokenizer_json
