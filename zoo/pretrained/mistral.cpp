#include "zoo/pretrained/mistral.h"

#include "zoo/pretrained/encoder.h"
#include "zoo/pretrained/save.h"

namespace tarsier::zoo {

namespace {

constexpr const char* kHead = "lm_head.weight";

const std::vector<Renaming> kRenamings = {
    {"transformer.wte.", "model.embed_tokens."}, {"transformer.h.", "model.layers."},
    {"transformer.ln_f.", "model.norm."},        {".ln_1.", ".input_layernorm."},
    {".ln_2.", ".post_attention_layernorm."},    {".attn.c_proj.", ".self_attn.o_proj."},
    {".mlp.c_proj.", ".mlp.down_proj."},
};

/// The names in transformers of the weight that has this name here.
Source parts_of(const std::string& name) {
  const std::string there = renamed(name, kRenamings);
  const auto parts = [&](std::string_view one, std::initializer_list<std::string_view> several) {
    Source source;
    for (const std::string_view part : several)
      source.names.push_back(std::string(there).replace(there.find(one), one.size(), part));
    return source;
  };
  if (there.find(".attn.c_attn.") != there.npos)
    return parts(".attn.c_attn.",
                 {".self_attn.q_proj.", ".self_attn.k_proj.", ".self_attn.v_proj."});
  // SwiGLU multiplies the first half with silu of the second.
  if (there.find(".mlp.c_fc.") != there.npos)
    return parts(".mlp.c_fc.", {".mlp.up_proj.", ".mlp.gate_proj."});
  return {{there}};
}

Json json_of(const gpt::Config& config) {
  constexpr double kRotaryBase = nn::RotaryOptions().base;
  return Json::Object{
      {"architectures", Json::Array{"MistralForCausalLM"}},
      {"model_type", "mistral"},
      {"vocab_size", config.vocab_size},
      {"hidden_size", config.n_embd},
      {"intermediate_size", config.mlp_width()},
      {"num_hidden_layers", config.n_layer},
      {"num_attention_heads", config.n_head},
      {"num_key_value_heads", config.n_head},
      {"head_dim", config.n_embd / config.n_head},
      {"hidden_act", "silu"},
      {"max_position_embeddings", config.block_size},
      {"sliding_window", config.block_size},
      {"rms_norm_eps", config.layer_norm_eps},
      {"attention_dropout", config.dropout},
      {"rope_theta", kRotaryBase},
      {"rope_parameters", Json::Object{{"rope_type", "default"}, {"rope_theta", kRotaryBase}}},
      {"tie_word_embeddings", config.tied},
      {"bos_token_id", Json()},
      {"eos_token_id", Json()},
  };
}

}  // namespace

std::vector<std::string> unlike_mistral(const gpt::Config& config) {
  std::vector<std::string> parts;
  const auto require = [&](bool same, const char* part) {
    if (!same) parts.emplace_back(part);
  };
  require(config.position == nn::PositionKind::rotary, "transformer.wpe (not position=rotary)");
  require(config.rms_norm, "transformer.ln_f (not norm=rms)");
  require(!config.qk_norm, "transformer.h.0.attn (qk_norm)");
  require(!config.bias, "transformer.h.0.attn.c_attn (bias)");
  require(config.swiglu, "transformer.h.0.mlp (not mlp=swiglu)");
  return parts;
}

void save_mistral(const gpt::Gpt& gpt, const std::string& folder) {
  for (const std::string& part : unlike_mistral(gpt.config))
    fail("pretrained", "the model has a part that Mistral lacks: ", part);
  TensorDict weights;
  for (const auto& [name, tensor] : gpt.state_dict())
    if (name != kHead || !gpt.config.tied) add_parts(weights, parts_of(name), tensor);
  save_pretrained(folder, json_of(gpt.config), weights);
}

}  // namespace tarsier::zoo
