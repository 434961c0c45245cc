#include "zoo/captioning/task.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autograd/io/json.h"
#include "zoo/base/format.h"
#include "zoo/base/limits.h"
#include "zoo/captioning/captioned.h"
#include "zoo/captioning/describe.h"
#include "zoo/captioning/model.h"
#include "zoo/captioning/picture_encoder.h"
#include "zoo/captioning/picture_texts.h"
#include "zoo/captioning/pictures.h"
#include "zoo/data/sampler.h"
#include "zoo/metrics/bleu.h"
#include "zoo/picture/read.h"
#include "zoo/picture/sheet.h"
#include "zoo/picture/write.h"
#include "zoo/report/parts.h"
#include "zoo/task/place_names.h"

namespace tarsier::zoo::captioning {

namespace {

enum class Preset { scenes, emoji };

class CaptioningTask : public TaskOf<Captioner, CaptionData> {
 public:
  explicit CaptioningTask(const std::string& name, Preset preset) : TaskOf(name) {
    recipe.epochs = 25;
    recipe.batch_size = 32;
    recipe.optimizer = "muon";
    recipe.learning_rate = 3e-3;
    recipe.min_learning_rate = 1e-5;
    recipe.warmup_steps = 100;
    recipe.weight_decay = 0.05;
    recipe.beta2 = 0.98;
    recipe.ema_decay = 0.99;
    recipe.eval_every = 200;
    beam_ = {.beams = 3, .max_length = 40};
    data_.augmentation = {.shift = 2, .rotate = 5, .scale = 0.08};
    if (preset == Preset::scenes) {  // there are as many as are wanted: nothing is learned by heart
      recipe.epochs = 0;
      recipe.steps = 2000;
      recipe.learning_rate = 6e-3;
      config_.dropout = 0;
      label_smoothing_ = 0.02;
      data_.scenes = {.train = 8000, .max_objects = 2};
    }
  }

  std::string items() const override { return "pictures"; }

  // ---- training ----

  int64_t training_examples() const override { return data_.train.size(); }

  Batch batch(int64_t number, uint64_t seed) override {
    const std::vector<int64_t> chosen = drawn(number, seed);
    return batch_of(data_.augmented(data_.train.images_of(chosen), seed, number),
                    data_.train.tokens_of(chosen));
  }

  /// One picture without changes, with the beginning of its caption.
  StudyInput study_input(int64_t length, uint64_t seed) override {
    const int64_t example = first_drawn(seed);
    std::vector<int32_t> words = data_.train.tokens[static_cast<size_t>(example)];
    words.resize(std::min(words.size(), static_cast<size_t>(length)));
    const int64_t T = std::ssize(words);
    StudyInput input{
        .batch = batch_of(
            data_.as_is(data_.train.pictures.images, data_.train.images_of({example})), {words})};
    input.labels = {{"next", token_labels(*data_.tokenizer, words)}};
    words.insert(words.begin(), kBegin);
    words.pop_back();
    input.labels.emplace_back("target", token_labels(*data_.tokenizer, words));
    const auto [rows, columns] = config_.grid();
    input.labels.emplace_back("patches", place_names(rows, columns));
    input.description = concat("1 picture + ", counted(T, "token"));
    input.picture = {select(input.batch["images"], 0, 0), rows, columns};
    return input;
  }

  Tensor loss(const Batch& batch) override {
    return cost(model()(batch["images"], batch["target"]), batch, label_smoothing_,
                Reduction::mean);
  }

  Metrics validate() override {
    const Measured measured = measure(data_.val);
    return {percent("exact", measured.exact), {.name = "val_loss", .value = measured.loss}};
  }

  /// Exact captions and BLEU by beam search, of the test part or else of validation; and what the
  /// model thinks of the given captions.
  Metrics evaluate() override {
    const TextPart& part = data_.test.size() > 0 ? data_.test : data_.val;
    const std::vector<Said> said = say_all(part);
    std::vector<std::string> texts;
    double exact = 0;
    for (const Said& one : said) {
      texts.push_back(one.text);
      exact += one.right ? 1 : 0;
    }
    const std::string note = cut_note(part.cut, "captions", data_.max_length);
    Metric same = percent("exact", exact / static_cast<double>(said.size()));
    const double bleu = corpus_bleu_multi(texts, part.references(*data_.tokenizer)).score;
    return {
        same,
        {.name = "BLEU", .value = bleu, .digits = 2, .higher_is_better = true},
        {.name = "perplexity", .value = std::exp(measure(part).loss), .digits = 3, .note = note}};
  }

