#include "zoo/pretrained/vit.h"

#include <algorithm>
#include <vector>

#include "autograd/io/json.h"
#include "zoo/pretrained/encoder.h"
#include "zoo/pretrained/save.h"

namespace tarsier::zoo {

namespace {

constexpr int64_t kLargestSide = 1 << 20;  // of an image, so that products do not overflow

/// The names that both versions share.
const std::vector<Renaming> kRenamings = {
    {"class_token", "embeddings.cls_token"},
    {"position_embedding", "embeddings.position_embeddings"},
    {"stem.patches.", "embeddings.patch_embeddings.projection."},
    {"encoder.norm.", "layernorm."},
    {".norm1.", ".layernorm_before."},
    {".norm2.", ".layernorm_after."},
    {"head.", "classifier."},
};

/// The names of the parts of a layer.
struct LayerNames {
  std::vector<Renaming> renamings;
  QueryKeyValue query_key_value;
};
const LayerNames kSaved = {{{"encoder.layers.", "encoder.layer."},
                            {".self_attn.in_proj_", ".attention.attention.in_proj_"},
                            {".self_attn.out_proj.", ".attention.output.dense."},
                            {".linear1.", ".intermediate.dense."},
                            {".linear2.", ".output.dense."}},
                           {"query.", "key.", "value."}};
const LayerNames kInMemory = {{{"encoder.layers.", "layers."},
                               {".self_attn.in_proj_", ".attention.in_proj_"},
                               {".self_attn.out_proj.", ".attention.o_proj."},
                               {".linear1.", ".mlp.fc1."},
                               {".linear2.", ".mlp.fc2."}},
                              {"q_proj.", "k_proj.", "v_proj."}};

/// The names in the file for the tensor that has this name here.
Source source_of(const std::string& name, const LayerNames& names) {
  return unpacked(renamed(renamed(name, kRenamings), names.renamings), names.query_key_value);
}

/// Height and width: a whole number for both, or a list of two.
Pair sides_of(const Pretrained& file, std::string_view key) {
  const Json* value = file.config.find(key);
  check(value != nullptr, "pretrained", file.config_path, ": the key '", key, "' is missing");
  const Json::Array sides = value->is_array() ? value->as_array() : Json::Array{*value, *value};
  const auto is_side = [](const Json& side) {
    return side.is_int() && side.as_int() >= 1 && side.as_int() <= kLargestSide;
  };
  check(sides.size() == 2 && std::ranges::all_of(sides, is_side), "pretrained", file.config_path,
        ": '", key, "' is ", value->dump(), ", where one or two whole numbers from 1 to ",
        kLargestSide, " were expected");
  return {sides[0].as_int(), sides[1].as_int()};
}

vit::Config config_of(const Pretrained& file) {
  vit::Config config;
  config.image_size = sides_of(file, "image_size");
  config.patch_size = sides_of(file, "patch_size");
  config.channels = file.size("num_channels", 3);
  config.classes = rows_of(file, "classifier.weight");
  config.width = file.size("hidden_size");
  config.layers = file.size("num_hidden_layers");
  config.heads = file.size("num_attention_heads");
  config.mlp_width = file.size("intermediate_size");
  config.dropout = file.number("hidden_dropout_prob", 0);
  config.activation = activation_of(file, "hidden_act");
  config.layer_norm_eps = file.number("layer_norm_eps", 1e-12);
  return config;
}

}  // namespace

std::unique_ptr<vit::VisionTransformer> load_vit(const std::string& path,
                                                 std::vector<std::string>* unused) {
  const Pretrained file = open_pretrained(path, "vit", "vit.");
  const vit::Config config = config_of(file);
  const bool qkv_bias = file.flag("qkv_bias", true);
  const LayerNames& names = file.contains("layers.0.mlp.fc1.weight") ? kInMemory : kSaved;
  // Before making a model that the weights cannot fill and memory may not hold.
  file.require("embeddings.patch_embeddings.projection.weight",
               {config.width, config.channels, config.patch_size.h, config.patch_size.w});
  file.require("embeddings.position_embeddings", {1, config.positions(), config.width});
  file.require(
      source_of(concat("encoder.layers.", config.layers - 1, ".linear1.weight"), names).names[0],
      {config.mlp_width, config.width});

  auto model = make_empty<vit::VisionTransformer>(file, config);
  const std::vector<std::string> heads =
      load_weights(*model, file,
                   [&](const std::string& name) -> Source {
                     if (!qkv_bias && name.ends_with("in_proj_bias"))
                       return {};  // starts with zeros
                     return source_of(name, names);
                   },
                   {{"pooler."}});
  if (unused != nullptr) *unused = heads;
  model->eval();
  return model;
}

// ------------------------------------------------------------------------------------------ saving

namespace {

Json json_of(const vit::Config& config) {
  const auto sides = [](const Pair& pair) {
    return pair.h == pair.w ? Json(pair.h) : Json(Json::Array{pair.h, pair.w});
  };
  return Json::Object{
      {"architectures", Json::Array{"ViTForImageClassification"}},
      {"model_type", "vit"},
      {"image_size", sides(config.image_size)},
      {"patch_size", sides(config.patch_size)},
      {"num_channels", config.channels},
      {"hidden_size", config.width},
      {"num_hidden_layers", config.layers},
      {"num_attention_heads", config.heads},
      {"intermediate_size", config.mlp_width},
      {"hidden_act", name_of(config.activation)},
      {"hidden_dropout_prob", config.dropout},
      {"attention_probs_dropout_prob", config.dropout},
      {"layer_norm_eps", config.layer_norm_eps},
      {"qkv_bias", true},
  };
}

}  // namespace

void save_vit(const vit::VisionTransformer& model, const std::vector<std::string>& labels,
              const std::string& folder) {
  check(model.config.stem == vit::Stem::patches, "pretrained",
        "stem: transformers' ViT cuts images into patches, without convolutions (train with --set "
        "stem=patches)");
  check(model.config.pooling == vit::Pooling::class_token, "pretrained",
        "pooling: transformers' ViT has a class token, and no mean over the patches (train with "
        "--set pooling=class_token)");
  Json config = json_of(model.config);
  add_labels(config, labels);
  TensorDict weights;
  for (const auto& [name, tensor] : model.state_dict()) {
    Source source = source_of(name, kSaved);
    for (std::string& part : source.names) part.insert(0, name.starts_with("head.") ? "" : "vit.");
    add_parts(weights, source, tensor);
  }
  save_pretrained(folder, config, weights);
}

}  // namespace tarsier::zoo
