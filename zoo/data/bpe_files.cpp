// Byte pairs in files: GPT-2's vocab.json and merges.txt, Hugging Face's tokenizer.json, and a part
// of config.json.

#include <optional>
#include <string>
#include <unordered_map>

#include "autograd/base/error.h"
#include "autograd/io/file.h"
#include "autograd/io/json.h"
#include "zoo/data/bpe.h"
#include "zoo/data/byte_characters.h"
#include "zoo/data/lines.h"
#include "zoo/data/text.h"

namespace tarsier::zoo {

// ------------------------------------------------------------------------------------ vocabularies

Bpe::WrittenMerge Bpe::split_merge(const std::string& text, int64_t line,
                                   const std::string& source) {
  const size_t space = text.find(' ');
  check(space != std::string::npos && text.find(' ', space + 1) == std::string::npos, "bpe", source,
        ", line ", line, " is '", text, "', but must be two tokens with a space between");
  return {text.substr(0, space), text.substr(space + 1), line};
}

std::vector<Bpe::WrittenMerge> Bpe::merges_of(const Json& list, const std::string& source) {
  std::vector<WrittenMerge> merges;
  for (const Json& merge : list.as_array()) {
    const auto line = static_cast<int64_t>(merges.size()) + 1;
    if (merge.is_string()) {
      merges.push_back(split_merge(merge.as_string(), line, source));
      continue;
    }
    const bool is_pair = merge.is_array() && merge.as_array().size() == 2 &&
                         merge.as_array()[0].is_string() && merge.as_array()[1].is_string();
    check(is_pair, "bpe", source, ", line ", line, " is ", merge.dump(),
          ", but must be two tokens: \"a b\" or [\"a\", \"b\"]");
    merges.push_back({merge.as_array()[0].as_string(), merge.as_array()[1].as_string(), line});
  }
  return merges;
}

Bpe Bpe::from_parts(const Json& vocab, const std::string& vocab_source,
                    const std::vector<WrittenMerge>& merges, const std::string& merges_source) {
  Bpe out;
  out.tokens_.assign(vocab.as_object().size(), "");
  std::vector<bool> taken(out.tokens_.size());
  std::unordered_map<std::string, int32_t> id_of;  // as written
  for (const auto& [token, json] : vocab.as_object()) {
    const int64_t id = json.as_int();
    check(id >= 0 && id < out.size() && !taken[static_cast<size_t>(id)], "bpe", vocab_source,
          ": token '", token, "' has id ", id, "; the ids of ", out.size(), " tokens must be 0 to ",
          out.size() - 1, ", each once");
    taken[static_cast<size_t>(id)] = true;
    out.tokens_[static_cast<size_t>(id)] = token;
    id_of[token] = static_cast<int32_t>(id);
  }
  std::vector<bool> made(out.tokens_.size());
  for (unsigned byte = 0; byte < 256; ++byte) {
    const std::string character = encode_utf8(byte_characters().character[byte]);
    const auto found = id_of.find(character);
    check(found != id_of.end(), "bpe", vocab_source, " has no token '", character, "' for byte ",
          byte, ": this is not a vocabulary of GPT-2's kind");
    out.byte_tokens_[byte] = found->second;
    made[static_cast<size_t>(found->second)] = true;
  }
  for (const auto& [left, right, line] : merges) {
    const auto find = [&](const std::string& token) {
      const auto found = id_of.find(token);
      check(found != id_of.end(), "bpe", merges_source, ", line ", line, ": '", token,
            "' is not in ", vocab_source);
      return found->second;
    };
    const Pair pair = {find(left), find(right)};
    const int32_t token = find(left + right);
    check(!out.merge_of_.contains(pair), "bpe", merges_source, ", line ", line, ": '", left, ' ',
          right, "' is there twice");
    out.add_merge(pair, token);
    made[static_cast<size_t>(token)] = true;
  }
  for (size_t id = 0; id < out.tokens_.size(); ++id) {
    if (!made[id]) {
      out.specials_[out.tokens_[id]] = static_cast<int32_t>(id);
      continue;
    }
    const std::optional<std::string> bytes = bytes_of(out.tokens_[id]);
    check(bytes.has_value(), "bpe", vocab_source, ": token '", out.tokens_[id],
          "' has a character that stands for no byte: this is not a vocabulary of GPT-2's kind");
    out.tokens_[id] = *bytes;
  }
  return out;
}

// ----------------------------------------------------------------------------------- GPT-2's files

Bpe Bpe::load(const std::string& vocab_file, const std::string& merges_file) {
  const Json vocab = Json::parse(read_text_file(vocab_file), vocab_file);
  const std::string source = concat('\'', merges_file, '\'');
  std::vector<WrittenMerge> merges;
  for (int64_t line = 1; const std::string& text : read_lines(merges_file)) {
    if (!text.empty() && !(line == 1 && text.starts_with("#version")))
      merges.push_back(split_merge(text, line, source));
    ++line;
  }
  return from_parts(vocab, concat('\'', vocab_file, '\''), merges, source);
}

void Bpe::save(const std::string& vocab_file, const std::string& merges_file) const {
  const Json json = to_json();
  std::string lines = "#version: 0.2\n";
  for (const Json& merge : json["merges"].as_array()) lines += merge.as_string() + '\n';
  write_file_atomically(vocab_file, json["vocab"].dump());
  write_file_atomically(merges_file, lines);
}

Bpe Bpe::from_json(const Json& json) {
  const std::string source = "the list of merges";
  return from_parts(json["vocab"], "the vocabulary", merges_of(json["merges"], source), source);
}

Json Bpe::to_json() const {
  Json::Object vocab;
  for (int32_t id = 0; id < size(); ++id) vocab.emplace_back(written(id), int64_t{id});
  Json::Array merges;
  for (const auto& [left, right] : merges_)
    merges.emplace_back(written(left) + ' ' + written(right));
  return Json::Object{{"vocab", std::move(vocab)}, {"merges", std::move(merges)}};
}

// ---------------------------------------------------------------------------------- tokenizer.json

namespace {

/// tokenizer.json, which describes every step of the tokenizer.
class TokenizerFile {
 public:
  explicit TokenizerFile(const std::string& path)
      : source_(concat('\'', path, '\'')), json_(Json::parse(read_text_file(path), path)) {
    check(json_.is_object(), "bpe", source_, ": expected an object {…}");
    check_normalizer();
    check_pieces();
    check_model();
  }