  // ---- use ----

  /// Captions, and with --out the pictures with theirs, as one sheet.
  void predict(const std::vector<std::string>& inputs, std::ostream& out,
               std::ostream* notes) override {
    check_out_picture(out_);
    shown_.clear();
    Task::predict(inputs, out, notes);
    if (!shown_.empty()) write_picture(out_, sheet(shown_, kColumns));
  }

  void show_sample(std::ostream& out) override {
    const NoGrad no_grad;
    const TextPart& part = data_.val;
    const int64_t all = part.pictures.images.size(), count = std::min<int64_t>(6, all);
    const auto captions = part.pictures.by_image();
    for (int64_t i = 0; i < count; ++i) {
      const int64_t at = i * all / count;
      out << "  " << captions[static_cast<size_t>(at)].front() << "  described as  "
          << text_of(data_.as_is(part.pictures.images, {at})) << "\n";
    }
  }

  void report(Page& page) override {
    const NoGrad no_grad;
    add_captions(page, data_.val, say_all(data_.val), model(), data_);
  }

  std::optional<Choice> choice() const override {
    return Choice{data_.tokenizer->size(), "tokens"};
  }

  std::string example_input() const override { return "picture.png"; }

 protected:
  // ---- data ----

  CaptionData read(const std::string& path) override { return data_.read(path); }
  void learn(const CaptionData& data) override { data_.learn(data); }
  void use(CaptionData data) override { data_.use(std::move(data)); }
  Json::Object known() const override { return data_.known(); }
  void restore(const Json& data) override { data_.restore(data); }
  Json::Object mark() const override { return data_.mark(); }

  // ---- model and settings ----

  std::unique_ptr<Captioner> make_model(Generator& generator) override {
    config_.vocab = data_.tokenizer->size();
    config_.image_size = {data_.size.height, data_.size.width};
    return std::make_unique<Captioner>(config_, generator);
  }

  void add_data_settings(Settings& settings) override { data_.add_data_settings(settings); }

  void add_settings(Settings& settings) override {
    settings.add("layers", config_.layers, "layers of the encoder", 1, 1000);
    settings.add("decoder_layers", config_.decoder_layers, "layers of the decoder", 1, 1000);
    add_encoder_settings(settings, config_);
    settings.add("label_smoothing", label_smoothing_, "fraction of the target spread evenly", 0, 1);
    data_.add_settings(settings);
    settings.add("beams", beam_.beams, "captions followed in parallel", 1, kMostBeams);
    settings.add("length_penalty", beam_.length_penalty, "above 0: favours long captions");
    settings.add("caption_length", beam_.max_length, "tokens of a caption at most", 1, kMostTokens);
  }

  void add_predict_options(Settings& options) override {
    options.add("beams", beam_.beams,
                "captions followed in parallel; 1: greedy; default: the run's", 1, kMostBeams);
    options.add("length-penalty", beam_.length_penalty,
                "above 0: favours long texts; default: the run's");
    options.add("out", out_, "a PNG file to write: the pictures with their captions", {});
  }

  // ---- use ----

  /// The input is the path of a picture, the answer its caption.
  std::string answer(const std::string& path) override {
    const std::string text = text_of(data_.of_file(path));
    if (!out_.empty()) shown_.push_back(captioned(read_picture(path), text));
    return path + "  " + text;
  }
  void note(const std::string& path, std::ostream& notes) const override {
    notes << data_.remark(path);
  }

  std::string model_facts() const override {
    return concat(config_.layers, " + ", counted(config_.decoder_layers, "layer"), ", ",
                  counted(config_.heads, "head"), ", ", config_.width, " wide, ",
                  config_.grid().h * config_.grid().w, " patches, ", with_commas(config_.vocab),
                  " tokens");
  }
  std::string data_facts() const override { return data_.data_facts(); }
  std::string batch_facts() const override { return concat(recipe.batch_size, " pictures"); }
  std::string cut_facts() const override { return data_.cut_facts(); }

