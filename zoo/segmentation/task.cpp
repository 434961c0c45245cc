#include "zoo/segmentation/task.h"

#include <algorithm>
#include <tuple>

#include "autograd/io/json.h"
#include "zoo/base/format.h"
#include "zoo/data/fingerprint.h"
#include "zoo/data/fitted_pictures.h"
#include "zoo/data/learned_pictures.h"
#include "zoo/picture/read.h"
#include "zoo/picture/write.h"
#include "zoo/segmentation/answers.h"
#include "zoo/segmentation/examples.h"
#include "zoo/segmentation/loss.h"
#include "zoo/segmentation/model.h"
#include "zoo/segmentation/showing.h"
#include "zoo/task/place_names.h"

namespace tarsier::zoo::segmentation {

namespace {

/// The stream of random numbers that changes the pictures.
constexpr uint64_t kAugmentStream = uint64_t{3} << 62;

enum class Preset { scenes, street };

class SegmentationTask : public TaskOf<Segmenter, SegmentationData> {
 public:
  explicit SegmentationTask(const std::string& name, Preset preset) : TaskOf(name) {
    recipe.epochs = 4;
    recipe.batch_size = 8;
    recipe.optimizer = "muon";
    recipe.learning_rate = 3e-3;
    recipe.min_learning_rate = 1e-5;
    recipe.weight_decay = 0.05;
    recipe.beta2 = 0.99;
    recipe.ema_decay = 0.99;
    recipe.eval_every = 250;
    changes_ = {.zoom = 0.2, .stretch = 0.1, .color = 0.2};
    if (preset == Preset::street) {
      recipe.epochs = 0;
      recipe.steps = 2400;
      recipe.ema_decay = 0.995;
      recipe.eval_every = 300;
      config_.stem_layers = 2;
      config_.dropout = 0.2;
      loss_.balance = 0.3;
      changes_ = {.zoom = 0.6, .stretch = 0.1, .color = 0.4, .cast = 0.15};
      colors_.own = true;
      masks_.ignored = 11;
      masks_.names = "sky,building,pole,road,pavement,tree,sign,fence,car,pedestrian,bicyclist";
      mirrored_ = true;
    }
  }

  std::string items() const override { return "images"; }

  // ---- training ----

  int64_t training_examples() const override { return train_.size(); }

  Batch batch(int64_t number, uint64_t seed) override {
    return example_batch(train_, drawn(number, seed), colors_, weights_, &changes_,
                         {seed, kAugmentStream + static_cast<uint64_t>(number)});
  }

  /// The example as it is: the picture is recognised more easily.
  StudyInput study_input(int64_t, uint64_t seed) override {
    StudyInput input{.batch = example_batch(train_, {first_drawn(seed)}, colors_, weights_)};
    input.labels = {{"patches", place_names(config_.rows(), config_.columns())},
                    {"classes", pictures_.names}};
    input.description = "1 image";
    input.picture = {select(input.batch["images"], 0, 0), config_.rows(), config_.columns()};
    return input;
  }

  Tensor loss(const Batch& batch) override {
    return mask_loss(model()(batch["images"]).logits, batch["masks"], weights_, batch.weight,
                     loss_);
  }

  Metrics validate() override { return measure(data_.parts.val, "val_loss", false); }
  /// With the IoU of each class.
  Metrics evaluate() override {
    const bool test = !data_.parts.test.empty();
    return measure(test ? data_.parts.test : data_.parts.val, "loss", true);
  }

  // ---- use ----

  /// A line for each picture. With --out, one picture with its classes drawn on it.
  void predict(const std::vector<std::string>& inputs, std::ostream& out,
               std::ostream* notes) override {
    check_out_picture(out_, inputs.size());
    Task::predict(inputs, out, notes);
  }

  void show_sample(std::ostream& out) override {
    const NoGrad no_grad;
    for (size_t i = 0; i < std::min<size_t>(4, data_.parts.val.size()); ++i) {
      const Example& example = data_.parts.val[i];
      out << "  " << example.name << "  " << shares(classes_in(example.picture), pictures_.names)
          << "\n";
    }
  }

