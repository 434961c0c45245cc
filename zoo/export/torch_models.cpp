#include "zoo/export/torch_models.h"

#include "zoo/bert/model.h"
#include "zoo/gpt/model.h"
#include "zoo/text_classifier/model.h"
#include "zoo/vit/model.h"

namespace tarsier::zoo {

namespace {

/// Refuses what a model.py lacks: a part with its module path.
void require(bool has, const std::string& part) { check(has, "export", "model.py lacks ", part); }

TorchModel described(const gpt::Gpt& model) {
  const gpt::Config& config = model.config;
  const std::string mlp = config.swiglu ? "swiglu" : config.activation.name();
  require(mlp == "gelu" || mlp == "relu2" || mlp == "swiglu",
          concat("transformer.h.0.mlp (", mlp, ")"));
  return {Json::Object{{"vocab_size", config.vocab_size},
                       {"block_size", config.block_size},
                       {"n_layer", config.n_layer},
                       {"n_head", config.n_head},
                       {"n_embd", config.n_embd},
                       {"mlp_width", config.mlp_width()},
                       {"dropout", config.dropout},
                       {"bias", config.bias},
                       {"layer_norm_eps", config.layer_norm_eps},
                       {"tied", config.tied},
                       {"position", nn::position_name(config.position)},
                       {"norm", config.rms_norm ? "rms" : "layer"},
                       {"qk_norm", config.qk_norm},
                       {"mlp", mlp}},
          "gpt"};
}

/// The activation of PyTorch's encoder layers.
std::string activation_of(const nn::Activation& activation) {
  require(activation.name() == "gelu" || activation.name() == "relu",
          concat("encoder.layers.0 (", activation.name(), ")"));
  return activation.name();
}

TorchModel described(const bert::BertForMaskedLM& model) {
  const bert::Config& config = model.bert.config;
  return {Json::Object{{"vocab_size", config.vocab_size},
                       {"hidden_size", config.hidden_size},
                       {"num_hidden_layers", config.num_hidden_layers},
                       {"num_attention_heads", config.num_attention_heads},
                       {"intermediate_size", config.intermediate_size},
                       {"hidden_act", activation_of(config.hidden_act)},
                       {"dropout", config.dropout},
                       {"max_position_embeddings", config.max_position_embeddings},
                       {"type_vocab_size", config.type_vocab_size},
                       {"layer_norm_eps", config.layer_norm_eps},
                       {"tied", config.tie_word_embeddings}},
          "bert"};
}

TorchModel described(const vit::VisionTransformer& model) {
  const vit::Config& config = model.config;
  require(config.stem != vit::Stem::stages, "stem (stages)");
  Json::Array widths;  // of the convolutions, each of which halves the patches
  if (config.stem == vit::Stem::convolutions)
    for (int64_t left = config.patch_size.h; left > 1; left /= 2)
      widths.emplace_back(config.width / (left / 2));
  return {Json::Object{{"channels", config.channels},
                       {"patch_size", Json::Array{config.patch_size.h, config.patch_size.w}},
                       {"patches", config.patches()},
                       {"stem", config.stem == vit::Stem::patches ? "patches" : "convolutions"},
                       {"stem_widths", widths},
                       {"width", config.width},
                       {"layers", config.layers},
                       {"heads", config.heads},
                       {"mlp_width", config.mlp_width},
                       {"dropout", config.dropout},
                       {"activation", activation_of(config.activation)},
                       {"layer_norm_eps", config.layer_norm_eps},
                       {"pooling", config.pooling == vit::Pooling::mean ? "mean" : "class_token"},
                       {"classes", config.classes}},
          "vit"};
}

TorchModel described(const text_classifier::TextClassifier& model) {
  const text_classifier::Config& config = model.config;
  const bool mean = config.pooling == text_classifier::Pooling::mean;
  return {Json::Object{
              {"vocab_size", config.vocab_size},
              {"classes", config.classes},
              {"max_length", config.max_length},
              {"width", config.width},
              {"layers", config.layers},
              {"heads", config.heads},
              {"mlp_width", config.mlp_width},
              {"pairs", config.pairs},
              {"dropout", config.dropout},
              {"embedding_scale", config.embedding_scale},
              {"position", nn::position_name(config.position)},
              {"norm", config.post_norm ? "post" : "pre"},
              {"layer_norm_eps", config.post_norm ? model.embedding_norm->eps
                                                  : nn::TransformerLayerOptions().layer_norm_eps},
              {"pooling", mean ? "mean" : "class_token"}},
          "text_classifier"};
}

/// Describes the model if it is an M.
template <class M>
bool described_as(const nn::Module& model, TorchModel& out) {
  const auto* known = dynamic_cast<const M*>(&model);
  if (known != nullptr) out = described(*known);
  return known != nullptr;
}

}  // namespace

TorchModel torch_model(const nn::Module& model, const std::string& name) {
  TorchModel out;
  const bool known = described_as<gpt::Gpt>(model, out) ||
                     described_as<bert::BertForMaskedLM>(model, out) ||
                     described_as<vit::VisionTransformer>(model, out) ||
                     described_as<text_classifier::TextClassifier>(model, out);
  check(known, "export", name, " has no model.py (gpt, bert, vit and text-classifier have one)");
  return out;
}

}  // namespace tarsier::zoo
