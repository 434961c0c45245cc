// A Vision Transformer that tells the class of a picture.

#include <array>
#include <utility>

#include "autograd/io/file.h"
#include "autograd/io/json.h"
#include "autograd/ops.h"
#include "zoo/base/format.h"
#include "zoo/data/classed_pictures.h"
#include "zoo/data/lines.h"
#include "zoo/hub/class_names.h"
#include "zoo/hub/hub_model.h"
#include "zoo/metrics/classifier_score.h"
#include "zoo/picture/read.h"
#include "zoo/pretrained/hugging_face.h"
#include "zoo/pretrained/vit.h"

namespace tarsier::zoo::hub {

namespace {

/// How pixels become numbers: (scale · pixel − mean) / std in each channel.
struct Normalization {
  double scale = 1.0 / 255;
  std::array<double, 3> mean{0.5, 0.5, 0.5}, std{0.5, 0.5, 0.5};

  Normalization() = default;
  /// What preprocessor_config.json says; the defaults of transformers if there is none.
  explicit Normalization(const std::string& path) {
    if (!file_exists(path)) return;
    Pretrained file;
    file.config_path = path;
    file.config = Json::parse(read_file(path), path);
    check(file.config.is_object(), "pretrained", path, ": expected an object {…}");
    scale = file.flag("do_rescale", true) ? file.number("rescale_factor", scale) : 1;
    if (file.flag("do_normalize", true)) {
      read(file, "image_mean", mean);
      read(file, "image_std", std);
    } else {
      mean = {0, 0, 0};
      std = {1, 1, 1};
    }
    for (const double value : std)
      check(value > 0, "pretrained", path, ": 'image_std' must be above 0");
  }

 private:
  static void read(const Pretrained& file, const char* key, std::array<double, 3>& out) {
    if (!file.has(key)) return;
    const Json& list = file.config[key];
    bool fits = list.is_array() && !list.as_array().empty() && list.as_array().size() <= 3;
    for (size_t c = 0; fits && c < 3; ++c) {
      const Json& value = list.as_array()[c % list.as_array().size()];
      fits = value.is_number();
      if (fits) out[c] = value.as_double();
    }
    check(fits, "pretrained", file.config_path, ": '", key, "' should be a list of 3 numbers");
  }
};

class VitModel final : public HubModel {
 public:
  explicit VitModel(const std::string& folder)
      : HubModel(folder),
        vit_(load_vit(folder)),
        names_(folder, vit_->config.classes),
        normalization_(folder + "/preprocessor_config.json") {}

  std::string description() override {
    const vit::Config& config = vit_->config;
    return concat(folder(), " holds a vit of ",
                  sizes_of(*vit_, config.layers, config.heads, config.width), ", for pictures of ",
                  config.image_size.h, " × ", config.image_size.w,
                  " pixels: predict tells which of ", counted(config.classes, "class"),
                  " a picture is of, eval --data FOLDER measures that");
  }

  /// On the test split, or else the validation split.
  Metrics evaluate(const std::string& path) override {
    const ClassedPictures data = list_pictures(path);
    const auto& pictures = data.parts.test.empty() ? data.parts.val : data.parts.test;
    check(!pictures.empty(), "data", "'", path, "' has no pictures to test with");
    ClassifierScore score(vit_->config.classes);
    int64_t example = 0;
    for (const ClassedPicture& picture : pictures) {
      const int64_t truth = names_.number_of(picture.label, picture.place);
      score.add({example++}, logits(picture.path), tensor({static_cast<double>(truth)}, i64));
    }
    return score.metrics("loss");
  }

 protected:
  std::string answer(const std::string& input) override {
    return input + "  " + likeliest(softmax(logits(input), -1).to_vector(), names_.names());
  }

 private:
  Tensor logits(const std::string& path) {
    const NoGrad no_grad;
    const vit::Config& config = vit_->config;
    const Picture picture = resized(with_channels(read_picture(path), config.channels),
                                    config.image_size.h, config.image_size.w);
    std::vector<float> values;
    for (size_t i = 0; i < picture.pixels.size(); ++i) {
      const size_t c = i / static_cast<size_t>(picture.height * picture.width) % 3;
      values.push_back(
          static_cast<float>((picture.pixels[i] * normalization_.scale - normalization_.mean[c]) /
                             normalization_.std[c]));
    }
    return (*vit_)(from_vector(values, {1, config.channels, picture.height, picture.width}));
  }

  std::unique_ptr<vit::VisionTransformer> vit_;
  ClassNames names_;
  Normalization normalization_;
};

}  // namespace

std::unique_ptr<HubModel> open_vit_model(const std::string& folder) {
  return std::make_unique<VitModel>(folder);
}

}  // namespace tarsier::zoo::hub