  void report(Page& page) override {
    const NoGrad no_grad;
    std::vector<Found> all;
    for (const Example& example : data_.parts.val)
      all.push_back({&example, classes_in(example.picture, &example.mask)});
    add_masks(page, all, pictures_.names);
    const Picture& first = data_.parts.val.front().picture;
    const Tensor input = seen(first, config_.image_size, config_.stride, colors_);
    add_class_attention(page, data_.parts.val.front(), select(model()(input, true).attention, 0, 0),
                        input.size(2) / config_.stride, all.front().classes, pictures_.names);
  }

  std::string example_input() const override { return "picture.png"; }

 protected:
  // ---- data ----

  SegmentationData read(const std::string& path) override {
    pictures_.name_source(path);
    return path.empty() ? scene_pictures() : load_pictures(find_masks(path), masks_);
  }

  void learn(const SegmentationData& data) override {
    pictures_.names = data.names;
    std::tie(pictures_.height, pictures_.width) = sides_for(data.parts.train, config_.stride);
    const Pair size{pictures_.height, pictures_.width};
    pictures_.scale = PixelScale::of(fitted_examples(data.parts.train, size).images);
    fit_config();
  }

  void use(SegmentationData data) override {
    data_ = std::move(data);
    std::vector<uint8_t> known(256, kVoid);
    for (size_t c = 0; c < data_.names.size(); ++c)
      known[c] = static_cast<uint8_t>(pictures_.number_of(data_.names[c]));
    for (std::vector<Example>* part : {&data_.parts.train, &data_.parts.val, &data_.parts.test})
      for (Example& example : *part)
        for (uint8_t& c : example.mask.pixels) c = known[c];
    train_ = fitted_examples(data_.parts.train, config_.image_size);
    weights_ = class_weights(train_.masks, config_.classes, loss_.balance);
    data_.parts.train.clear();
  }

  Json::Object known() const override { return pictures_.known(); }
  void restore(const Json& data) override {
    pictures_.restore(data);
    fit_config();
  }
  Json::Object mark() const override {
    Fingerprint fingerprint;
    fingerprint.add(train_.images.pixels);
    for (const Picture& mask : train_.masks) fingerprint.add(mask.pixels);
    for (const Example& example : data_.parts.val)
      fingerprint.add(example.picture.pixels).add(example.mask.pixels);
    return {{"images", train_.size() + std::ssize(data_.parts.val)},
            {"fingerprint", fingerprint.text()}};
  }

  // ---- model and settings ----

  std::unique_ptr<Segmenter> make_model(Generator& generator) override {
    return std::make_unique<Segmenter>(config_, generator);
  }

  void add_data_settings(Settings& settings) override {
    settings.add("size", masks_.longest, "larger pictures are scaled down to so many pixels", 16,
                 4096);
    settings.add("ignored", masks_.ignored, "the number in masks that does not count; -1: none", -1,
                 255);
    settings.add("classes", masks_.names, "names of the classes if there is no classes.txt: a,b,c",
                 {});
  }

  void add_settings(Settings& settings) override {
    settings.add_choice(
        "stem", config_.stem, "how a picture becomes patches",
        {{"convolution", Stem::convolution}, {"patches", Stem::patches}, {"stages", Stem::stages}});
    settings.add("stem_layers", config_.stem_layers, "convolutions at the size of the patches", 0,
                 100);
    settings.add("layers", config_.layers, "layers of the encoder", 1, 100);
    settings.add("decoder_layers", config_.decoder_layers, "layers of the decoder", 1, 100);
    settings.add("heads", config_.heads, "attention heads; must divide width");
    settings.add("width", config_.width, "width of the stream between the layers");
    settings.add("mlp_width", config_.mlp_width, "width inside a layer's MLP");
    settings.add("stride", config_.stride, "side of a patch in pixels: 2, 4, 8, …");
    settings.add("detail", config_.detail, "channels at the size of the picture");
    settings.add("dropout", config_.dropout, "fraction of activations dropped in training", 0,
                 0.99);
    settings.add("balance", loss_.balance, "0: every pixel counts alike; 1: every class does", 0,
                 1);
    settings.add("dice", loss_.dice, "weight of the overlap of classes in the loss", 0, 100);
    settings.add("label_smoothing", loss_.label_smoothing, "fraction of the target spread evenly",
                 0, 0.99);
    settings.add("own_colors", colors_.own, "scales the colours of each picture by its own mean");
    settings.add("mirrored", mirrored_, "answers are the mean of the picture and its mirror image");
    changes_.add_to(settings);
  }

  void add_predict_options(Settings& options) override {
    options.add("out", out_, "a PNG file to write: the picture with its classes", {});
  }

