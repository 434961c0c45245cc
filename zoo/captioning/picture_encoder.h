#pragma once
// The encoder of pictures that captioning and clip have: a Vision Transformer, as their configs say.
//
// A config has image_size, patch_size, width, layers, heads, mlp_width, dropout and stem.

#include <cstdint>

#include "../task/settings.h"
#include "../vit/model.h"

namespace tarsier::zoo::captioning {

/// Of pictures with three channels, with the mean over patches before a head of `classes`; 0: none.
template <class Config>
vit::Config picture_encoder(const Config& config, int64_t classes) {
  return {.image_size = config.image_size,
          .patch_size = config.patch_size,
          .channels = 3,
          .classes = classes,
          .width = config.width,
          .layers = config.layers,
          .heads = config.heads,
          .mlp_width = config.mlp_width,
          .dropout = config.dropout,
          .stem = config.stem,
          .pooling = vit::Pooling::mean};
}

/// The settings of a config that say what all its layers are like, and how pictures are cut.
template <class Config>
void add_encoder_settings(Settings& settings, Config& config) {
  settings.add("heads", config.heads, "attention heads; must divide width");
  settings.add("width", config.width, "width of the streams between the layers");
  settings.add("mlp_width", config.mlp_width, "width inside a layer's MLP");
  settings.add("patch_size", config.patch_size, "pixels; must divide the picture's sides");
  settings.add_choice("stem", config.stem, "how a picture becomes patches",
                      {{"convolutions", vit::Stem::convolutions}, {"patches", vit::Stem::patches}});
  settings.add("dropout", config.dropout, "fraction of activations dropped in training", 0, 0.99);
}

}  // namespace tarsier::zoo::captioning
