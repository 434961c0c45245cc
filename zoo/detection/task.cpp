#include "zoo/detection/task.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "autograd/io/json.h"
#include "zoo/base/format.h"
#include "zoo/data/fingerprint.h"
#include "zoo/data/fitted_pictures.h"
#include "zoo/data/learned_pictures.h"
#include "zoo/detection/examples.h"
#include "zoo/detection/showing.h"
#include "zoo/picture/read.h"
#include "zoo/picture/write.h"
#include "zoo/task/place_names.h"

namespace tarsier::zoo::detection {

namespace {

/// The stream of random numbers that changes the pictures.
constexpr uint64_t kAugmentStream = uint64_t{3} << 62;

enum class Preset { scenes, cells };

class DetectionTask : public TaskOf<Detr, DetectionData> {
 public:
  explicit DetectionTask(const std::string& name, Preset preset) : TaskOf(name) {
    recipe.epochs = 30;
    recipe.batch_size = 16;
    recipe.learning_rate = 1e-3;
    recipe.min_learning_rate = 1e-5;
    recipe.weight_decay = 0.05;
    recipe.beta2 = 0.99;
    recipe.ema_decay = 0.99;
    recipe.eval_every = 0;
    if (preset == Preset::cells) {
      recipe.eval_every = 65;
      augmentation_.flip_vertical = true;
    }
  }

  std::string items() const override { return "images"; }

  // ---- training ----

  int64_t training_examples() const override { return train_.size(); }

  Batch batch(int64_t number, uint64_t seed) override {
    return example_batch(train_, drawn(number, seed), pictures_.scale, &augmentation_,
                         {seed, kAugmentStream + static_cast<uint64_t>(number)});
  }

  /// The example as it is: the picture is recognised more easily.
  StudyInput study_input(int64_t, uint64_t seed) override {
    StudyInput input{.batch = example_batch(train_, {first_drawn(seed)}, pictures_.scale)};
    input.labels = {{"patches", place_names(config_.rows(), config_.columns())},
                    {"classes", pictures_.names}};
    input.description = "1 image";
    input.picture = {select(input.batch["images"], 0, 0), config_.rows(), config_.columns()};
    input.no_proof =
        "This model decides by numbers: which patches become queries, which query gets which "
        "object, "
        "where a layer looks. Backward takes that as given, and a difference of the loss does not.";
    return input;
  }

  Tensor loss(const Batch& batch) override {
    const Output output = model()(batch["images"]);
    const Objects objects = objects_of(batch);
    Tensor total;
    for (size_t i = 0; i < output.guesses.size(); ++i) {
      const int64_t copies = i == 0 ? copies_ : 1;
      const Guess& guess = output.guesses[i];
      const Tensor one = set_loss(guess, objects, match(guess, objects, weights_, copies), weights_,
                                  copies, quality_);
      total = total.defined() ? total + one : one;
    }
    return total;
  }

  Metrics validate() override { return measure(data_.parts.val, validation_, "val_loss"); }
  Metrics evaluate() override {
    const bool test = !data_.parts.test.empty();
    return measure(test ? data_.parts.test : data_.parts.val, test ? test_ : validation_, "loss");
  }

  // ---- use ----

  /// A line for each picture. With --out, one picture with its objects drawn on it.
  void predict(const std::vector<std::string>& inputs, std::ostream& out,
               std::ostream* notes) override {
    check_out_picture(out_, inputs.size());
    Task::predict(inputs, out, notes);
  }

  void show_sample(std::ostream& out) override {
    const NoGrad no_grad;
    for (int64_t i = 0; i < std::min<int64_t>(4, validation_.size()); ++i) {
      const Found found = found_in(i);
      out << "  " << found.example->name << "  " << listed(shown(found.detections), pictures_.names)
          << "\n";
    }
  }

  void report(Page& page) override {
    const NoGrad no_grad;
    std::vector<Found> all;
    for (int64_t i = 0; i < validation_.size(); ++i) all.push_back(found_in(i));
    add_detections(page, all, pictures_.names, threshold_);
    std::vector<int64_t> queries;
    Output output;
    const Found first = found_in(0, &queries, &output);
    std::vector<std::vector<double>> weights;
    for (size_t i = 0; i < std::min<size_t>(6, queries.size()); ++i)
      weights.push_back(select(select(output.attention, 0, 0), 0, queries[i]).to_vector());
    add_query_attention(page, first, validation_.images.picture(0), weights, config_.rows(),
                        pictures_.names);
  }