 private:
  static constexpr int64_t kColumns = 4;  // of a sheet

  static Batch batch_of(const Tensor& images, const std::vector<std::vector<int32_t>>& captions) {
    const Teaching teaching = teaching_of(captions);
    return {{{"images", images}, {"target", teaching.target}, {"next", teaching.next}},
            std::ssize(captions),
            static_cast<double>(teaching.words)};
  }

  static Tensor cost(const Tensor& logits, const Batch& batch, double label_smoothing,
                     Reduction reduction) {
    return cross_entropy(
        flatten(logits, 0, 1), flatten(batch["next"]),
        {.ignore_index = kPad, .reduction = reduction, .label_smoothing = label_smoothing});
  }

  std::string text_of(const Tensor& image) {
    return data_.tokenizer->decode(describe(model(), image, beam_));
  }

  struct Measured {
    double exact = 0;               // the share of pictures of which greedy search gives a caption
    double loss = 0;                // the mean over all tokens
    std::vector<double> surprises;  // −log p of the first caption of each picture
  };

  Measured measure(const TextPart& part) {
    const NoGrad no_grad;
    std::vector<bool> exact(static_cast<size_t>(part.pictures.images.size()), false);
    Measured out;
    out.surprises.resize(exact.size());
    double tokens = 0;
    for (int64_t begin = 0; begin < part.size(); begin += 128) {
      std::vector<int64_t> chosen(static_cast<size_t>(std::min<int64_t>(128, part.size() - begin)));
      std::iota(chosen.begin(), chosen.end(), begin);
      const std::vector<int64_t> images = part.images_of(chosen);
      const Batch batch =
          batch_of(data_.as_is(part.pictures.images, images), part.tokens_of(chosen));
      const Tensor logits = model()(batch["images"], batch["target"]);
      const Tensor costs = cost(logits, batch, 0, Reduction::none);
      const std::vector<double> each = sum(reshape(costs, batch["next"].shape()), {1}).to_vector();
      const std::vector<bool> right = all_right(logits, batch["next"]);
      for (size_t i = chosen.size(); i-- > 0;) {
        const auto image = static_cast<size_t>(images[i]);
        out.loss += each[i];
        out.surprises[image] = each[i];
        exact[image] = exact[image] || right[i];
      }
      tokens += batch.weight;
    }
    out.loss /= tokens;
    out.exact = static_cast<double>(std::count(exact.begin(), exact.end(), true)) /
                static_cast<double>(exact.size());
    return out;
  }

  /// What the model says of every picture.
  std::vector<Said> say_all(const TextPart& part) {
    const std::vector<double> surprises = measure(part).surprises;
    const auto references = part.references(*data_.tokenizer);
    std::vector<Said> out;
    for (int64_t image = 0; image < part.pictures.images.size(); ++image) {
      Said said{.image = image,
                .tokens = describe(model(), data_.as_is(part.pictures.images, {image}), beam_),
                .text = "",
                .surprise = surprises[static_cast<size_t>(image)]};
      said.text = data_.tokenizer->decode(said.tokens);
      const std::vector<std::string>& texts = references[static_cast<size_t>(image)];
      said.right = std::find(texts.begin(), texts.end(), said.text) != texts.end();
      out.push_back(std::move(said));
    }
    return out;
  }

  Config config_;
  PictureTexts data_;
  double label_smoothing_ = 0.1;
  transformer::BeamOptions beam_;
  std::string out_;
  std::vector<Picture> shown_;
};

}  // namespace

std::vector<ModelEntry> models() {
  const std::string data =
      "generated scenes, or --data PATH: pictures and a table of captions, or COCO's JSON";
  return {
      {"captioning", "captioning", "scenes", "to say what is in a picture", data,
       "61 % of captions of scenes of one or two things exactly", "two minutes on one core",
       make_task_of<CaptioningTask, Preset::scenes>},
      {"captioning-emoji", "captioning", "emoji", "to say what is in a picture, from few pictures",
       data, "76.6 % of emoji with unseen skin tones exactly", "under a minute on two cores",
       make_task_of<CaptioningTask, Preset::emoji>}};
}

}  // namespace tarsier::zoo::captioning
