#include "zoo/transformer/task.h"

#include <algorithm>
#include <cmath>

#include "autograd/io/json.h"
#include "zoo/base/format.h"
#include "zoo/base/limits.h"
#include "zoo/base/usage_error.h"
#include "zoo/data/cut.h"
#include "zoo/data/dates.h"
#include "zoo/data/lines.h"
#include "zoo/metrics/bleu.h"
#include "zoo/report/parts.h"
#include "zoo/transformer/pairs.h"
#include "zoo/transformer/translate.h"

namespace tarsier::zoo::transformer {

namespace {

enum class Preset { dates, translation };

class TransformerTask : public TaskOf<Translator, ParallelFolder> {
 public:
  TransformerTask(const std::string& name, Preset preset) : TaskOf(name), preset_(preset) {
    recipe.epochs = 10;
    recipe.batch_size = 128;
    recipe.learning_rate = 1e-3;
    recipe.min_learning_rate = 1e-5;
    recipe.warmup_steps = 400;
    recipe.weight_decay = 0.01;
    recipe.beta2 = 0.98;
    recipe.ema_decay = 0.99;
    recipe.eval_every = 0;
    if (preset == Preset::translation) return;
    config_.width = 64;
    config_.mlp_width = 128;
    config_.heads = 4;
    config_.layers = 2;
    config_.dropout = 0;
    tokens_.kind = "characters";
    recipe.batch_size = 64;
    recipe.epochs = 6;
    recipe.learning_rate = 2e-3;
    recipe.warmup_steps = 100;
    beam_.beams = 1;
    label_smoothing_ = 0;
  }

  std::string items() const override { return "tokens"; }

  // ---- training ----

  int64_t training_examples() const override { return train_.size(); }

  Batch batch(int64_t number, uint64_t seed) override { return train_.batch(drawn(number, seed)); }

  Tensor loss(const Batch& batch) override { return loss(batch, label_smoothing_); }

  StudyInput study_input(int64_t length, uint64_t seed) override {
    StudyInput input{.batch = train_.batch({first_drawn(seed)}, length)};
    const auto labels = [&](const char* name, const Tokenizer& tokenizer) {
      std::vector<int32_t> ids;
      for (const int64_t id : input.batch[name].to_vector<int64_t>())
        ids.push_back(static_cast<int32_t>(id));
      input.labels.emplace_back(name, token_labels(tokenizer, ids));
    };
    labels("source", *source_tokens_);
    labels("target", *target_tokens_);
    labels("next", *target_tokens_);
    input.description = concat(input.batch["source"].size(1), " + ",
                               counted(input.batch["target"].size(1), "token"));
    return input;
  }

  /// Mean cross-entropy of the target's tokens, over the whole validation split.
  Metrics validate() override { return measure(validation_, "val_loss"); }

  /// BLEU of every test set, or of the validation split if there is none.
  Metrics evaluate() override {
    Metrics metrics;
    if (tests_.empty()) return evaluate(validation_text_, "");
    for (const ParallelText& test : tests_)
      for (Metric& metric : evaluate(test, tests_.size() > 1 ? " " + test.name : ""))
        metrics.push_back(std::move(metric));
    return metrics;
  }

  // ---- use ----

  void show_sample(std::ostream& out) override {
    for (size_t i = 0; i < std::min<size_t>(5, validation_text_.source.size()); ++i)
      out << "  source     " << validation_text_.source[i] << "\n  reference  "
          << validation_text_.target[i] << "\n  model      " << answer(validation_text_.source[i])
          << "\n\n";
  }

  void report(Page& page) override {
    page.section("Validation pairs");
    std::vector<std::vector<std::string>> rows;
    std::vector<std::pair<std::vector<int32_t>, std::vector<int32_t>>> shown;
    for (size_t i = 0; i < std::min<size_t>(8, validation_text_.source.size()); ++i) {
      const std::vector<int32_t> source = tokens_of(validation_text_.source[i]);
      const std::vector<int32_t> written = translate(model(), source, beam_);
      rows.push_back({validation_text_.source[i], validation_text_.target[i],
                      target_tokens_->decode(written)});
      if (i < 3) shown.emplace_back(source, written);
    }
    page.table({"source", "reference", "model"}, rows);
    page.section("Where the decoder looks in the source");
    page.paragraph(
        "A row for each token that the model writes: how much it attends to each token of the "
        "source "
        "in the last layer, averaged over the heads.");
    for (const auto& [source, written] : shown) add_cross_attention(page, source, written);
  }

  std::optional<Choice> choice() const override {
    return Choice{target_tokens_->size(), "tokens of the target"};
  }

  std::string example_input() const override {
    return validation_text_.source.empty() ? "" : validation_text_.source[0];
  }

 protected:
  // ---- data ----

  ParallelFolder read(const std::string& path) override {
    if (path.empty() && preset_ == Preset::translation)
      usage_fail("train", "translation has no built-in data: give --data DIR, a folder with ",
                 "train.de, train.en, val.de, …, and --source de --target en. 'transformer' has ",
                 "built-in data");
    source_name_ = path.empty() ? "dates in many forms" : "'" + path + "'";
    return path.empty() ? dates_folder()
                        : read_parallel_data(path, source_language_, target_language_, kSplitKey);
  }