  std::string example_input() const override { return "picture.png"; }

 protected:
  // ---- data ----

  DetectionData read(const std::string& path) override {
    pictures_.name_source(path);
    return path.empty() ? scene_pictures() : load_pictures(read_annotations(path), longest_);
  }

  void learn(const DetectionData& data) override {
    pictures_.names = data.names;
    std::tie(pictures_.height, pictures_.width) = sides_for(data.parts.train, config_.stride);
    const Pair size{pictures_.height, pictures_.width};
    pictures_.scale = PixelScale::of(fitted_examples(data.parts.train, size).images);
    fit_config();
  }

  void use(DetectionData data) override {
    data_ = std::move(data);
    for (std::vector<Example>* part : {&data_.parts.train, &data_.parts.val, &data_.parts.test})
      for (Example& example : *part)
        for (TrueObject& object : example.objects)
          object.label = pictures_.number_of(data_.names[static_cast<size_t>(object.label)]);
    train_ = fitted_examples(data_.parts.train, config_.image_size);
    validation_ = fitted_examples(data_.parts.val, config_.image_size);
    test_ = fitted_examples(data_.parts.test, config_.image_size);
    data_.parts.train.clear();
  }

  Json::Object known() const override { return pictures_.known(); }
  void restore(const Json& data) override {
    pictures_.restore(data);
    fit_config();
  }
  Json::Object mark() const override {
    Fingerprint fingerprint;
    for (const FittedExamples* part : {&train_, &validation_})
      fingerprint.add(part->images.pixels).add(part->labels);
    return {{"images", train_.size() + validation_.size()}, {"fingerprint", fingerprint.text()}};
  }

  // ---- model and settings ----

  std::unique_ptr<Detr> make_model(Generator& generator) override {
    return std::make_unique<Detr>(config_, generator);
  }

  void add_data_settings(Settings& settings) override {
    settings.add("size", longest_, "larger pictures are scaled down to so many pixels", 16, 4096);
  }

  void add_settings(Settings& settings) override {
    settings.add("layers", config_.layers, "layers of the encoder", 1, 100);
    settings.add("decoder_layers", config_.decoder_layers, "layers of the decoder", 1, 100);
    settings.add("stem_layers", config_.stem_layers, "convolutions at the size of the patches", 0,
                 100);
    settings.add("heads", config_.heads, "attention heads; must divide width");
    settings.add("width", config_.width, "width of the stream between the layers");
    settings.add("mlp_width", config_.mlp_width, "width inside a layer's MLP");
    settings.add("stride", config_.stride, "side of a patch in pixels: 2, 4, 8, …");
    settings.add("queries", config_.queries, "objects looked for in a picture");
    settings.add("dropout", config_.dropout, "fraction of activations dropped in training", 0,
                 0.99);
    settings.add("copies", copies_, "patches that learn each object", 1, 100);
    settings.add("quality", quality_, "scores learn how well their boxes fit");
    augmentation_.add_to(settings);
  }

  void add_predict_options(Settings& options) override {
    options.add("threshold", threshold_, "the smallest score of an object that is shown", 0, 1);
    options.add("overlap", overlap_,
                "of two objects of a class whose IoU is above this, only the surer one is shown", 0,
                1);
    options.add("out", out_, "a PNG file to write: the picture with its objects", {});
  }

  // ---- use ----

  /// The input is the path of a picture, the answer its objects, in its own pixels.
  std::string answer(const std::string& path) override {
    Picture picture = with_channels(read_picture(path), 3);
    const Example example{path, picture.height, picture.width, std::move(picture), {}};
    const FittedExamples one = fitted_examples({example}, config_.image_size);
    const Guess guess = model()(example_batch(one, {0}, pictures_.scale)["images"]).guesses.back();
    const std::vector<Detection> found =
        shown(in_pixels_of(example, detections_of(guess, config_.image_size).front()));
    if (!out_.empty())
      write_picture(
          out_, with_boxes(example.picture, example.height, example.width, found, pictures_.names));
    return path + "  " + listed(found, pictures_.names);
  }

  void note(const std::string& path, std::ostream& notes) const override {
    notes << size_remark(path, read_picture(path), config_.image_size.h, config_.image_size.w);
  }

