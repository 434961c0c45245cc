#include "zoo/image_gpt/task.h"

#include <algorithm>
#include <numeric>

#include "autograd/io/json.h"
#include "zoo/base/format.h"
#include "zoo/data/fingerprint.h"
#include "zoo/data/lines.h"
#include "zoo/image_gpt/changes.h"
#include "zoo/image_gpt/drawings.h"
#include "zoo/image_gpt/generate.h"
#include "zoo/image_gpt/model.h"
#include "zoo/image_gpt/pages.h"
#include "zoo/picture/read.h"
#include "zoo/picture/sheet.h"
#include "zoo/picture/write.h"
#include "zoo/task/place_names.h"

namespace tarsier::zoo::image_gpt {

namespace {

/// The stream of random numbers that changes the drawings.
constexpr uint64_t kChangeStream = uint64_t{3} << 62;

enum class Preset { drawings, letters };

class ImageGptTask : public TaskOf<ImageGpt, Parts> {
 public:
  /// Sizes and rates were found by experiment: README.md.
  explicit ImageGptTask(const std::string& name, Preset preset) : TaskOf(name) {
    recipe.optimizer = "muon";
    recipe.schedule = "linear";
    recipe.steps = 14000;
    recipe.batch_size = 4;
    recipe.learning_rate = 0.01;
    recipe.min_learning_rate = 1e-5;
    recipe.warmup_steps = 30;
    recipe.eval_every = 2000;
    recipe.ema_decay = 0.999;
    if (preset == Preset::letters) {
      recipe.steps = 20'000;
      recipe.batch_size = 8;
      recipe.learning_rate = 0.008;
      config_.layers = 4;
      config_.width = 96;
      config_.mlp_width = 384;
      config_.dropout = 0.05;
      changes_.bent = 0.7;
    }
    sampling_.sampling.temperature = 1;
  }

  std::string items() const override { return "images"; }

  // ---- training ----

  int64_t training_examples() const override { return parts_.train.size(); }

  Batch batch(int64_t number, uint64_t seed) override {
    const std::vector<int64_t> chosen = drawn(number, seed);
    Dice dice({seed, kChangeStream + static_cast<uint64_t>(number)});
    return batch_of(parts_.train, chosen, &dice);
  }

  Tensor loss(const Batch& batch) override {
    return model().loss(batch["pixels"], batch["changes"]);
  }

  /// Rows of a drawing, as many blocks as asked for, from the first that is not of one level.
  StudyInput study_input(int64_t length, uint64_t seed) override {
    const int64_t columns = config_.image_size.w / config_.patch;
    const int64_t rows =
        std::clamp<int64_t>(length / columns, 1, config_.image_size.h / config_.patch);
    StudyInput input{.batch = batch_of(parts_.train, {first_drawn(seed)})};
    const Tensor whole = input.batch["pixels"];
    const std::vector<double> range = (amax(whole, 2) - amin(whole, 2)).to_vector();
    const auto inked = std::find_if(range.begin(), range.end(), [](double v) { return v > 0; });
    const int64_t first =
        std::min<int64_t>(inked - range.begin(), whole.size(1) - rows * config_.patch);
    const Tensor pixels = contiguous(slice(whole, 1, first, first + rows * config_.patch));
    input.batch.tensors = {{"pixels", pixels}, {"changes", input.batch["changes"]}};
    input.batch.weight = static_cast<double>(rows * columns);
    input.labels = {{"blocks", place_names(rows, columns)}};
    input.description = counted(rows * columns, "block");
    const Tensor grey = to(pixels, f32) / static_cast<double>(config_.levels - 1);
    input.picture = {grey, rows, columns};
    return input;
  }

  Metrics validate() override { return measured(parts_.val, "val_loss"); }
  Metrics evaluate() override {
    return measured(parts_.test.size() > 0 ? parts_.test : parts_.val, "loss");
  }

  // ---- use ----

