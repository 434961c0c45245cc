#include "zoo/diffusion/task.h"

#include <algorithm>

#include "autograd/io/json.h"
#include "zoo/base/format.h"
#include "zoo/base/usage_error.h"
#include "zoo/data/learned_images.h"
#include "zoo/data/lines.h"
#include "zoo/data/sampler.h"
#include "zoo/diffusion/examples.h"
#include "zoo/diffusion/flow.h"
#include "zoo/diffusion/generate.h"
#include "zoo/diffusion/model.h"
#include "zoo/diffusion/neighbours.h"
#include "zoo/diffusion/pages.h"
#include "zoo/diffusion/reader.h"
#include "zoo/picture/read.h"
#include "zoo/picture/sheet.h"
#include "zoo/picture/write.h"
#include "zoo/task/place_names.h"

namespace tarsier::zoo::diffusion {

namespace {

class DiffusionTask : public TaskOf<DiffusionTransformer, ImageFolder> {
 public:
  /// Sizes and rates were found by experiment: README.md.
  explicit DiffusionTask(const std::string& name) : TaskOf(name) {
    recipe.optimizer = "muon";
    recipe.steps = 1600;
    recipe.batch_size = 64;
    recipe.learning_rate = 0.01;
    recipe.min_learning_rate = 1e-5;
    recipe.warmup_steps = 50;
    recipe.weight_decay = 0;
    recipe.eval_every = 200;
    recipe.ema_decay = 0.995;
  }

  std::string items() const override { return "images"; }

  // ---- training ----

  int64_t training_examples() const override { return images_.train.size(); }

  Batch batch(int64_t number, uint64_t seed) override {
    return training_batch(config_, images_.train, drawn(number, seed), drawing_, seed, number);
  }

  Tensor loss(const Batch& batch) override { return flow_loss(model(), batch); }

  /// Until the last map has left zero, no gradient passes it; then the gates must open.
  int64_t checked_step() const override { return 3; }

  StudyInput study_input(int64_t, uint64_t seed) override {
    StudyInput input{.batch = training_batch(config_, images_.train, {first_drawn(seed)},
                                             {.class_dropout = 0}, seed, 1)};
    const int64_t rows = config_.rows(), columns = config_.columns();
    input.labels = {{"patches", place_names(rows, columns)}};
    const Batch& one = input.batch;
    const Tensor point = on_line(one["noise"], one["pictures"], one["times"]);
    input.picture = {(select(point, 0, 0) + 1) / 2.0, rows, columns};
    input.description = concat("1 image at time ", fixed(one["times"].item(), 2));
    return input;
  }

  Metrics validate() override {
    return {{.name = "val_loss", .value = mean_loss(model(), images_.val)}};
  }

  /// The loss and the bits of unseen pictures; with a reader, drawings as it reads them, and
  /// how near they are to the pictures of the training.
  Metrics evaluate() override {
    const Images& images = images_.unseen();
    Metrics metrics{{.name = "loss", .value = mean_loss(model(), images)}};
    if (measured_bits_ > 0) {
      const int64_t count = std::min(measured_bits_, images.size());
      const Bits bits = bits_per_dimension(model(), images, count, kBitsSteps);
      metrics.push_back({.name = "bits",
                         .value = bits.mean,
                         .digits = 3,
                         .note = concat("a dimension, ± ", fixed(bits.error, 3), ", of ",
                                        counted(count, "picture"))});
    }
    if (reader_.empty()) return metrics;
    Reader reader(reader_, config_, images_.names);
    const int64_t each = std::max<int64_t>(1, kReadPictures / config_.classes);
    const Images pictures =
        drawn_images(model(), classes_in_turn(config_.classes, each * config_.classes), sampling_);
    metrics.push_back(percent("recognised", reader.share_recognised(pictures)));
    metrics.push_back({.name = "distance",
                       .value = mean_distance(nearest(pictures, images_.train)),
                       .digits = 2,
                       .higher_is_better = true,
                       .note = concat("to the nearest training picture; of unseen pictures ",
                                      fixed(mean_distance(nearest(images, images_.train)), 2))});
    return metrics;
  }

  // ---- use ----

