#include "zoo/vit/task.h"

#include <algorithm>
#include <numeric>

#include "zoo/base/format.h"
#include "zoo/data/digits.h"
#include "zoo/data/images.h"
#include "zoo/data/lines.h"
#include "zoo/data/picture.h"
#include "zoo/data/sampler.h"
#include "zoo/report/parts.h"
#include "zoo/vit/model.h"

namespace tarsier::zoo {

namespace {

/// Which stream of random numbers serves what; the steps' dropout masks have their own generator.
constexpr uint64_t kBatchStream = uint64_t{1} << 63;
constexpr uint64_t kAugmentStream = uint64_t{3} << 62;
/// Which images validate does not depend on the run's seed: runs can be compared.
constexpr RandomKey kSplitKey{2021, 0};

class VitTask : public Task {
 public:
  VitTask() {
    config_.stem = ViTStem::convolutions;
    config_.pooling = ViTPooling::mean;
    config_.dropout = 0.1;
    recipe.epochs = 30;
    recipe.batch_size = 64;
    recipe.learning_rate = 2e-3;
    recipe.min_learning_rate = 1e-5;
    recipe.weight_decay = 0.05;
    recipe.beta2 = 0.99;
    recipe.ema_decay = 0.99;
    recipe.eval_every = 0;
  }

  std::string name() const override { return "vit"; }
  std::string items() const override { return "images"; }

  // ---- data ----

  void load_data(const std::string& path) override {
    source_ = path.empty() ? "digits drawn by the program" : "'" + path + "'";
    const ImageFolder folder = path.empty() ? digits_folder() : read_image_folder(path);
    names_ = folder.names;
    const std::vector<int64_t> order = permutation(folder.train.size(), kSplitKey);
    const int64_t split = folder.train.size() * 9 / 10;
    train_ = select(folder.train, order, 0, split);
    validation_ = select(folder.train, order, split, folder.train.size());
    test_ = folder.test;
    if (scale_.mean.empty()) scale_ = PixelScale::of(train_);
    config_.channels = train_.channels;
    config_.image_size = {train_.height, train_.width};
    config_.classes = static_cast<int64_t>(names_.size());
  }

  Json describe_data() const override {
    Json::Array names;
    for (const std::string& name : names_) names.emplace_back(name);
    return Json::Object{
        {"images", train_.size() + validation_.size()},
        {"channels", config_.channels},
        {"height", config_.image_size.h},
        {"width", config_.image_size.w},
        {"names", names},
        {"scale", scale_.to_json()},
    };
  }

  void restore_data(const Json& data) override {
    config_.channels = data["channels"].as_int();
    config_.image_size = {data["height"].as_int(), data["width"].as_int()};
    names_.clear();
    for (const Json& name : data["names"].as_array()) names_.push_back(name.as_string());
    config_.classes = static_cast<int64_t>(names_.size());
    scale_ = PixelScale::from_json(data["scale"]);
  }

  // ---- model ----

  void build(uint64_t seed) override {
    config_.stem = stem_ == "patches" ? ViTStem::patches : ViTStem::convolutions;
    config_.pooling = pooling_ == "mean" ? ViTPooling::mean : ViTPooling::class_token;
    config_.patch_size = patch_size_;
    Generator generator(seed);
    model_ = std::make_unique<VisionTransformer>(config_, generator);
    if (train_.size() > 0)
      sampler_ = BatchSampler(std::vector<int64_t>(static_cast<size_t>(train_.size()), 1),
                              {.examples = recipe.batch_size}, {seed, kBatchStream});
  }

  nn::Module& model() override { return *model_; }

  // ---- training ----

  int64_t training_examples() const override { return train_.size(); }

  Batch batch(int64_t number, uint64_t seed) override {
    const std::vector<int64_t> chosen = sampler_.batch(number);
    return {{{"images",
              image_batch(train_, chosen, scale_, augmentation_, {seed, kAugmentStream}, number)},
             {"labels", label_batch(train_.labels, chosen)}},
            static_cast<int64_t>(chosen.size())};
  }

  Tensor loss(const Batch& batch) override {
    return cross_entropy((*model_)(batch["images"]), batch["labels"],
                         {.label_smoothing = label_smoothing_});
  }

  Metrics validate() override { return measure(validation_, "val_loss"); }
  Metrics evaluate() override { return measure(test_.size() > 0 ? test_ : validation_, "loss"); }

  // ---- use ----

  /// Every input is the path of a picture. Prints what the picture most likely shows.
  void predict(const std::vector<std::string>& inputs, const PredictOptions&,
               std::ostream& out) override {
    NoGrad no_grad;
    for (const std::string& path : inputs) {
      if (is_blank(path)) {
        out << std::endl;
        continue;
      }
      const Picture picture = read_picture(path);
      Images one;
      one.append(
          config_.channels == 1
              ? fitted_sign(picture, config_.image_size.h, config_.image_size.w)
              : fitted(picture, config_.channels, config_.image_size.h, config_.image_size.w),
          0);
      const Tensor p = softmax((*model_)(image_batch(one, {0}, scale_)), -1);
      out << path << "  " << likeliest(p.to_vector(), names_) << std::endl;
      check(out.good(), "output", "cannot write any more");
    }
  }

