#include "zoo/pretrained/gpt2.h"

#include <vector>

#include "autograd/io/json.h"
#include "zoo/pretrained/hugging_face.h"
#include "zoo/pretrained/save.h"

namespace tarsier::zoo {

namespace {

constexpr std::string_view kPrefix = "transformer.";
constexpr const char* kHead = "lm_head.weight";
constexpr const char* kEmbedding = "wte.weight";
/// Aliases that transformers reads as well.
const std::vector<KeyAlias> kAliases = {{"hidden_size", "n_embd"},
                                        {"num_hidden_layers", "n_layer"},
                                        {"num_attention_heads", "n_head"},
                                        {"max_position_embeddings", "n_positions"}};

/// Whether the matrix of this name is (in, out) in transformers.
bool is_conv1d(std::string_view name) {
  return name.ends_with(".c_attn.weight") || name.ends_with(".c_proj.weight") ||
         name.ends_with(".c_fc.weight");
}

/// Refuses options that Gpt does not have.
void check_supported(const Pretrained& file, int64_t n_embd) {
  require_option(file.size("n_inner", 4 * n_embd) == 4 * n_embd, file, "n_inner");
  require_option(!file.flag("add_cross_attention", false), file, "add_cross_attention");
  require_option(file.flag("scale_attn_weights", true), file, "scale_attn_weights");
  require_option(!file.flag("scale_attn_by_inverse_layer_idx", false), file,
                 "scale_attn_by_inverse_layer_idx");
}

gpt::Config config_of(const Pretrained& file) {
  gpt::Config config;
  config.vocab_size = file.size("vocab_size");
  config.block_size = file.size(file.has("n_positions") ? "n_positions" : "n_ctx");
  config.n_layer = file.size("n_layer");
  config.n_head = file.size("n_head");
  config.n_embd = file.size("n_embd");
  config.dropout = file.number("resid_pdrop", 0.1);
  config.bias = true;
  config.activation = activation_of(file, "activation_function", "gelu_new");
  config.layer_norm_eps = file.number("layer_norm_epsilon", 1e-5);
  config.tied = file.is_tied(kHead, kEmbedding);
  check_supported(file, config.n_embd);
  return config;
}

}  // namespace

std::unique_ptr<gpt::Gpt> load_gpt2(const std::string& path, std::vector<std::string>* unused) {
  const Pretrained file = open_pretrained(path, "gpt2", kPrefix, kAliases);
  const gpt::Config config = config_of(file);
  // The file may hold a tied matrix under either name.
  const bool under_head = config.tied && !file.contains(kEmbedding) && file.contains(kHead);
  // Before making a model that the weights cannot fill and memory may not hold.
  file.require(under_head ? kHead : kEmbedding, {config.vocab_size, config.n_embd});
  file.require("wpe.weight", {config.block_size, config.n_embd});
  file.require(concat("h.", config.n_layer - 1, ".ln_1.weight"), {config.n_embd});

  auto gpt = make_empty<gpt::Gpt>(file, config);
  const auto source_of = [&](const std::string& name) -> Source {
    if (name == kHead && config.tied) return {};
    const std::string there = name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
    if (there == kEmbedding && under_head) return {{kHead}};
    return {{there}, is_conv1d(name)};
  };
  const auto is_constant = [](std::string_view name) {  // a duplicate tied head; old files' masks
    return name == kHead || name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias");
  };
  const std::vector<std::string> heads = load_weights(
      *gpt, file, source_of,
      {{"score.", "classifier.", "qa_outputs.", "multiple_choice_head."}, is_constant});
  if (unused != nullptr) *unused = heads;
  gpt->eval();
  return gpt;
}

namespace {

Json json_of(const gpt::Config& config) {
  check(config.position == nn::PositionKind::learned && !config.rms_norm && !config.qk_norm &&
            !config.swiglu,
        "gpt2",
        "the model has parts that GPT-2 lacks: it needs learned positions, layer norm,"
        " and neither qk_norm nor swiglu");
  Json json = Json::Object{
      {"architectures", Json::Array{"GPT2LMHeadModel"}},
      {"model_type", "gpt2"},
      {"vocab_size", config.vocab_size},
      {"n_positions", config.block_size},
      {"n_layer", config.n_layer},
      {"n_head", config.n_head},
      {"n_embd", config.n_embd},
      {"activation_function", name_of(config.activation)},
      {"layer_norm_epsilon", config.layer_norm_eps},
      {"resid_pdrop", config.dropout},
      {"embd_pdrop", config.dropout},
      {"attn_pdrop", config.dropout},
      {"tie_word_embeddings", config.tied},
      {"bos_token_id", Json()},
      {"eos_token_id", Json()},
  };
  if (config.vocab_size == 50257)  // GPT-2's own, that ends with the token between two texts
    for (const char* key : {"bos_token_id", "eos_token_id"}) json.set(key, config.vocab_size - 1);
  return json;
}

/// The weights, under transformers' names.
TensorDict weights_of(const gpt::Gpt& gpt) {
  TensorDict weights;
  for (const auto& [name, tensor] : nn::merged_state_dict(gpt)) {
    if (name == kHead && gpt.config.tied) continue;
    weights.add(name, is_conv1d(name) ? transpose(tensor, 0, 1) : tensor);
    // Every weight but the embeddings and the head has a bias.
    const bool has_bias = name.find(".h.") != name.npos || name.find(".ln_f.") != name.npos;
    if (gpt.config.bias || !has_bias) continue;
    const std::string stem = name.substr(0, name.size() - std::string_view("weight").size());
    weights.add(stem + "bias", zeros({tensor.size(0)}, tensor.dtype()));
  }
  return weights;
}

}  // namespace

void save_gpt2(const gpt::Gpt& gpt, const std::string& folder) {
  save_pretrained(folder, json_of(gpt.config), weights_of(gpt));
}

}  // namespace tarsier::zoo
