#include "zoo/pretrained/bert.h"

#include <algorithm>
#include <vector>

#include "autograd/ops.h"
#include "zoo/pretrained/encoder.h"
#include "zoo/pretrained/save.h"

namespace tarsier::zoo {

namespace {

constexpr std::string_view kPrefix = "bert.";
constexpr const char* kEmbedding = "embeddings.word_embeddings.weight";
constexpr const char* kDecoder = "cls.predictions.decoder.weight";
constexpr const char* kDecoderBias = "cls.predictions.decoder.bias";
constexpr const char* kBias = "cls.predictions.bias";
const QueryKeyValue kQueryKeyValue = {"query.", "key.", "value."};

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
    {"decoder.weight", kDecoder},
};
const std::vector<Renaming> kOldNames = {{"LayerNorm.weight", "LayerNorm.gamma"},
                                         {"LayerNorm.bias", "LayerNorm.beta"}};

struct BertFile {
  Pretrained file;
  bert::Config config;
  /// The name of the word embedding in the file: if it is tied to the decoder, the file may hold it
  /// under either name.
  std::string embedding = kEmbedding;
};

/// Opens a file and checks that its sizes match its weights.
BertFile open_bert(const std::string& path) {
  BertFile opened{.file = open_pretrained(path, "bert", kPrefix), .config = {}};
  const Pretrained& file = opened.file;
  require_option(file.text("position_embedding_type", "absolute") == "absolute", file,
                 "position_embedding_type");
  require_option(!file.flag("is_decoder", false), file, "is_decoder");
  require_option(!file.flag("add_cross_attention", false), file, "add_cross_attention");

  bert::Config& config = opened.config;
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
  config.tie_word_embeddings = file.is_tied(kDecoder, kEmbedding);
  if (config.tie_word_embeddings && !file.contains(kEmbedding) && file.contains(kDecoder))
    opened.embedding = kDecoder;

  // Before making a model that the weights cannot fill and memory may not hold.
  const int64_t C = config.hidden_size;
  file.require(opened.embedding, {config.vocab_size, C});
  file.require("embeddings.position_embeddings.weight", {config.max_position_embeddings, C});
  file.require("embeddings.token_type_embeddings.weight", {config.type_vocab_size, C});
  file.require(concat("encoder.layer.", config.num_hidden_layers - 1, ".intermediate.dense.weight"),
               {config.intermediate_size, C});
  return opened;
}

/// Loads all of `model`; `unused` gets the names of the weights of other heads.
void load(nn::Module& model, const BertFile& opened, std::vector<std::string>* unused) {
  const Pretrained& file = opened.file;
  const bool is_tied = opened.config.tie_word_embeddings;
  const bool old_names = file.contains("embeddings.LayerNorm.gamma");
  // If there are two biases, transformers adds the decoder's.
  const std::string bias = file.contains(kDecoderBias) ? kDecoderBias : kBias;
  const auto source_of = [&](const std::string& name) -> Source {
    if (name == "decoder.weight" && is_tied) return {};
    if (name == "decoder.bias") return {{bias}};
    const std::string there =
        renamed(name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name, kRenamings);
    if (there == kEmbedding) return {{opened.embedding}};
    return unpacked(old_names ? renamed(there, kOldNames) : there, kQueryKeyValue);
  };
  const auto is_constant = [&](std::string_view name) {  // or a duplicate
    return name == "embeddings.position_ids" ||          // 0, 1, 2, …, in old files
           (name == kDecoder && is_tied) || (name == kBias && file.are_same(kBias, kDecoderBias));
  };
  const std::vector<std::string> heads = load_weights(
      model, file, source_of, {{"cls.", "pooler.", "classifier.", "qa_outputs."}, is_constant});
  if (unused != nullptr) *unused = heads;
  model.eval();
}

}  // namespace

std::unique_ptr<bert::Bert> load_bert(const std::string& path, std::vector<std::string>* unused) {
  const BertFile opened = open_bert(path);
  const bool with_pooler = opened.file.contains("pooler.dense.weight");
  auto model = make_empty<bert::Bert>(opened.file, opened.config, with_pooler);
  load(*model, opened, unused);
  return model;
}

std::unique_ptr<bert::BertForMaskedLM> load_bert_for_masked_lm(const std::string& path,
                                                               std::vector<std::string>* unused) {
  const BertFile opened = open_bert(path);
  auto model = make_empty<bert::BertForMaskedLM>(opened.file, opened.config);
  load(*model, opened, unused);
  return model;
}

std::unique_ptr<bert::BertForSequenceClassification> load_bert_for_sequence_classification(
    const std::string& path, std::vector<std::string>* unused) {
  const BertFile opened = open_bert(path);
  const int64_t num_labels = rows_of(opened.file, "classifier.weight");
  auto model =
      make_empty<bert::BertForSequenceClassification>(opened.file, opened.config, num_labels);
  load(*model, opened, unused);
  return model;
}

// ------------------------------------------------------------------------------------------ saving

namespace {

Json json_of(const bert::Config& config, const std::string& architecture) {
  return Json::Object{
      {"architectures", Json::Array{architecture}},
      {"model_type", "bert"},
      {"vocab_size", config.vocab_size},
      {"hidden_size", config.hidden_size},
      {"num_hidden_layers", config.num_hidden_layers},
      {"num_attention_heads", config.num_attention_heads},
      {"intermediate_size", config.intermediate_size},
      {"hidden_act", name_of(config.hidden_act)},
      {"hidden_dropout_prob", config.dropout},
      {"attention_probs_dropout_prob", config.dropout},
      {"max_position_embeddings", config.max_position_embeddings},
      {"type_vocab_size", std::max(config.type_vocab_size, int64_t{1})},
      {"initializer_range", config.initializer_range},
      {"layer_norm_eps", config.layer_norm_eps},
      {"pad_token_id", 0},
      {"tie_word_embeddings", config.tie_word_embeddings},
  };
}

/// Weights with the names of zoo/bert/model.h, under transformers' names.
TensorDict renamed_weights(const TensorDict& ours, const bert::Config& config) {
  TensorDict weights;
  for (const auto& [name, tensor] : ours) {
    if (name == "decoder.weight" && config.tie_word_embeddings) continue;
    const bool is_body = name.starts_with(kPrefix);
    const std::string there =
        name == "decoder.bias" ? kBias
                               : renamed(is_body ? name.substr(kPrefix.size()) : name, kRenamings);
    Source source = unpacked(there, kQueryKeyValue);
    for (std::string& part : source.names) part.insert(0, is_body ? kPrefix : "");
    add_parts(weights, source, tensor);
  }
  if (config.type_vocab_size == 0)
    weights.add(concat(kPrefix, "embeddings.token_type_embeddings.weight"),
                zeros({1, config.hidden_size}));
  return weights;
}

}  // namespace

void save_bert_for_masked_lm(const bert::BertForMaskedLM& model, const std::string& folder) {
  const bert::Config& config = model.bert.config;
  save_pretrained(folder, json_of(config, "BertForMaskedLM"),
                  renamed_weights(model.state_dict(), config));
}

void save_bert_classifier(const std::string& architecture, const bert::Config& config,
                          const TensorDict& weights, const std::vector<std::string>& labels,
                          const std::string& folder) {
  Json json = json_of(config, architecture);
  add_labels(json, labels);
  save_pretrained(folder, json, renamed_weights(weights, config));
}

}  // namespace tarsier::zoo