  /// Of each input, a picture file, a row: the picture, and its upper half completed in several
  /// ways. Of blank inputs a sheet of new drawings.
  void predict(const std::vector<std::string>& inputs, std::ostream& out, std::ostream*) override {
    check_out_picture(out_);
    const gpt::Sampling sampling = sampling_.chosen();
    std::vector<Picture> pictures;
    int64_t columns = 10;
    for (const std::string& input : inputs) {
      if (is_blank(input)) continue;
      const std::vector<Picture> row = completed(model(), given(input), count_or(9), sampling);
      pictures.insert(pictures.end(), row.begin(), row.end());
      columns = static_cast<int64_t>(row.size());
    }
    if (pictures.empty())
      pictures = pictures_of(new_drawings(model(), count_or(60), sampling), config_);
    if (out_.empty()) {
      for (const Picture& picture : pictures) out << as_text(picture) << std::endl;
      return;
    }
    write_picture(out_, sheet(pictures, columns, kScale));
    out << out_ << ": " << counted(static_cast<int64_t>(pictures.size()), "picture") << std::endl;
  }

  bool continues_text() const override { return true; }

  void show_sample(std::ostream& out) override {
    const std::vector<Picture> two =
        pictures_of(new_drawings(model(), 2, {.temperature = 1}), config_);
    out << as_text(sheet(two, 2));
  }

  void report(Page& page) override { add_pages(page, model(), parts_.val); }

  std::optional<Choice> choice() const override {
    return Choice{config_.kinds(), "kinds of blocks"};
  }

 protected:
  // ---- data ----

  Parts read(const std::string& path) override { return read_drawings(path, config_.levels); }

  void learn(const Parts& data) override {
    config_.image_size = {data.train.height, data.train.width};
  }

  void use(Parts data) override {
    check(data.train.height == config_.image_size.h && data.train.width == config_.image_size.w,
          "data", data.source, " has pictures of ", data.train.width, " × ", data.train.height,
          " pixels, but the model draws ", config_.image_size.w, " × ", config_.image_size.h);
    parts_ = std::move(data);
  }

  Json::Object known() const override {
    return {{"height", config_.image_size.h}, {"width", config_.image_size.w}};
  }
  void restore(const Json& data) override {
    config_.image_size = {data["height"].as_int(), data["width"].as_int()};
  }
  Json::Object mark() const override {
    Fingerprint fingerprint;
    for (const Drawings* part : {&parts_.train, &parts_.val}) fingerprint.add(part->pixels);
    return {{"images", parts_.train.size()}, {"fingerprint", fingerprint.text()}};
  }

  // ---- model and settings ----

  std::unique_ptr<ImageGpt> make_model(Generator& generator) override {
    config_.changes = kToldChanges;
    return std::make_unique<ImageGpt>(config_, generator);
  }

  void add_data_settings(Settings& settings) override {
    settings.add("levels", config_.levels, "levels of a pixel, from black to white", 2, 256);
  }
  void add_settings(Settings& settings) override {
    settings.add("patch", config_.patch, "pixels of a block's side, predicted together", 1, 8);
    settings.add("reach", config_.reach, "pixels around a block that the stem sees", 1, 128);
    settings.add("window", config_.window, "blocks around a block that attention sees; 0: all", 0,
                 128);
    settings.add("near", config_.near, "blocks around a block that layers mix with it", 1, 128);
    settings.add("layers", config_.layers, "layers", 1, 1000);
    settings.add("heads", config_.heads, "attention heads; must divide width");
    settings.add("width", config_.width, "width of the stream between the layers");
    settings.add("mlp_width", config_.mlp_width, "width inside a layer's MLP, and of the stem");
    settings.add("dropout", config_.dropout, "fraction of activations dropped in training", 0,
                 0.99);
    settings.add("shift", changes_.shift, "training pictures: shift by up to so many pixels", 0,
                 64);
    settings.add("bent", changes_.bent, "training pictures: the share that is bent", 0, 1);
    settings.add("rotate", changes_.rotate, "of bent pictures: up to so many degrees", 0, 180);
    settings.add("stretch", changes_.stretch, "of bent pictures: 0.1 is up to 10 % larger or less",
                 0, 1);
    settings.add("wobble", changes_.wobble, "of bent pictures: points move up to so many pixels", 0,
                 64);
    settings.add("turned", changes_.turned, "training pictures: the share turned or mirrored", 0,
                 1);
  }

