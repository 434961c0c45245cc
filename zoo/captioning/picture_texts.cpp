#include "zoo/captioning/picture_texts.h"

#include <algorithm>
#include <set>
#include <utility>

#include "zoo/base/format.h"
#include "zoo/data/fingerprint.h"
#include "zoo/data/fitted_pictures.h"
#include "zoo/picture/read.h"

namespace tarsier::zoo::captioning {

namespace {

/// The stream of random numbers that changes the pictures.
constexpr uint64_t kAugmentStream = uint64_t{3} << 62;

TextPart as_tokens(CaptionPart part, const Tokenizer& tokenizer, int64_t max_length) {
  TextPart out;
  for (const CaptionPart::Caption& caption : part.captions) {
    std::vector<int32_t> tokens = tokenizer.encode(caption.text);
    tokens.push_back(kEnd);
    const int64_t lost = std::max<int64_t>(0, std::ssize(tokens) - max_length);
    out.cut.add(std::ssize(tokens), lost);
    tokens.resize(tokens.size() - static_cast<size_t>(lost));
    out.tokens.push_back(std::move(tokens));
  }
  out.pictures = std::move(part);
  return out;
}

}  // namespace

std::vector<int64_t> TextPart::images_of(const std::vector<int64_t>& captions) const {
  std::vector<int64_t> out;
  for (const int64_t i : captions)
    out.push_back(pictures.captions.at(static_cast<size_t>(i)).image);
  return out;
}

std::vector<std::vector<int32_t>> TextPart::tokens_of(const std::vector<int64_t>& captions) const {
  std::vector<std::vector<int32_t>> out;
  for (const int64_t i : captions) out.push_back(tokens.at(static_cast<size_t>(i)));
  return out;
}

std::vector<std::vector<std::string>> TextPart::references(const Tokenizer& tokenizer) const {
  std::vector<std::vector<std::string>> out = pictures.by_image();
  for (std::vector<std::string>& texts : out)
    for (std::string& text : texts) text = tokenizer.as_written(text);
  return out;
}

void PictureTexts::add_data_settings(Settings& settings) {
  settings.add("image", columns.image, "the column of the pictures' files: name or number", {});
  settings.add("caption", columns.caption, "the column of the captions: name or number", {});
  settings.add_choice("header", columns.header, "whether line 1 names the columns",
                      {{"auto", Header::automatic}, {"yes", Header::yes}, {"no", Header::no}});
}

void PictureTexts::add_settings(Settings& settings) {
  settings.add("image_size", image_size, "pixels of a side; 0: as the pictures, or 48", 0, 1024);
  settings.add("max_length", max_length, "tokens of a caption that are read", 2);
  options.add_to(settings);
  settings.add("shift", augmentation.shift, "training: shift pictures by up to so many pixels", 0,
               1000);
  settings.add("rotate", augmentation.rotate, "training: rotate them by up to so many degrees", 0,
               180);
  settings.add("scale", augmentation.scale, "training: 0.1 is up to 10 % larger or less", 0, 1);
  settings.add("flip", augmentation.flip,
               "training: mirror half of them; not if captions know left from right");
}

CaptionData PictureTexts::read(const std::string& path) {
  source = path.empty() ? "scenes drawn by the program" : "'" + path + "'";
  const PictureSize wanted = size.height > 0 ? size : PictureSize{image_size, image_size};
  return path.empty() ? scene_captions(wanted, scenes) : read_captions(path, columns, wanted);
}

void PictureTexts::learn(const CaptionData& data) {
  std::vector<std::string> texts;
  for (const CaptionPart::Caption& caption : data.train.captions) texts.push_back(caption.text);
  tokenizer = Tokenizer::train(texts, options);
  scale = PixelScale::of(data.train.images);
  size = {data.train.images.height, data.train.images.width};
}

void PictureTexts::use(CaptionData data) {
  if (!data.columns.empty()) source += ", columns " + data.columns;
  train = as_tokens(std::move(data.train), *tokenizer, max_length);
  val = as_tokens(std::move(data.val), *tokenizer, max_length);
  test = as_tokens(std::move(data.test), *tokenizer, max_length);
}

Json::Object PictureTexts::known() const {
  return {{"tokenizer", tokenizer->to_json()},
          {"scale", scale.to_json()},
          {"height", size.height},
          {"width", size.width}};
}

void PictureTexts::restore(const Json& data) {
  tokenizer = Tokenizer::from_json(data["tokenizer"]);
  scale = PixelScale::from_json(data["scale"]);
  size = {data["height"].as_int(), data["width"].as_int()};
}

Json::Object PictureTexts::mark() const {
  Fingerprint fingerprint;
  for (const TextPart* part : {&train, &val})
    fingerprint.add(part->pictures.images.pixels).add(part->tokens);
  return {{"captions", train.size() + val.size()}, {"fingerprint", fingerprint.text()}};
}

std::string PictureTexts::data_facts() const {
  const CaptionPart& pictures = train.pictures;
  const int64_t images = pictures.images.size();
  return concat(
      source, ": ", with_commas(images), " pictures ",
      images == train.size() ? "" : concat("with ", with_commas(train.size()), " captions "),
      "to train on, ", with_commas(val.pictures.images.size()), " to validate, of ", size.height,
      " × ", size.width,
      pictures.resized == 0 ? ""
                            : concat("; ", with_commas(pictures.resized),
                                     " had another size and are fitted into it"));
}

std::string PictureTexts::cut_facts() const {
  return cut_facts_of(train.cut, val.cut, "captions", max_length);
}

Tensor PictureTexts::augmented(const std::vector<int64_t>& images, uint64_t seed,
                               int64_t number) const {
  return image_batch(train.pictures.images, images, scale, augmentation, {seed, kAugmentStream},
                     number);
}

Tensor PictureTexts::of_file(const std::string& path) const {
  Images one;
  one.append(fitted(read_picture(path), 3, size.height, size.width), 0);
  return image_batch(one, {0}, scale);
}

std::string PictureTexts::remark(const std::string& path) const {
  return size_remark(path, read_picture(path), size.height, size.width);
}

}  // namespace tarsier::zoo::captioning
