#include "zoo/transformer/recipe.h"

#include <algorithm>
#include <cmath>

#include "zoo/data/dates.h"
#include "zoo/data/parallel.h"
#include "zoo/data/sampler.h"
#include "zoo/data/tokenizer.h"
#include "zoo/data/words.h"
#include "zoo/format.h"
#include "zoo/metrics/bleu.h"
#include "zoo/report/parts.h"
#include "zoo/transformer/beam.h"
#include "zoo/transformer/translator.h"

namespace tarsier::zoo {

namespace {

/// Which stream of random numbers serves what; the steps' dropout masks have their own generator.
constexpr uint64_t kBatchStream = uint64_t{1} << 63;

/// Pairs as tokens: the target between kBegin and kEnd, the source with kEnd behind it.
struct Encoded {
  std::vector<std::vector<int32_t>> source, target;
  int64_t size() const { return static_cast<int64_t>(source.size()); }
};

/// The default data: dates as people write them, and as ISO 8601 does.
ParallelFolder dates() {
  const auto drawn = [](const char* name, DatePart part, uint64_t stream, int64_t count) {
    ParallelText text;
    text.name = name;
    for (int64_t i = 0; i < count; ++i) {
      const DateExample example = date_example({1, stream}, static_cast<uint64_t>(i), part);
      text.source.push_back(example.text);
      text.target.push_back(example.iso);
    }
    return text;
  };
  return {drawn("train", DatePart::train, 0, 20'000),
          drawn("val", DatePart::val, 1, 1000),
          {drawn("test", DatePart::test, 2, 1000)}};
}

class TransformerTask : public Task {
 public:
  explicit TransformerTask(TransformerPreset preset) : preset_(preset) {
    recipe.epochs = 10;
    recipe.batch_size = 128;
    recipe.learning_rate = 1e-3;
    recipe.min_learning_rate = 1e-5;
    recipe.warmup_steps = 400;
    recipe.weight_decay = 0.01;
    recipe.beta2 = 0.98;
    recipe.ema_decay = 0.99;
    recipe.eval_every = 0;
    if (preset == TransformerPreset::translation) return;
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

  std::string name() const override {
    return preset_ == TransformerPreset::dates ? "transformer" : "translation";
  }
  std::string items() const override { return "tokens"; }

  // ---- data ----

  void load_data(const std::string& path) override {
    source_name_ = path.empty() ? "dates in many forms" : "'" + path + "'";
    const ParallelFolder folder =
        path.empty() ? dates() : read_parallel_folder(path, source_language_, target_language_);
    if (!source_tokens_) {
      source_tokens_ = Tokenizer::train(folder.train.source, tokens_);
      target_tokens_ = Tokenizer::train(folder.train.target, tokens_);
    }
    train_ = encoded(folder.train);
    validation_ = encoded(folder.val);
    tests_ = folder.tests;
    validation_text_ = folder.val;
  }

  nn::Json describe_data() const override {
    return nn::Json::Object{{"pairs", train_.size() + validation_.size()},
                            {"source", source_tokens_->to_json()},
                            {"target", target_tokens_->to_json()}};
  }

  void restore_data(const nn::Json& data) override {
    source_tokens_ = Tokenizer::from_json(data["source"]);
    target_tokens_ = Tokenizer::from_json(data["target"]);
  }

  // ---- model ----

  void build(uint64_t seed) override {
    config_.source_vocab = source_tokens_->size();
    config_.target_vocab = target_tokens_->size();
    config_.position = nn::position_kind(position_);
    Generator generator(seed);
    model_ = std::make_unique<Translator>(config_, generator);
    if (train_.size() > 0) sampler_ = sampler(train_, {seed, kBatchStream});
  }

  nn::Module& model() override { return *model_; }

  Facts facts() const override {
    return {
        {"model",
         concat(config_.layers, " + ", counted(config_.layers, "layer"), ", ",
                counted(config_.heads, "head"), ", ", config_.width, " wide, ",
                with_commas(config_.source_vocab), " → ", with_commas(config_.target_vocab),
                " tokens: ", with_commas(model_->num_parameters()), " parameters")},
        {"data", concat(source_name_, ": ", with_commas(train_.size()), " pairs to train on, ",
                        with_commas(validation_.size()), " to validate")},
        {"recipe", concat(with_commas(steps()), " steps of ", recipe.batch_size,
                          " pairs, learning rate ", recipe.learning_rate, " → ",
                          recipe.schedule == "noam" ? 0 : recipe.min_learning_rate)},
    };
  }

  // ---- training ----

  int64_t batches_per_epoch() const override {
    return (train_.size() + recipe.batch_size - 1) / recipe.batch_size;
  }

  Batch batch(int64_t number, uint64_t) override {
    return batch_of(train_, sampler_.batch(number));
  }

  Tensor loss(const Batch& batch) override { return loss(batch, label_smoothing_); }

  /// Mean cross-entropy of the target's tokens, over all of the validation split.
  Metrics validate() override { return measure(validation_, "val_loss"); }

  /// BLEU of every test set, or of the validation split where there is none.
  Metrics evaluate() override {
    Metrics metrics;
    if (tests_.empty()) return evaluate(validation_text_, "");
    for (const ParallelText& test : tests_)
      for (Metric& metric : evaluate(test, tests_.size() > 1 ? " " + test.name : ""))
        metrics.push_back(std::move(metric));
    return metrics;
  }

  // ---- use ----

  /// Every input is a text. Prints its translation.
  void predict(const std::vector<std::string>& inputs, const PredictOptions&,
               std::ostream& out) override {
    for (const std::string& text : inputs) {
      out << translated(text) << std::endl;
      check(out.good(), "output", "cannot write any more");
    }
  }

  void show_sample(std::ostream& out) override {
    for (size_t i = 0; i < std::min<size_t>(5, validation_text_.source.size()); ++i)
      out << "  source     " << validation_text_.source[i] << "\n  reference  "
          << validation_text_.target[i] << "\n  model      "
          << translated(validation_text_.source[i]) << "\n\n";
  }

  void report(Page& page) override {
    page.section("Validation pairs");
    std::vector<std::vector<std::string>> rows;
    std::vector<Figure> maps;
    for (size_t i = 0; i < std::min<size_t>(8, validation_text_.source.size()); ++i) {
      const std::vector<int32_t> source = source_row(validation_text_.source[i]);
      const std::vector<int32_t> written = translation(source);
      rows.push_back({validation_text_.source[i], validation_text_.target[i],
                      target_tokens_->decode(written)});
      if (i < 3) maps.push_back(cross_attention(source, written));
    }
    page.table({"source", "reference", "model"}, rows);
    page.section("Where the decoder looks in the source");
    page.paragraph(
        "A row for each token that the model writes: how much it looks at each token of the source "
        "meanwhile, in the last layer, on average over the heads.");
    page.figures(maps);
  }

  std::string example_input() const override {
    return validation_text_.source.empty() ? "" : validation_text_.source[0];
  }

 protected:
  void add_settings(Settings& settings) override {
    settings.add("source", source_language_, "file ending of what is read", {});
    settings.add("target", target_language_, "file ending of what is written", {});
    settings.add("layers", config_.layers, "of the encoder, and of the decoder", 1, 1000);
    settings.add("heads", config_.heads, "attention heads; must divide width");
    settings.add("width", config_.width, "of the stream between the layers");
    settings.add("mlp_width", config_.mlp_width, "inside of a layer's MLP");
    settings.add("dropout", config_.dropout, "share of activations dropped in training", 0, 0.99);
    settings.add("norm_first", config_.norm_first, "layer norm before each part, not after");
    settings.add("position", position_, "how a token's place is told", {"sinusoidal", "learned"});
    settings.add("tie_embeddings", config_.tie_embeddings,
                 "one matrix reads and writes the target");
    settings.add("max_length", config_.max_length, "tokens of a text at most");
    settings.add("label_smoothing", label_smoothing_, "share of the target spread evenly", 0, 1);
    settings.add("tokens", tokens_.kind, "what a text is cut into", {"words", "characters", "bpe"});
    settings.add("lower", tokens_.lower, "words in small letters");
    settings.add("min_count", tokens_.min_count, "rarer words and characters are unknown");
    settings.add("vocab_size", tokens_.size, "of bpe", 256);
    settings.add("beams", beam_.beams, "translations that are followed at once");
    settings.add("length_penalty", beam_.length_penalty, "above 0: favours long translations");
  }

 private:
  std::vector<int32_t> source_row(const std::string& text) const {
    std::vector<int32_t> ids = source_tokens_->encode(text);
    ids.resize(std::min(ids.size(), static_cast<size_t>(config_.max_length) - 1));
    ids.push_back(kEnd);
    return ids;
  }

  Encoded encoded(const ParallelText& text) const {
    Encoded out;
    for (const std::string& line : text.source) out.source.push_back(source_row(line));
    for (const std::string& line : text.target) {
      std::vector<int32_t> ids = target_tokens_->encode(line);
      ids.resize(std::min(ids.size(), static_cast<size_t>(config_.max_length) - 1));
      ids.insert(ids.begin(), kBegin);
      ids.push_back(kEnd);
      out.target.push_back(std::move(ids));
    }
    return out;
  }

  BatchSampler sampler(const Encoded& data, RandomKey key) const {
    std::vector<int64_t> lengths;
    for (size_t i = 0; i < data.source.size(); ++i)
      lengths.push_back(
          static_cast<int64_t>(std::max(data.source[i].size(), data.target[i].size())));
    return BatchSampler(std::move(lengths), {.examples = recipe.batch_size, .bucket = 2}, key);
  }

  /// "target" is what the decoder reads, "next" what it should say: the same, one place later.
  static Batch batch_of(const Encoded& data, const std::vector<int64_t>& chosen) {
    std::vector<std::vector<int32_t>> sources, targets, next;
    int64_t items = 0;
    for (int64_t i : chosen) {
      const std::vector<int32_t>& target = data.target[static_cast<size_t>(i)];
      sources.push_back(data.source[static_cast<size_t>(i)]);
      targets.emplace_back(target.begin(), target.end() - 1);
      next.emplace_back(target.begin() + 1, target.end());
      items += static_cast<int64_t>(sources.back().size() + next.back().size());
    }
    return {{{"source", pad_rows(sources, kPad)},
             {"padding", padding_mask(sources)},
             {"target", pad_rows(targets, kPad)},
             {"next", pad_rows(next, kPad)}},
            items};
  }

  Tensor loss(const Batch& batch, double label_smoothing, Reduction reduction = Reduction::mean) {
    const Tensor logits = (*model_)(batch["source"], batch["padding"], batch["target"]);
    return cross_entropy(
        flatten(logits, 0, 1), flatten(batch["next"]),
        {.ignore_index = kPad, .reduction = reduction, .label_smoothing = label_smoothing});
  }

  Metrics measure(const Encoded& data, const std::string& loss_name) {
    NoGrad no_grad;
    double sum_loss = 0, tokens = 0;
    for (const auto& chosen : sampler(data, {}).all()) {
      const Batch batch = batch_of(data, chosen);
      sum_loss += loss(batch, 0, Reduction::sum).item();
      tokens += sum(to(batch["next"] != kPad, f32)).item();
    }
    return {{.name = loss_name, .value = sum_loss / tokens},
            {.name = "perplexity", .value = std::exp(sum_loss / tokens), .digits = 2}};
  }

  Metrics evaluate(const ParallelText& text, const std::string& suffix) {
    std::vector<std::string> translations, references;
    double exact = 0;
    for (int64_t i = 0; i < text.size(); ++i) {
      const auto at = static_cast<size_t>(i);
      translations.push_back(translated(text.source[at]));
      // A model that writes words in small letters is compared with such.
      references.push_back(tokens_.kind == "words"
                               ? join_words(split_words(text.target[at], tokens_.lower))
                               : text.target[at]);
      exact += translations.back() == text.target[at] ? 1 : 0;
    }
    Metrics metrics;
    metrics.push_back({.name = "BLEU" + suffix,
                       .value = corpus_bleu(translations, references).score,
                       .digits = 2,
                       .higher_is_better = true});
    metrics.push_back({.name = "exact" + suffix,
                       .value = 100 * exact / static_cast<double>(text.size()),
                       .digits = 2,
                       .unit = "%",
                       .higher_is_better = true});
    metrics.push_back(measure(encoded(text), "loss")[1]);
    metrics.back().name += suffix;
    return metrics;
  }

  /// How each token of a translation looked at those of its source.
  Figure cross_attention(const std::vector<int32_t>& source, std::vector<int32_t> written) {
    NoGrad no_grad;
    std::vector<int32_t> read = written;  // to write each, the decoder reads those before
    read.insert(read.begin(), kBegin);
    written.push_back(kEnd);
    const Tensor weights =
        model_->cross_attention(pad_rows({source}, kPad), Tensor(), pad_rows({read}, kPad));
    return {heat_map(weights.to_vector(), weights.size(1), weights.size(2),
                     token_labels(*target_tokens_, written), token_labels(*source_tokens_, source),
                     {.label = "cross-attention", .percent = true}),
            source_tokens_->decode(source) + " → " + target_tokens_->decode(written)};
  }

  std::string translated(const std::string& text) {
    return target_tokens_->decode(translation(source_row(text)));
  }

  /// The tokens of the best translation, without begin and end.
  std::vector<int32_t> translation(const std::vector<int32_t>& source) {
    NoGrad no_grad;
    const int64_t K = beam_.beams, S = static_cast<int64_t>(source.size());
    const Tensor one = model_->encode(pad_rows({source}, kPad), Tensor());  // (1, S, C)
    const Tensor memory = contiguous(expand(one, {K, S, one.size(2)}));
    // It must say something, not that it does not know the word.
    const Tensor id = arange(target_tokens_->size()),
                 never = id == kPad || id == kUnknown || id == kBegin;
    nn::DecoderCache cache;
    const NextToken next = [&](const std::vector<int64_t>& parents,
                               const std::vector<int32_t>& tokens) {
      cache.reorder(from_vector(parents, {K}));
      const Tensor newest = from_vector(std::vector<int64_t>(tokens.begin(), tokens.end()), {K, 1});
      const Tensor hidden = model_->decode(newest, memory, Tensor(), &cache);  // (K, 1, C)
      return masked_fill(log_softmax(model_->generator(select(hidden, 1, 0)), -1), never,
                         -INFINITY);
    };
    BeamOptions options = beam_;
    options.max_length = std::min(config_.max_length - 1, 2 * S + 10);
    return beam_search(next, kBegin, kEnd, options).front().tokens;
  }

  TransformerPreset preset_;
  TranslatorConfig config_;
  std::string source_language_ = "source", target_language_ = "target", position_ = "sinusoidal";
  double label_smoothing_ = 0.1;
  TokenizerOptions tokens_;
  BeamOptions beam_;
  std::string source_name_;
  std::unique_ptr<Tokenizer> source_tokens_, target_tokens_;
  Encoded train_, validation_;
  ParallelText validation_text_;
  std::vector<ParallelText> tests_;
  BatchSampler sampler_;
  std::unique_ptr<Translator> model_;
};

}  // namespace

std::unique_ptr<Task> make_transformer_task(TransformerPreset preset) {
  return std::make_unique<TransformerTask>(preset);
}

}  // namespace tarsier::zoo