  void learn(const ParallelFolder& data) override {
    source_tokens_ = Tokenizer::train(data.train.source, tokens_);
    target_tokens_ = Tokenizer::train(data.train.target, tokens_);
  }

  void use(ParallelFolder data) override {
    if (!data.columns.empty()) source_name_ += ", columns " + data.columns;
    train_ = pairs(data.train, config_.max_length);
    validation_ = pairs(data.val, longest());
    tests_ = std::move(data.tests);
    validation_text_ = std::move(data.val);
  }

  Json::Object known() const override {
    return {{"source", source_tokens_->to_json()}, {"target", target_tokens_->to_json()}};
  }
  void restore(const Json& data) override {
    source_tokens_ = Tokenizer::from_json(data["source"]);
    target_tokens_ = Tokenizer::from_json(data["target"]);
  }
  Json::Object mark() const override {
    Fingerprint fingerprint;
    for (const TokenPairs* pairs : {&train_, &validation_}) pairs->add_to(fingerprint);
    return {{"pairs", train_.size() + validation_.size()}, {"fingerprint", fingerprint.text()}};
  }
  BatchSampler sampler(RandomKey key) const override {
    return train_.sampler(recipe.batch_size, key);
  }

  // ---- model and settings ----

  std::unique_ptr<Translator> make_model(Generator& generator) override {
    config_.source_vocab = source_tokens_->size();
    config_.target_vocab = target_tokens_->size();
    return std::make_unique<Translator>(config_, generator);
  }

  void add_data_settings(Settings& settings) override {
    settings.add("source", source_language_, "file ending or column to translate from, such as de",
                 {});
    settings.add("target", target_language_, "file ending or column to translate into", {});
  }

  void add_settings(Settings& settings) override {
    settings.add("layers", config_.layers, "layers of the encoder, and of the decoder", 1, 1000);
    settings.add("heads", config_.heads, "attention heads; must divide width");
    settings.add("width", config_.width, "width of the stream between the layers");
    settings.add("mlp_width", config_.mlp_width, "width inside a layer's MLP");
    settings.add("dropout", config_.dropout, "fraction of activations dropped in training", 0,
                 0.99);
    settings.add("norm_first", config_.norm_first, "layer norm before each part, not after it");
    settings.add_choice(
        "position", config_.position, "how positions are encoded",
        {{"sinusoidal", nn::PositionKind::sinusoidal}, {"learned", nn::PositionKind::learned}});
    settings.add("tie_embeddings", config_.tie_embeddings,
                 "one matrix as target embedding and output layer");
    settings.add("max_length", config_.max_length, "tokens of a text that are trained on", 2);
    settings.add("label_smoothing", label_smoothing_, "fraction of the target spread evenly", 0, 1);
    tokens_.add_to(settings);
    settings.add("beams", beam_.beams, "translations followed in parallel", 1, kMostBeams);
    settings.add("length_penalty", beam_.length_penalty, "above 0: favours long translations");
    settings.add("min_length", beam_.min_length, "tokens of a translation at least", 0,
                 kMostTokens);
    settings.add("no_repeat", beam_.no_repeat, "N: no N tokens occur twice; 0: they may", 0);
  }

  void add_predict_options(Settings& options) override {
    options.add("beams", beam_.beams, "texts followed in parallel; 1: greedy; default: the run's",
                1, kMostBeams);
    options.add("length-penalty", beam_.length_penalty,
                "above 0: favours long texts; default: the run's");
    options.add("min-length", beam_.min_length, "tokens at least; default: the run's", 0,
                kMostTokens);
    options.add("no-repeat", beam_.no_repeat, "N: no N tokens occur twice; default: the run's", 0);
  }

  // ---- use ----

  /// The input is a text, the answer its translation.
  std::string answer(const std::string& text) override {
    if (is_blank(text)) return "";
    return target_tokens_->decode(translate(model(), tokens_of(text), beam_));
  }

  void note(const std::string& text, std::ostream& notes) const override {
    note_cut(text, *source_tokens_, 1, longest(), notes);
  }

  std::string model_facts() const override {
    return concat(config_.layers, " + ", counted(config_.layers, "layer"), ", ",
                  counted(config_.heads, "head"), ", ", config_.width, " wide, ",
                  with_commas(config_.source_vocab), " → ", with_commas(config_.target_vocab),
                  " tokens");
  }
  std::string data_facts() const override {
    return concat(source_name_, ": ", with_commas(train_.size()), " pairs to train on, ",
                  with_commas(validation_.size()), " to validate");
  }
  std::string batch_facts() const override { return concat(recipe.batch_size, " pairs"); }
  std::string cut_facts() const override {
    return cut_facts_of(train_.cut(), validation_.cut(), "pairs", config_.max_length);
  }

