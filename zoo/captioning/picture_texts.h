#pragma once
// Pictures with captions as two tasks learn from them: captioning and clip.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../data/captions.h"
#include "../data/cut.h"
#include "../data/tokenizer.h"
#include "../task/settings.h"

namespace tarsier::zoo::captioning {

/// A part with its captions as tokens.
struct TextPart {
  CaptionPart pictures;
  /// Of each caption, with kEnd; a longer one than max_length is cut and has none.
  std::vector<std::vector<int32_t>> tokens;
  Cut cut;

  int64_t size() const { return pictures.size(); }
  /// The images of these captions.
  std::vector<int64_t> images_of(const std::vector<int64_t>& captions) const;
  /// The tokens of these captions.
  std::vector<std::vector<int32_t>> tokens_of(const std::vector<int64_t>& captions) const;
  /// The words (see Tokenizer::as_written) of the captions of each image.
  std::vector<std::vector<std::string>> references(const Tokenizer& tokenizer) const;
};

/// Settings, data, and what a model must know of them.
struct PictureTexts {
  // Settings.
  CaptionColumns columns;
  TokenizerOptions options{.lower = false, .min_count = 1};
  int64_t image_size = 0, max_length = 40;
  Augmentation augmentation;
  SceneCounts scenes;  ///< that are drawn where no data are given
  // Known.
  std::unique_ptr<Tokenizer> tokenizer;
  PixelScale scale;
  PictureSize size;
  // Data.
  std::string source;
  TextPart train, val, test;

  void add_data_settings(Settings& settings);
  void add_settings(Settings& settings);

  /// The members of a task of the same names (task/task.h).
  CaptionData read(const std::string& path);
  void learn(const CaptionData& data);
  void use(CaptionData data);
  Json::Object known() const;
  void restore(const Json& data);
  Json::Object mark() const;
  std::string data_facts() const;
  std::string cut_facts() const;

  /// (B, 3, height, width): images of training, changed at random as of step `number`.
  Tensor augmented(const std::vector<int64_t>& images, uint64_t seed, int64_t number) const;
  /// The same without change, of any part.
  Tensor as_is(const Images& images, const std::vector<int64_t>& chosen) const {
    return image_batch(images, chosen, scale);
  }
  /// (1, 3, height, width): the picture in a file.
  Tensor of_file(const std::string& path) const;
  /// A remark on a picture of another size; "" if there is none.
  std::string remark(const std::string& path) const;
};

}  // namespace tarsier::zoo::captioning