  // ---- use ----

  /// The input is the path of a picture, the answer how much of it each class is.
  std::string answer(const std::string& path) override {
    const Picture picture = with_channels(read_picture(path), 3);
    const Picture classes = classes_in(picture);
    if (!out_.empty()) write_picture(out_, with_classes(picture, classes, pictures_.names));
    return path + "  " + shares(classes, pictures_.names);
  }

  void note(const std::string& path, std::ostream& notes) const override {
    const Picture picture = read_picture(path);
    const Pair size = seen_size(picture.height, picture.width, config_.image_size, config_.stride);
    if (picture.height == size.h && picture.width == size.w) return;
    notes << "'" << path << "' has " << picture.width << " × " << picture.height
          << " pixels: it is read as " << size.w << " × " << size.h << "\n";
  }

  std::string model_facts() const override {
    return concat(counted(config_.layers, "layer"), " and ", config_.decoder_layers, ", ",
                  counted(config_.heads, "head"), ", ", config_.width, " wide, ",
                  config_.rows() * config_.columns(), " patches");
  }
  std::string data_facts() const override {
    return pictures_.facts(data_.format, train_.size(), std::ssize(data_.parts.val));
  }

 private:
  /// The sizes that follow from the data.
  void fit_config() {
    config_.image_size = {pictures_.height, pictures_.width};
    config_.classes = std::ssize(pictures_.names);
    colors_.scale = pictures_.scale;
  }

  /// The logits of pictures of one size at the size that the model sees: (B, K, …).
  Tensor logits_of(const Tensor& images) {
    const Tensor one = model()(images).logits;
    return mirrored_ ? 0.5 * (one + flip(model()(flip(images, {3})).logits, {3})) : one;
  }

  /// The class of each pixel of a picture; 1 channel, at its size, or that of `like`.
  Picture classes_in(const Picture& picture, const Picture* like = nullptr) {
    const Picture& size = like != nullptr ? *like : picture;
    return best_classes(logits_of(seen(picture, config_.image_size, config_.stride, colors_)),
                        size.height, size.width);
  }

  Metrics measure(const std::vector<Example>& examples, const std::string& loss_name,
                  bool by_class) {
    const NoGrad no_grad;
    ConfusionMatrix confusion(config_.classes);
    double loss = 0, weight = 0;
    for (const Example& example : examples) {
      const Tensor logits =
          logits_of(seen(example.picture, config_.image_size, config_.stride, colors_));
      count_pixels(confusion, example.mask,
                   best_classes(logits, example.mask.height, example.mask.width));
      const auto [one, of] = entropy_of(logits, example.mask);
      loss += one, weight += of;
    }
    Metrics out{
        {.name = "mIoU", .value = confusion.mean_iou(), .higher_is_better = true},
        {.name = "pixel accuracy", .value = confusion.accuracy(), .higher_is_better = true},
        {.name = "class accuracy", .value = confusion.mean_recall(), .higher_is_better = true}};
    for (int64_t c = 0; by_class && c < config_.classes; ++c)
      if (confusion.occurs(c))
        out.push_back({.name = "IoU " + pictures_.names[static_cast<size_t>(c)],
                       .value = confusion.iou(c),
                       .higher_is_better = true});
    out.push_back({.name = loss_name, .value = loss / std::max(1.0, weight)});
    return out;
  }

  Config config_;
  LossOptions loss_;
  MaskOptions masks_;
  PictureChanges changes_;
  bool mirrored_ = false;
  std::string out_;
  LearnedPictures pictures_;
  SegmentationData data_;  // the training pictures are in train_
  FittedExamples train_;
  std::vector<double> weights_;  // of the classes
  Colors colors_;
};

}  // namespace

std::vector<ModelEntry> models() {
  const std::string data = "generated scenes, or --data FOLDER: pictures with masks, or Pascal VOC";
  return {{"segmentation", "segmentation", "scenes", "to say what each pixel shows", data,
           "mIoU 0.83 on scenes", "two minutes on one core",
           make_task_of<SegmentationTask, Preset::scenes>},
          {"segmentation-street", "segmentation", "street",
           "to say what each pixel of a street shows", data, "mIoU 0.38 on CamVid (64 × 48)",
           "six minutes on one core", make_task_of<SegmentationTask, Preset::street>}};
}

}  // namespace tarsier::zoo::segmentation
