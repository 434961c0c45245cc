#include "zoo/pretrained/vit.h"

#include <algorithm>
#include <vector>

#include "zoo/pretrained/encoder.h"

namespace tarsier::zoo {

namespace {

constexpr int64_t kLargestSide = 1 << 20;  // of an image: products stay far from overflow

const std::vector<Renaming> kRenamings = {
    {"class_token", "embeddings.cls_token"},
    {"position_embedding", "embeddings.position_embeddings"},
    {"stem.patches.", "embeddings.patch_embeddings.projection."},
    {"encoder.norm.", "layernorm."},
    {"encoder.layers.", "encoder.layer."},
    {".norm1.", ".layernorm_before."},
    {".self_attn.in_proj_", ".attention.attention.in_proj_"},
    {".self_attn.out_proj.", ".attention.output.dense."},
    {".norm2.", ".layernorm_after."},
    {".linear1.", ".intermediate.dense."},
    {".linear2.", ".output.dense."},
    {"head.", "classifier."},
};

/// Height and width: a whole number for both, or a list of two.
Pair sides_of(const Pretrained& file, std::string_view key) {
  const nn::Json* value = file.config.find(key);
  check(value != nullptr, "pretrained", file.config_path, ": the key '", key, "' is missing");
  const nn::Json::Array sides =
      value->is_array() ? value->as_array() : nn::Json::Array{*value, *value};
  const auto is_side = [](const nn::Json& side) {
    return side.is_int() && side.as_int() >= 1 && side.as_int() <= kLargestSide;
  };
  check(sides.size() == 2 && std::ranges::all_of(sides, is_side), "pretrained", file.config_path,
        ": '", key, "' is ", value->dump(), ", where one or two whole numbers from 1 to ",
        kLargestSide, " were expected");
  return {sides[0].as_int(), sides[1].as_int()};
}

ViTConfig config_of(const Pretrained& file) {
  ViTConfig config;
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

std::unique_ptr<VisionTransformer> load_vit(const std::string& path) {
  const Pretrained file = open_pretrained(path, "vit", "vit.");
  const ViTConfig config = config_of(file);
  const bool qkv_bias = file.flag("qkv_bias", true);
  // Before a model is made that the weights cannot fill, and the memory may not hold.
  file.require("embeddings.patch_embeddings.projection.weight",
               {config.width, config.channels, config.patch_size.h, config.patch_size.w});
  file.require("embeddings.position_embeddings", {1, config.positions(), config.width});
  file.require(concat("encoder.layer.", config.layers - 1, ".intermediate.dense.weight"),
               {config.mlp_width, config.width});

  auto model = make_empty<VisionTransformer>(file, config);
  load_weights(
      *model, file,
      [&](const std::string& name) -> Source {
        if (!qkv_bias && name.ends_with("in_proj_bias")) return {};  // starts with zeros
        return unpacked(renamed(name, kRenamings));
      },
      [](std::string_view name) { return name.starts_with("pooler."); });
  model->eval();
  return model;
}

}  // namespace tarsier::zoo