  void add_predict_options(Settings& options) override {
    options.add("count", count_, "pictures to draw, or completions of each INPUT; 0: the usual", 0,
                10'000);
    options.add("out", out_, "the file to write, .png", {});
    sampling_.add_to(options, "pictures");
  }

  std::string model_facts() const override {
    return concat(counted(config_.layers, "layer"), ", ", counted(config_.heads, "head"), ", ",
                  config_.width, " wide, ", model_blocks(), " blocks of ", config_.patch, " × ",
                  config_.patch, " pixels");
  }
  std::string data_facts() const override {
    return concat(parts_.source, ": ", with_commas(parts_.train.size()), " pictures of ",
                  config_.image_size.w, " × ", config_.image_size.h, " to train on, ",
                  parts_.val.size(), " to validate, ", parts_.test.size(), " to test; ",
                  config_.levels, " levels");
  }

 private:
  static constexpr int64_t kScale = 3;

  int64_t model_blocks() const {
    return config_.image_size.h / config_.patch * (config_.image_size.w / config_.patch);
  }
  int64_t count_or(int64_t usual) const { return count_ > 0 ? count_ : usual; }

  /// Drawings as (B, height, width) i64, changed by the numbers of `dice` if there are any.
  Batch batch_of(const Drawings& from, const std::vector<int64_t>& chosen, Dice* dice = nullptr) {
    const auto [h, w] = config_.image_size;
    const auto count = static_cast<int64_t>(chosen.size());
    std::vector<int64_t> pixels;
    std::vector<float> told;
    for (const int64_t i : chosen) {
      std::vector<uint8_t> drawing(from.at(i), from.at(i + 1));
      Told of_this{};
      if (dice != nullptr) drawing = changed(std::move(drawing), h, w, changes_, *dice, of_this);
      pixels.insert(pixels.end(), drawing.begin(), drawing.end());
      told.insert(told.end(), of_this.begin(), of_this.end());
    }
    return {.tensors = {{"pixels", from_vector(pixels, {count, h, w})},
                        {"changes", from_vector(told, {count, kToldChanges})}},
            .items = count,
            .weight = static_cast<double>(count * model_blocks())};
  }

  /// Nats a block, as the loss, and nats a picture.
  Metrics measured(const Drawings& drawings, const std::string& loss_name) {
    const NoGrad no_grad;
    double sum = 0, count = 0;
    for (int64_t begin = 0; begin < drawings.size(); begin += 64) {
      std::vector<int64_t> some(
          static_cast<size_t>(std::min<int64_t>(64, drawings.size() - begin)));
      std::iota(some.begin(), some.end(), begin);
      const Batch batch = batch_of(drawings, some);
      sum += loss(batch).item() * batch.weight;
      count += batch.weight;
    }
    const auto blocks = static_cast<double>(model_blocks());
    return {{.name = loss_name, .value = sum / count},
            {.name = "nats", .value = sum / count * blocks, .digits = 2, .note = "a picture"}};
  }

  /// The picture file as the model sees it, (1, height, width).
  Tensor given(const std::string& path) const {
    const auto [h, w] = config_.image_size;
    const std::vector<uint8_t> levels = levels_of(read_picture(path), h, w, config_.levels);
    return from_vector(std::vector<int64_t>(levels.begin(), levels.end()), {1, h, w});
  }

  Config config_;
  Changes changes_{.bent = 0.6};
  Parts parts_;
  gpt::SamplingOptions sampling_;
  int64_t count_ = 0;
  std::string out_;
};

}  // namespace

std::vector<ModelEntry> models() {
  return {{"image-gpt", "image-gpt", "drawings", "to draw, and to complete what is half drawn",
           "generated digits, or --data DIR: picture files (PNG, JPEG, …), or IDX files as MNIST's",
           "62.0 nats a letter of Omniglot", "four minutes on one core",
           make_task_of<ImageGptTask, Preset::drawings>},
          {"image-gpt-letters", "image-gpt", "letters", "the same, larger and longer", "the same",
           "60.3 nats a letter of Omniglot", "forty minutes on one core",
           make_task_of<ImageGptTask, Preset::letters>}};
}

}  // namespace tarsier::zoo::image_gpt