  /// The tokens of the model, followed by the added ones.
  Json vocabulary() const {
    const Json::Object& own = member("vocab").as_object();
    std::unordered_map<std::string_view, const Json*> id_of;
    for (const auto& [token, id] : own) id_of[token] = &id;
    Json::Object all = own;
    for (const Json& added : added_tokens()) {
      const Json *content = added.is_object() ? added.find("content") : nullptr,
                 *id = content != nullptr ? added.find("id") : nullptr;
      check(id != nullptr && id->is_int() && content->is_string(), "bpe", source_,
            ": an added token is ", added.dump(), ", but must have an id and a content");
      const auto found = id_of.find(content->as_string());
      if (found == id_of.end()) {
        all.emplace_back(content->as_string(), *id);
        continue;
      }
      check(*found->second == *id, "bpe", source_, ": the added token '", content->as_string(),
            "' has id ", id->as_int(), ", but ", found->second->dump(), " in the vocabulary");
    }
    return all;
  }

  /// A member of the model. Throws Error("bpe") if it is missing.
  const Json& member(const char* key) const {
    const Json* value = json_["model"].find(key);
    check(value != nullptr, "bpe", source_, ": the model has no '", key, "'");
    return *value;
  }
  const std::string& source() const { return source_; }

 private:
  [[noreturn]] void refuse(const std::string& what, const Json& value) const {
    constexpr size_t kShown = 80;
    std::string text = value.dump();
    if (text.size() > kShown) text = text.substr(0, text.find('}')) + "…";
    fail("bpe", source_, ": ", what, " is ", text,
         ", which is not supported: only tokenizers that do what GPT-2's ",
         "does can be read: byte pairs of ByteLevel pieces, without a normalizer");
  }

