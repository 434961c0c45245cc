#pragma once
// Small folders of pictures with captions.

#include <filesystem>
#include <string>

#include "tests/zoo/scratch.h"
#include "zoo/data/scenes.h"
#include "zoo/picture/write.h"

namespace tarsier::zoo {

/// A folder `name` with a scene of 32 × 32 pixels a line: `count` in train.tsv, a third as many in
/// val.tsv and in test.tsv; with `reversed` lines in all.
inline void write_scenes(const Scratch& scratch, const std::string& name, int64_t count,
                         RandomKey key, bool reversed = false) {
  std::filesystem::create_directories(scratch.path(name + "/images"));
  uint64_t index = 0;
  for (const std::string part : {"train", "val", "test"}) {
    std::string rows;
    for (int64_t i = 0; i < (part == "train" ? count : count / 3); ++i, ++index) {
      const Scene scene = draw_scene(key, index, {.height = 32, .width = 32, .max_objects = 2});
      const std::string file = concat(part, i, ".png");
      write_picture(scratch.path(name + "/images/" + file), scene.picture);
      const std::string row = concat(file, '\t', scene.caption, '\n');
      rows = reversed ? row + rows : rows + row;
    }
    scratch.write(name + "/" + part + ".tsv", "image\tcaption\n" + rows);
  }
}

/// The settings of a tiny captioner or clip for them, with dropout and augmentation.
inline const Changes kTinySight = {
    {"layers", "1"},      {"heads", "2"},      {"width", "8"},           {"mlp_width", "8"},
    {"patch_size", "16"}, {"dropout", "0.1"},  {"epochs", "0"},          {"steps", "8"},
    {"batch_size", "4"},  {"eval_every", "4"}, {"checkpoint_every", "4"}};

}  // namespace tarsier::zoo