  /// Of each input, a picture file, a row: the picture, and variations of it. Of blank inputs a
  /// sheet of new pictures.
  void predict(const std::vector<std::string>& inputs, std::ostream& out, std::ostream*) override {
    check_out_picture(out_);
    const std::optional<int64_t> wanted = wanted_class();
    std::vector<Picture> pictures;
    int64_t columns = std::min<int64_t>(10, wanted ? 10 : config_.classes);
    for (const std::string& input : inputs) {
      if (is_blank(input)) continue;
      const std::vector<Picture> row = varied(read_picture(input), wanted);
      pictures.insert(pictures.end(), row.begin(), row.end());
      columns = static_cast<int64_t>(row.size());
    }
    std::string facts;
    if (pictures.empty()) pictures = new_sheet(wanted, columns, facts);
    if (out_.empty()) {
      for (const Picture& picture : pictures) out << as_text(picture) << std::endl;
    } else {
      write_picture(out_, sheet(pictures, columns, kScale));
      out << out_ << ": " << counted(static_cast<int64_t>(pictures.size()), "picture") << std::endl;
    }
    out << facts << std::flush;
  }

  bool continues_text() const override { return true; }

  void show_sample(std::ostream& out) override {
    const Images two = drawn_images(model(), classes_in_turn(config_.classes, 2), sampling_);
    out << as_text(sheet({two.picture(0), two.picture(1)}, 2));
  }

  void report(Page& page) override {
    add_pages(page, model(), images_.names, sampling_, images_.train, images_.val);
  }

 protected:
  // ---- data ----

  ImageFolder read(const std::string& path) override { return images_.read(path, config_.patch); }
  void learn(const ImageFolder& data) override {
    images_.learn(data);
    images_.fit(config_);
  }
  void use(ImageFolder data) override { images_.use(std::move(data)); }

  Json::Object known() const override { return images_.known(); }
  void restore(const Json& data) override {
    images_.restore(data);
    images_.fit(config_);
  }
  Json::Object mark() const override { return images_.mark(); }

  // ---- model and settings ----

  std::unique_ptr<DiffusionTransformer> make_model(Generator& generator) override {
    return std::make_unique<DiffusionTransformer>(config_, generator);
  }

  void add_data_settings(Settings& settings) override { images_.add_data_settings(settings); }
  void add_settings(Settings& settings) override {
    images_.add_settings(settings);
    settings.add("layers", config_.layers, "layers", 1, 1000);
    settings.add("heads", config_.heads, "attention heads; must divide width");
    settings.add("width", config_.width, "width of the stream between the layers");
    settings.add("mlp_width", config_.mlp_width, "width inside a layer's MLP");
    settings.add("patch", config_.patch, "pixels of a patch's side; must divide the image's sides");
    settings.add("reach", config_.reach, "pixels by which a patch overlaps its neighbours", 0, 128);
    settings.add("class_dropout", drawing_.class_dropout,
                 "share of the training pictures whose class is hidden", 0, 1);
    settings.add("time_spread", drawing_.time_spread, "of the times learned from; 0: uniform", 0,
                 10);
    settings.add("shift", drawing_.augmentation.shift,
                 "training images: shift by up to so many pixels", 0, 1000);
    settings.add("flip", drawing_.augmentation.flip, "training images: mirror half of them");
  }