  void show_sample(std::ostream& out) override {
    NoGrad no_grad;
    const int64_t count = std::min<int64_t>(10, validation_.size());
    std::vector<int64_t> first(static_cast<size_t>(count));
    std::iota(first.begin(), first.end(), 0);
    const Tensor p = softmax((*model_)(image_batch(validation_, first, scale_)), -1);
    const std::vector<double> all = p.to_vector();
    for (int64_t i = 0; i < count; ++i) {
      const auto row = all.begin() + i * config_.classes;
      out << "  " << names_[static_cast<size_t>(validation_.labels[static_cast<size_t>(i)])]
          << "  read as  " << likeliest({row, row + config_.classes}, names_) << "\n";
    }
  }

  void report(Page& page) override {
    const ClassifierScore score = scored(validation_);
    add_confusion(page, score.confusion(), names_);
    page.section("Validation images");
    page.paragraph(
        "The mistakes of which the model was surest, then others, each with the truth. On "
        "the right what the last layer looks at, on average over its heads.");
    const NoGrad no_grad;
    std::vector<Figure> figures;
    for (const Answer& answer : worth_showing(score.answers(), 18, 12)) {
      const Picture picture = validation_.picture(answer.example);
      const Tensor seen = model_->attention(image_batch(validation_, {answer.example}, scale_));
      const int64_t rows = config_.image_size.h / config_.patch_size.h;
      const std::string caption = described(answer, names_);
      figures.push_back(
          {picture_with_patches(picture, seen.to_vector(), rows, seen.numel() / rows, caption),
           caption, !answer.right()});
    }
    page.figures(figures);
  }

  std::optional<Choice> choice() const override {
    return Choice{static_cast<int64_t>(names_.size()), "classes"};
  }

  std::string example_input() const override { return "picture.pgm"; }

 protected:
  void add_settings(Settings& settings) override {
    settings.add("layers", config_.layers, "of the encoder", 1, 1000);
    settings.add("heads", config_.heads, "attention heads; must divide width");
    settings.add("width", config_.width, "of the stream between the layers");
    settings.add("mlp_width", config_.mlp_width, "inside of a layer's MLP");
    settings.add("patch_size", patch_size_, "pixels; must divide the image's sides");
    settings.add("stem", stem_, "how an image becomes patches", {"convolutions", "patches"});
    settings.add("pooling", pooling_, "what the head looks at", {"mean", "class_token"});
    settings.add("dropout", config_.dropout, "share of activations dropped in training", 0, 0.99);
    settings.add("label_smoothing", label_smoothing_, "share of the target spread evenly", 0, 1);
    settings.add("shift", augmentation_.shift, "training images: pixels, at most", 0, 1000);
    settings.add("rotate", augmentation_.rotate, "training images: degrees, at most", 0, 180);
    settings.add("scale", augmentation_.scale, "training images: 0.1 is up to 10 % larger or less",
                 0, 1);
    settings.add("flip", augmentation_.flip, "training images: mirror one half");
  }

  std::string model_facts() const override {
    return concat(counted(config_.layers, "layer"), ", ", counted(config_.heads, "head"), ", ",
                  config_.width, " wide, ", config_.patches(), " patches");
  }
  std::string data_facts() const override {
    return concat(source_, ": ", with_commas(train_.size()), " images of ", config_.image_size.h,
                  " × ", config_.image_size.w, " to train on, ", with_commas(validation_.size()),
                  " to validate, ", config_.classes, " classes");
  }
  std::string batch_facts() const override { return concat(recipe.batch_size, " images"); }

 private:
  Metrics measure(const Images& images, const std::string& loss_name) {
    return scored(images).metrics(loss_name);
  }

  /// The answers to all of `images`.
  ClassifierScore scored(const Images& images) {
    NoGrad no_grad;
    ClassifierScore score(config_.classes);
    std::vector<int64_t> chosen;
    for (int64_t begin = 0; begin < images.size(); begin += 256) {
      chosen.resize(static_cast<size_t>(std::min<int64_t>(256, images.size() - begin)));
      std::iota(chosen.begin(), chosen.end(), begin);
      score.add(chosen, (*model_)(image_batch(images, chosen, scale_)),
                label_batch(images.labels, chosen));
    }
    return score;
  }

  ViTConfig config_;
  std::string stem_ = "convolutions", pooling_ = "mean";
  int64_t patch_size_ = 4;
  double label_smoothing_ = 0.1;
  Augmentation augmentation_{.shift = 2, .rotate = 12, .scale = 0.12};
  std::string source_;
  std::vector<std::string> names_;
  Images train_, validation_, test_;
  PixelScale scale_;
  BatchSampler sampler_;
  std::unique_ptr<VisionTransformer> model_;
};

}  // namespace

std::unique_ptr<Task> make_vit_task() { return std::make_unique<VitTask>(); }

}  // namespace tarsier::zoo
