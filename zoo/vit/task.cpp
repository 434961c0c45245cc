#include "zoo/vit/task.h"

#include <algorithm>
#include <numeric>

#include "autograd/io/json.h"
#include "zoo/base/format.h"
#include "zoo/data/learned_images.h"
#include "zoo/data/lines.h"
#include "zoo/data/sampler.h"
#include "zoo/picture/read.h"
#include "zoo/report/parts.h"
#include "zoo/task/place_names.h"
#include "zoo/vit/model.h"

namespace tarsier::zoo::vit {

namespace {

/// The stream of random numbers that changes the images.
constexpr uint64_t kAugmentStream = uint64_t{3} << 62;

class VitTask : public TaskOf<VisionTransformer, ImageFolder> {
 public:
  explicit VitTask(const std::string& name) : TaskOf(name) {
    config_.stem = Stem::convolutions;
    config_.pooling = Pooling::mean;
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

  std::string items() const override { return "images"; }

  // ---- training ----

  int64_t training_examples() const override { return images_.train.size(); }

  Batch batch(int64_t number, uint64_t seed) override {
    const std::vector<int64_t> chosen = drawn(number, seed);
    return {{{"images", image_batch(images_.train, chosen, scale_, augmentation_,
                                    {seed, kAugmentStream}, number)},
             {"labels", label_batch(images_.train.labels, chosen)}},
            static_cast<int64_t>(chosen.size())};
  }

  /// The example without augmentation: the picture is recognised more easily.
  StudyInput study_input(int64_t, uint64_t seed) override {
    const std::vector<int64_t> chosen{first_drawn(seed)};
    StudyInput input{.batch = {{{"images", image_batch(images_.train, chosen, scale_)},
                                {"labels", label_batch(images_.train.labels, chosen)}},
                               1}};
    const int64_t rows = config_.image_size.h / config_.patch_size.h,
                  columns = config_.image_size.w / config_.patch_size.w;
    std::vector<std::string> positions = place_names(rows, columns);
    if (config_.pooling == Pooling::class_token) positions.insert(positions.begin(), "class");
    input.labels = {{"patches", positions}, {"classes", images_.names}};
    input.description = "1 image";
    input.picture = {select(input.batch["images"], 0, 0), rows, columns};
    return input;
  }

  Tensor loss(const Batch& batch) override {
    return cross_entropy(model()(batch["images"]), batch["labels"],
                         {.label_smoothing = label_smoothing_});
  }

  Metrics validate() override { return measure(images_.val, "val_loss"); }
  Metrics evaluate() override { return measure(images_.unseen(), "loss"); }

  // ---- use ----

  void show_sample(std::ostream& out) override {
    NoGrad no_grad;
    const int64_t count = std::min<int64_t>(10, images_.val.size());
    std::vector<int64_t> first(static_cast<size_t>(count));
    std::iota(first.begin(), first.end(), 0);
    const Tensor p = softmax(model()(image_batch(images_.val, first, scale_)), -1);
    const std::vector<double> all = p.to_vector();
    for (int64_t i = 0; i < count; ++i) {
      const auto row = all.begin() + i * config_.classes;
      out << "  " << images_.names[static_cast<size_t>(images_.val.labels[static_cast<size_t>(i)])]
          << "  read as  " << likeliest({row, row + config_.classes}, images_.names) << "\n";
    }
  }

  void report(Page& page) override {
    const ClassifierScore score = scored(images_.val);
    add_confusion(page, score.confusion(), images_.names);
    page.section("Validation images");
    page.paragraph(
        "The most confident mistakes, then other answers, each with the truth. On "
        "the right what the last layer attends to, averaged over the heads.");
    const NoGrad no_grad;
    std::vector<Figure> figures;
    for (const Answer& answer : worth_showing(score.answers(), 18, 12)) {
      const Picture picture = images_.val.picture(answer.example);
      const Tensor seen = model().attention(image_batch(images_.val, {answer.example}, scale_));
      const int64_t rows = config_.image_size.h / config_.patch_size.h;
      const std::string caption = described(answer, images_.names);
      figures.push_back(
          {picture_with_patches(picture, seen.to_vector(), rows, seen.numel() / rows, caption),
           caption, !answer.right()});
    }
    page.figures(figures);
  }

  std::optional<Choice> choice() const override {
    return Choice{static_cast<int64_t>(images_.names.size()), "classes"};
  }

  std::string example_input() const override { return "picture.png"; }

 protected:
  // ---- data ----

  ImageFolder read(const std::string& path) override {
    return images_.read(path, config_.patch_size.h);
  }
  void learn(const ImageFolder& data) override {
    images_.learn(data);
    scale_ = PixelScale::of(data.train);
    images_.fit(config_);
  }
  void use(ImageFolder data) override { images_.use(std::move(data)); }

  Json::Object known() const override {
    Json::Object known = images_.known();
    known.emplace_back("scale", scale_.to_json());
    known.emplace_back("signs", images_.signs);
    return known;
  }
  void restore(const Json& data) override {
    images_.restore(data);
    scale_ = PixelScale::from_json(data["scale"]);
    // Runs of before there were folders of pictures do not say it.
    images_.signs = data.find("signs") != nullptr ? data["signs"].as_bool() : images_.channels == 1;
    images_.fit(config_);
  }
  Json::Object mark() const override { return images_.mark(); }

  // ---- model and settings ----

  std::unique_ptr<VisionTransformer> make_model(Generator& generator) override {
    config_.patch_size = config_.patch_size.h;  // a square
    return std::make_unique<VisionTransformer>(config_, generator);
  }

  void add_data_settings(Settings& settings) override { images_.add_data_settings(settings); }
  void add_settings(Settings& settings) override {
    images_.add_settings(settings);
    settings.add("layers", config_.layers, "layers of the encoder", 1, 1000);
    settings.add("heads", config_.heads, "attention heads; must divide width");
    settings.add("width", config_.width, "width of the stream between the layers");
    settings.add("mlp_width", config_.mlp_width, "width inside a layer's MLP");
    settings.add("patch_size", config_.patch_size.h, "pixels; must divide the image's sides");
    settings.add_choice("stem", config_.stem, "how an image becomes patches",
                        {{"convolutions", Stem::convolutions},
                         {"patches", Stem::patches},
                         {"stages", Stem::stages}});
    settings.add_choice("pooling", config_.pooling, "input of the head",
                        {{"mean", Pooling::mean}, {"class_token", Pooling::class_token}});
    settings.add("dropout", config_.dropout, "fraction of activations dropped in training", 0,
                 0.99);
    settings.add("label_smoothing", label_smoothing_, "fraction of the target spread evenly", 0, 1);
    settings.add("shift", augmentation_.shift, "training images: shift by up to so many pixels", 0,
                 1000);
    settings.add("rotate", augmentation_.rotate, "training images: rotate by up to so many degrees",
                 0, 180);
    settings.add("scale", augmentation_.scale, "training images: 0.1 is up to 10 % larger or less",
                 0, 1);
    settings.add("flip", augmentation_.flip, "training images: mirror half of them");
  }

  // ---- use ----

  /// The input is the path of an image, the answer its likeliest classes.
  std::string answer(const std::string& path) override {
    const Picture picture = read_picture(path);
    const auto [h, w] = config_.image_size;
    Images one;
    one.append(images_.signs && config_.channels == 1 ? fitted_sign(picture, h, w)
                                                      : fitted(picture, config_.channels, h, w),
               0);
    const Tensor p = softmax(model()(image_batch(one, {0}, scale_)), -1);
    return path + "  " + likeliest(p.to_vector(), images_.names);
  }

  void note(const std::string& path, std::ostream& notes) const override {
    const Picture picture = read_picture(path);
    const auto [h, w] = config_.image_size;
    if (!images_.signs || config_.channels > 1) {
      notes << size_remark(path, picture, h, w);
    } else if (picture.height != h || picture.width != w) {
      notes << "'" << path << "' has " << picture.width << " × " << picture.height
            << " pixels: the sign in it is read as " << w * 20 / 28 << " × " << h * 20 / 28
            << ", centred in " << w << " × " << h << "\n";
    }
  }

  std::string model_facts() const override {
    return concat(counted(config_.layers, "layer"), ", ", counted(config_.heads, "head"), ", ",
                  config_.width, " wide, ", config_.patches(), " patches");
  }
  std::string data_facts() const override { return images_.facts(); }
  std::string cut_facts() const override { return images_.remark(); }

 private:
  Metrics measure(const Images& images, const std::string& loss_name) {
    return scored(images).metrics(loss_name);
  }

  /// The answers for all of `images`.
  ClassifierScore scored(const Images& images) {
    NoGrad no_grad;
    ClassifierScore score(config_.classes);
    std::vector<int64_t> chosen;
    for (int64_t begin = 0; begin < images.size(); begin += 256) {
      chosen.resize(static_cast<size_t>(std::min<int64_t>(256, images.size() - begin)));
      std::iota(chosen.begin(), chosen.end(), begin);
      score.add(chosen, model()(image_batch(images, chosen, scale_)),
                label_batch(images.labels, chosen));
    }
    return score;
  }

  Config config_;
  double label_smoothing_ = 0.1;
  Augmentation augmentation_{.shift = 2, .rotate = 12, .scale = 0.12};
  LearnedImages images_;
  PixelScale scale_;
};

}  // namespace

std::vector<ModelEntry> models() {
  return {{"vit", "vit", "digits", "to classify images", LearnedImages::kData,
           "98.7 % of MNIST's digits", "two minutes on two cores", make_task_of<VitTask>}};
}

}  // namespace tarsier::zoo::vit