  /// The steps of a part of the file: none for null, those of a Sequence, or the part itself.
  Json::Array steps(const char* part, const char* list) const {
    const Json* value = json_.find(part);
    if (value == nullptr || value->is_null()) return {};
    if (!value->is_object()) refuse(concat("the ", part), *value);
    const Json *type = value->find("type"), *items = value->find(list);
    const bool is_sequence = type != nullptr && *type == Json("Sequence");
    if (!is_sequence) return {*value};
    if (items == nullptr || !items->is_array()) refuse(concat("the ", part), *value);
    return items->as_array();
  }

  void check_normalizer() const {
    if (!steps("normalizer", "normalizers").empty()) refuse("the normalizer", json_["normalizer"]);
  }

  /// Requires GPT-2's pieces: no space before the first word, and its regular expression.
  void check_pieces() const {
    const Json::Array found = steps("pre_tokenizer", "pretokenizers");
    const auto is = [&](const char* key, const Json& expected) {
      const Json* value = found[0].find(key);
      return value != nullptr && *value == expected;
    };
    if (found.size() != 1 || !found[0].is_object() || !is("type", "ByteLevel") ||
        !is("add_prefix_space", false) || is("use_regex", false))
      refuse("the pre_tokenizer",
             json_.find("pre_tokenizer") != nullptr ? json_["pre_tokenizer"] : Json());
  }

  /// Refuses options that would change ids.
  void check_model() const {
    const Json* model = json_.find("model");
    check(model != nullptr && model->is_object(), "bpe", source_, " has no model");
    const Json* type = model->find("type");
    if (type != nullptr && *type != Json("BPE")) refuse("the type of the model", *type);
    for (const char* key :
         {"dropout", "continuing_subword_prefix", "end_of_word_suffix", "ignore_merges"}) {
      const Json* value = model->find(key);
      const bool is_off = value == nullptr || value->is_null() || *value == Json("") ||
                          *value == Json(false) || (value->is_number() && value->as_double() == 0);
      if (!is_off) refuse(concat("'", key, "' of the model"), *value);
    }
    check(member("vocab").is_object() && member("merges").is_array(), "bpe", source_,
          ": the vocab of the model must be an object, and its merges an array");
    for (const auto& [token, id] : member("vocab").as_object())
      check(id.is_int(), "bpe", source_, ": token '", token, "' has id ", id.dump());
  }

  Json::Array added_tokens() const {
    const Json* added = json_.find("added_tokens");
    if (added == nullptr || added->is_null()) return {};
    check(added->is_array(), "bpe", source_, ": added_tokens must be an array");
    return added->as_array();
  }

  std::string source_;
  Json json_;
};

}  // namespace

Bpe Bpe::load_tokenizer(const std::string& path) {
  const TokenizerFile file(path);
  const std::string source = concat("the merges of ", file.source());
  return from_parts(file.vocabulary(), file.source(), merges_of(file.member("merges"), source),
                    source);
}

Bpe Bpe::load_folder(const std::string& folder) {
  const std::string vocab = folder + "/vocab.json", merges = folder + "/merges.txt",
                    tokenizer = folder + "/tokenizer.json";
  if (file_exists(vocab) && file_exists(merges)) return load(vocab, merges);
  check(file_exists(tokenizer), "bpe", "'", folder,
        "' has neither vocab.json and merges.txt nor tokenizer.json, but ",
        describe_folder(folder));
  return load_tokenizer(tokenizer);
}

}  // namespace tarsier::zoo
