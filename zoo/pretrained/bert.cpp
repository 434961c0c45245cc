#include "zoo/pretrained/bert.h"

#include <algorithm>
#include <vector>

#include "zoo/pretrained/encoder.h"

namespace tarsier::zoo {

namespace {

constexpr std::string_view kPrefix = "bert.";

const std::vector<Renaming> kRenamings = {
    {"word_embeddings.", "embeddings.word_embeddings."},
    {"position_embeddings.", "embeddings.position_embeddings."},
    {"token_type_embeddings.", "embeddings.token_type_embeddings."},
    {"embedding_norm.", "embeddings.LayerNorm."},
    {"encoder.layers.", "encoder.layer."},
    {".self_attn.in_proj_", ".attention.self.in_proj_"},
    {".self_attn.out_proj.", ".attention.output.dense."},
    {".norm1.", ".attention.output.LayerNorm."},
    {".linear1.", ".intermediate.dense."},
    {".linear2.", ".output.dense."},
    {".norm2.", ".output.LayerNorm."},
    {"transform.", "cls.predictions.transform.dense."},
    {"transform_norm.", "cls.predictions.transform.LayerNorm."},
    {"decoder.bias", "cls.predictions.bias"},
};
const std::vector<Renaming> kOldNames = {{"LayerNorm.weight", "LayerNorm.gamma"},
                                         {"LayerNorm.bias", "LayerNorm.beta"}};

struct BertFile {
  Pretrained file;
  BertConfig config;
};

/// A file of sizes that its weights can fill.
BertFile open_bert(const std::string& path) {
  BertFile opened{open_pretrained(path, "bert", kPrefix), {}};
  const Pretrained& file = opened.file;
  require_option(file.text("position_embedding_type", "absolute") == "absolute", file,
                 "position_embedding_type");
  require_option(!file.flag("is_decoder", false), file, "is_decoder");
  require_option(!file.flag("add_cross_attention", false), file, "add_cross_attention");

  BertConfig& config = opened.config;
  config.vocab_size = file.size("vocab_size");
  config.hidden_size = file.size("hidden_size");
  config.num_hidden_layers = file.size("num_hidden_layers");
  config.num_attention_heads = file.size("num_attention_heads");
  config.intermediate_size = file.size("intermediate_size");
  config.hidden_act = activation_of(file, "hidden_act");
  config.dropout = file.number("hidden_dropout_prob", 0.1);
  config.max_position_embeddings = file.size("max_position_embeddings");
  config.type_vocab_size = file.size("type_vocab_size");
  config.layer_norm_eps = file.number("layer_norm_eps", 1e-12);

  // Before a model is made that the weights cannot fill, and the memory may not hold.
  const int64_t C = config.hidden_size;
  file.require("embeddings.word_embeddings.weight", {config.vocab_size, C});
  file.require("embeddings.position_embeddings.weight", {config.max_position_embeddings, C});
  file.require("embeddings.token_type_embeddings.weight", {config.type_vocab_size, C});
  file.require(concat("encoder.layer.", config.num_hidden_layers - 1, ".intermediate.dense.weight"),
               {config.intermediate_size, C});
  return opened;
}

/// Loads all of `model`, and leaves in the file what begins with one of `heads`.
void load(nn::Module& model, const Pretrained& file, const std::vector<std::string_view>& heads) {
  const bool old_names = file.weights.contains("embeddings.LayerNorm.gamma");
  load_weights(
      model, file,
      [&](const std::string& name) -> Source {
        if (name == "decoder.weight") return {};  // tied
        const std::string there =
            renamed(name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name, kRenamings);
        return unpacked(old_names ? renamed(there, kOldNames) : there);
      },
      [&](std::string_view name) {
        return name == "embeddings.position_ids" ||  // 0, 1, 2, …, in old files
               std::ranges::any_of(heads, [&](auto head) { return name.starts_with(head); });
      });
  model.eval();
}

}  // namespace

std::unique_ptr<Bert> load_bert(const std::string& path) {
  const auto [file, config] = open_bert(path);
  const bool with_pooler = file.weights.contains("pooler.dense.weight");
  auto model = make_empty<Bert>(file, config, with_pooler);
  load(*model, file, {"cls.", "classifier."});
  return model;
}

std::unique_ptr<BertForMaskedLM> load_bert_for_masked_lm(const std::string& path) {
  const auto [file, config] = open_bert(path);
  require_option(file.flag("tie_word_embeddings", true), file, "tie_word_embeddings");
  auto model = make_empty<BertForMaskedLM>(file, config);
  load(*model, file,
       {"cls.predictions.decoder.", "cls.seq_relationship.", "pooler.", "classifier."});
  return model;
}

std::unique_ptr<BertForSequenceClassification> load_bert_for_sequence_classification(
    const std::string& path) {
  const auto [file, config] = open_bert(path);
  const int64_t num_labels = rows_of(file, "classifier.weight");
  auto model = make_empty<BertForSequenceClassification>(file, config, num_labels);
  load(*model, file, {"cls."});
  return model;
}

}  // namespace tarsier::zoo