  void add_predict_options(Settings& options) override {
    options.add("count", count_, "pictures to draw, or variations of each INPUT; 0: the usual", 0,
                10'000);
    options.add("out", out_, "the file to write, .png", {});
    options.add("class", class_, "the class to draw, by name; default: each in turn", {});
    add_sampling_options(options);
    options.add("strength", strength_, "how much of an INPUT is noise at first; 1: all", 0, 1);
    options.add("neighbours", neighbours_,
                "show under each picture the nearest one of these data; \"digits\": the built-in",
                {});
  }

  void add_eval_options(Settings& options) override {
    options.add("reader", reader_, "the run of a vit that reads what is drawn of each class", {});
    options.add("likelihood", measured_bits_, "pictures of which the bits are measured; 0: none", 0,
                1'000'000);
    add_sampling_options(options);
  }

  std::string model_facts() const override {
    return concat(counted(config_.layers, "layer"), ", ", counted(config_.heads, "head"), ", ",
                  config_.width, " wide, ", config_.rows() * config_.columns(), " patches of ",
                  config_.patch, " × ", config_.patch, " pixels");
  }
  std::string data_facts() const override { return images_.facts(); }
  std::string cut_facts() const override { return images_.remark(); }

 private:
  static constexpr int64_t kScale = 2;
  static constexpr int64_t kBitsSteps = 60;
  static constexpr int64_t kReadPictures = 1000;

  void add_sampling_options(Settings& options) {
    options.add("guidance", sampling_.guidance,
                "how much the class counts; 1: as it was learned, 0: not at all", 0, 100);
    options.add("steps", sampling_.steps, "steps from noise to picture", 1, 1000);
    options.add_choice("method", sampling_.method, "how a step is made",
                       {{"heun", Method::heun}, {"euler", Method::euler}});
    options.add("seed", seed_, "other pictures for another number", 0);
  }

  /// The number of the class of --class, if one was asked for.
  std::optional<int64_t> wanted_class() const {
    if (class_.empty()) return {};
    const auto found = std::find(images_.names.begin(), images_.names.end(), class_);
    if (found == images_.names.end())
      usage_fail("predict", "--class is '", class_, "'",
                 among(class_, images_.names, "The model draws"));
    return found - images_.names.begin();
  }

  /// New pictures, and under each row the nearest ones if asked for, about which `facts` says more.
  std::vector<Picture> new_sheet(std::optional<int64_t> wanted, int64_t columns,
                                 std::string& facts) {
    const int64_t usual = out_.empty() ? columns : 10 * columns;
    std::vector<int64_t> labels =
        classes_in_turn(config_.classes, count_ > 0               ? count_
                                         : wanted && out_.empty() ? 1
                                                                  : usual);
    if (wanted) std::fill(labels.begin(), labels.end(), *wanted);
    const Images drawn = drawn_images(model(), labels, chosen());
    std::vector<Picture> pictures;
    if (neighbours_.empty()) {
      for (int64_t i = 0; i < drawn.size(); ++i) pictures.push_back(drawn.picture(i));
      return pictures;
    }
    const Images among = read(neighbours_ == "digits" ? "" : neighbours_).train;
    const std::vector<Neighbour> neighbours = nearest(drawn, among);
    for (int64_t begin = 0; begin < drawn.size(); begin += columns) {
      const int64_t end = begin + columns, last = std::min(end, drawn.size());
      for (int64_t i = begin; i < last; ++i) pictures.push_back(drawn.picture(i));
      pictures.resize(pictures.size() + static_cast<size_t>(end - last), kNoPicture);
      for (int64_t i = begin; i < last; ++i)
        pictures.push_back(among.picture(neighbours[static_cast<size_t>(i)].index));
    }
    facts =
        concat("mean distance to the nearest picture: ", fixed(mean_distance(neighbours), 2), "\n");
    return pictures;
  }

  /// The picture as the model sees it, and variations of it, of the class asked for or of any.
  std::vector<Picture> varied(const Picture& picture, std::optional<int64_t> wanted) {
    const auto [h, w] = config_.image_size;
    const Picture seen = fitted(picture, config_.channels, h, w);
    Images one;
    one.append(seen, 0);
    const Tensor x = select(lowest_of(one, {0}), 0, 0) + 0.5 / kLevels;
    Sampling sampling = chosen();
    if (!wanted) sampling.guidance = 0;
    const std::vector<int64_t> labels(static_cast<size_t>(count_ > 0 ? count_ : 9),
                                      wanted.value_or(0));
    std::vector<Picture> row = pictures_of(variations(model(), x, labels, strength_, sampling));
    row.insert(row.begin(), seen);
    return row;
  }

  Sampling chosen() const {
    Sampling sampling = sampling_;
    sampling.seed = static_cast<uint64_t>(seed_);
    return sampling;
  }

  /// Fills a place of a sheet with the sheet's own grey.
  inline static const Picture kNoPicture{1, 1, 1, {128}};

  Config config_;
  Drawing drawing_;
  LearnedImages images_;
  // Options of predict and eval.
  Sampling sampling_;
  int64_t seed_ = 1, count_ = 0, measured_bits_ = 100;
  double strength_ = 0.5;
  std::string out_, class_, neighbours_, reader_;
};

}  // namespace

std::vector<ModelEntry> models() {
  return {{"diffusion", "diffusion", "digits", "to draw pictures of a class", LearnedImages::kData,
           "a vit recognises 99.9 % of its digits", "five minutes on one core",
           make_task_of<DiffusionTask>}};
}

}  // namespace tarsier::zoo::diffusion