 private:
  /// The longest text that can be read and written; it may be longer than those trained on.
  int64_t longest() const {
    return config_.position == nn::PositionKind::learned ? config_.max_length : kNoLimit;
  }

  TokenPairs pairs(const ParallelText& text, int64_t max_length) const {
    return {text, *source_tokens_, *target_tokens_, max_length};
  }

  std::vector<int32_t> tokens_of(const std::string& text) const {
    return source_tokens(text, *source_tokens_, longest());
  }

  Tensor loss(const Batch& batch, double label_smoothing, Reduction reduction = Reduction::mean) {
    const Tensor logits = model()(batch["source"], batch["padding"], batch["target"]);
    return cross_entropy(
        flatten(logits, 0, 1), flatten(batch["next"]),
        {.ignore_index = kPad, .reduction = reduction, .label_smoothing = label_smoothing});
  }

  Metrics measure(const TokenPairs& data, const std::string& loss_name) {
    NoGrad no_grad;
    double sum_loss = 0, tokens = 0;
    for (const auto& chosen : data.sampler(recipe.batch_size, {}).all()) {
      const Batch batch = data.batch(chosen);
      sum_loss += loss(batch, 0, Reduction::sum).item();
      tokens += sum(to(batch["next"] != kPad, f32)).item();
    }
    return {{.name = loss_name, .value = sum_loss / tokens},
            {.name = "perplexity", .value = std::exp(sum_loss / tokens), .digits = 2}};
  }

  Metrics evaluate(const ParallelText& text, const std::string& suffix) {
    std::vector<std::string> translations, references;
    double exact = 0;
    int64_t changed = 0;
    for (size_t i = 0; i < text.source.size(); ++i) {
      translations.push_back(answer(text.source[i]));
      // A fair comparison: a model of lower-case words cannot write capitals.
      references.push_back(target_tokens_->as_written(text.target[i]));
      exact += translations.back() == references.back() ? 1 : 0;
      changed += references.back() != text.target[i] ? 1 : 0;
    }
    const TokenPairs data = pairs(text, longest());
    std::string note = cut_note(data.cut(), "pairs", config_.max_length);
    Metric perplexity = measure(data, "loss")[1];
    perplexity.name += suffix;
    perplexity.note = note;
    if (changed > 0) {
      const std::string written =
          concat(with_commas(changed), " of ", with_commas(text.size()),
                 " references compared as the model writes them",
                 tokens_.lower && tokens_.kind == "words" ? ", in lower case" : "");
      note = note.empty() ? written : written + "; " + note;
    }
    Metric bleu{.name = "BLEU" + suffix,
                .value = corpus_bleu(translations, references).score,
                .digits = 2,
                .higher_is_better = true,
                .note = note};
    Metric same = percent("exact" + suffix, exact / static_cast<double>(text.size()));
    same.note = note;
    return {bleu, same, perplexity};
  }

  /// The attention of each token of a translation to those of its source.
  void add_cross_attention(Page& page, const std::vector<int32_t>& source,
                           std::vector<int32_t> written) {
    NoGrad no_grad;
    const std::string caption =
        source_tokens_->decode(source) + " → " + target_tokens_->decode(written);
    std::vector<int32_t> read = written;  // to write each token, the decoder reads those before
    read.insert(read.begin(), kBegin);
    written.push_back(kEnd);
    const Tensor weights =
        model().cross_attention(pad_rows({source}, kPad), Tensor(), pad_rows({read}, kPad));
    const std::vector<std::string> rows = token_labels(*target_tokens_, written);
    const std::vector<std::string> columns = token_labels(*source_tokens_, source);
    const std::vector<double> values = weights.to_vector();
    page.figure({heat_map(values, weights.size(1), weights.size(2), rows, columns,
                          {.label = "cross-attention", .percent = true}),
                 caption});
    add_percent(page, values, rows, columns);
  }

  Preset preset_;
  Config config_;
  std::string source_language_ = "source", target_language_ = "target";
  double label_smoothing_ = 0.1;
  TokenizerOptions tokens_;
  BeamOptions beam_;
  std::string source_name_;
  std::unique_ptr<Tokenizer> source_tokens_, target_tokens_;
  TokenPairs train_, validation_;
  ParallelText validation_text_;
  std::vector<ParallelText> tests_;
};

}  // namespace

std::vector<ModelEntry> models() {
  return {
      {"transformer", "transformer", "dates", "to rewrite dates in ISO 8601",
       "generated dates, or --data DIR with --source and --target: parallel text",
       "99.9 % of the dates on days never seen", "a quarter of a minute on two cores",
       make_task_of<TransformerTask, Preset::dates>},
      {"translation", "transformer", "translation", "to translate sentences",
       "--data DIR with --source and --target: parallel text, in files train.de, train.en, val.de, "
       "…; or a TSV or CSV file with two columns",
       "BLEU 39.0 on Multi30k, German to English", "ten minutes on two cores",
       make_task_of<TransformerTask, Preset::translation>},
  };
}

}  // namespace tarsier::zoo::transformer