  std::string model_facts() const override {
    return concat(counted(config_.layers, "layer"), " and ", config_.decoder_layers, ", ",
                  counted(config_.heads, "head"), ", ", config_.width, " wide, ", config_.queries,
                  " queries of ", config_.rows() * config_.columns(), " patches");
  }
  std::string data_facts() const override {
    return pictures_.facts(data_.format, train_.size(), validation_.size());
  }
  std::string cut_facts() const override { return data_.repairs.text(); }

 private:
  /// The sizes that follow from the data.
  void fit_config() {
    config_.image_size = {pictures_.height, pictures_.width};
    config_.classes = std::ssize(pictures_.names);
  }

  std::vector<Detection> shown(const std::vector<Detection>& found) const {
    return worth_showing(found, threshold_, overlap_);
  }

  /// Detections in pixels of the example's file, from those in pixels of the fitted picture.
  std::vector<Detection> in_pixels_of(const Example& example, std::vector<Detection> found) const {
    for (Detection& one : found)
      one.box = from_fitted(one.box, example.height, example.width, config_.image_size);
    return found;
  }

  /// What is found in validation picture `i`; with the query of each detection and the output.
  Found found_in(int64_t i, std::vector<int64_t>* queries = nullptr, Output* output = nullptr) {
    const Example& example = data_.parts.val[static_cast<size_t>(i)];
    const Output out =
        model()(example_batch(validation_, {i}, pictures_.scale)["images"], output != nullptr);
    std::vector<std::vector<int64_t>> numbers;
    std::vector<Detection> found =
        detections_of(out.guesses.back(), config_.image_size, &numbers).front();
    if (queries != nullptr) *queries = numbers.front();
    if (output != nullptr) *output = out;
    return {&example, in_pixels_of(example, std::move(found))};
  }

  Metrics measure(const std::vector<Example>& examples, const FittedExamples& fitted,
                  const std::string& loss_name) {
    const NoGrad no_grad;
    AveragePrecision score(config_.classes);
    double loss = 0, weight = 0;
    for (int64_t begin = 0; begin < fitted.size(); begin += 32) {
      std::vector<int64_t> chosen(
          static_cast<size_t>(std::min<int64_t>(32, fitted.size() - begin)));
      std::iota(chosen.begin(), chosen.end(), begin);
      const Batch batch = example_batch(fitted, chosen, pictures_.scale);
      const Objects objects = objects_of(batch);
      const Guess guess = model()(batch["images"]).guesses.back();
      loss +=
          batch.weight *
          set_loss(guess, objects, match(guess, objects, weights_), weights_, 1, quality_).item();
      weight += batch.weight;
      std::vector<std::vector<Detection>> found = detections_of(guess, config_.image_size);
      for (size_t i = 0; i < chosen.size(); ++i) {
        const Example& example = examples[static_cast<size_t>(chosen[i])];
        score.add(example.objects, in_pixels_of(example, std::move(found[i])));
      }
    }
    Metrics out{{.name = "AP50", .value = score.mean_ap(0).value_or(0), .higher_is_better = true}};
    out.push_back({.name = "AP", .value = score.mean_ap().value_or(0), .higher_is_better = true});
    for (size_t c = 0; c < pictures_.names.size(); ++c)
      if (const auto ap = score.ap(static_cast<int64_t>(c), 0))
        out.push_back(
            {.name = "AP50 " + pictures_.names[c], .value = *ap, .higher_is_better = true});
    out.push_back({.name = loss_name, .value = loss / weight});
    return out;
  }

  Config config_;
  LossWeights weights_;
  int64_t copies_ = 3;
  bool quality_ = false;
  int64_t longest_ = 96;
  double threshold_ = 0.35;  // scores of the focal loss are low
  double overlap_ = 0.6;
  std::string out_;
  Augmentation augmentation_;
  LearnedPictures pictures_;
  DetectionData data_;  // the training pictures are in train_
  FittedExamples train_, validation_, test_;
};

}  // namespace

std::vector<ModelEntry> models() {
  const std::string data =
      "generated scenes, or --data PATH: pictures with boxes as a table, COCO, VOC or YOLO";
  return {{"detection", "detection", "scenes", "to find objects in pictures", data,
           "AP50 0.99 on scenes", "five minutes on one core",
           make_task_of<DetectionTask, Preset::scenes>},
          {"detection-cells", "detection", "cells", "to find blood cells, from few pictures", data,
           "AP50 0.63 on blood cells (BCCD, 96 × 72)", "two minutes on one core",
           make_task_of<DetectionTask, Preset::cells>}};
}

}  // namespace tarsier::zoo::detection
