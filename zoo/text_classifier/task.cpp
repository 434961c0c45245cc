#include "zoo/text_classifier/task.h"

#include <algorithm>
#include <optional>

#include "autograd/io/json.h"
#include "zoo/base/format.h"
#include "zoo/base/usage_error.h"
#include "zoo/data/cut.h"
#include "zoo/data/fingerprint.h"
#include "zoo/data/lines.h"
#include "zoo/data/snippets.h"
#include "zoo/report/parts.h"
#include "zoo/text_classifier/model.h"
#include "zoo/text_classifier/start.h"
#include "zoo/text_classifier/texts.h"

namespace tarsier::zoo::text_classifier {

namespace {

/// The stream of random numbers that hides tokens.
constexpr uint64_t kTokenStream = uint64_t{3} << 62;

enum class Preset {
  sources,    // for the default data
  sentiment,  // for movie reviews of one sentence, and similar data
};

class TextClassifierTask : public TaskOf<TextClassifier, LabelledData> {
 public:
  TextClassifierTask(const std::string& name, Preset preset) : TaskOf(name), preset_(preset) {
    recipe.epochs = 12;
    recipe.batch_size = 32;
    recipe.learning_rate = 1e-3;
    recipe.min_learning_rate = 1e-5;
    recipe.weight_decay = 0.05;
    recipe.ema_decay = 0.99;
    recipe.eval_every = 0;
    if (preset == Preset::sources) {
      tokens_.lower = false;
      return;
    }
    // 8,500 sentences teach few words well. So words and pairs start from what counts tell about
    // them and move slowly; a small encoder learns for a short time to combine them.
    recipe.epochs = 3;
    recipe.learning_rate = 5e-4;
    config_.layers = 1;
    config_.width = 64;
    config_.mlp_width = 128;
    config_.pairs = 30'000;
    config_.embedding_deviation = 0.03;
    config_.embedding_scale = 1;
    naive_bayes_ = 0.2;      // two directions: 0.3 along their difference
    label_smoothing_ = 0.2;  // without it as accurate, but overconfident
  }

  std::string items() const override { return "texts"; }

  void start_from(const std::string& folder) override {
    start_.emplace(folder);
    Settings all = settings();
    start_->apply_to(all);
    // The recipe of the comparison in bert/README.md.
    recipe.epochs = 3;
    recipe.learning_rate = 3e-3;
    config_.dropout = 0.2;
    config_.embedding_scale = 8;  // pretrained words are large: small steps hardly move them
    config_.pairs = 0;
    naive_bayes_ = label_smoothing_ = 0;
  }

  // ---- training ----

  int64_t training_examples() const override { return train_.size(); }

  Batch batch(int64_t number, uint64_t seed) override {
    Batch batch = train_.batch(drawn(number, seed));
    if (class_weights_.defined())
      batch.weight = sum(embedding(batch["labels"], unsqueeze(class_weights_, 1))).item();
    if (token_dropout_ > 0)
      drop_tokens(batch, token_dropout_, {seed, kTokenStream + static_cast<uint64_t>(number)});
    return batch;
  }

  StudyInput study_input(int64_t length, uint64_t seed) override {
    StudyInput input{.batch = train_.batch({first_drawn(seed)}, length)};
    std::vector<int32_t> ids;
    for (const int64_t id : input.batch["index"].to_vector<int64_t>())
      ids.push_back(static_cast<int32_t>(id));
    input.labels = {{"tokens", token_labels(*tokenizer_, ids)}, {"classes", labels_.names()}};
    input.description = counted(input.batch["index"].size(1), "token");
    return input;
  }

  Tensor loss(const Batch& batch) override {
    const Tensor logits = model()(batch["index"], batch["padding"]);
    const Tensor weight =
        class_weights_.defined() ? to(class_weights_, logits.dtype()) : class_weights_;
    return cross_entropy(logits, batch["labels"],
                         {.weight = weight, .label_smoothing = label_smoothing_});
  }

  Metrics validate() override { return measure(validation_, "val_loss"); }
  Metrics evaluate() override { return measure(test_.size() > 0 ? test_ : validation_, "loss"); }

  // ---- use ----

  void show_sample(std::ostream& out) override {
    const int64_t count = std::min<int64_t>(5, validation_.size());
    for (int64_t i = 0; i < count; ++i) {  // spread over the split, which may be sorted by label
      const auto at = static_cast<size_t>(i * validation_.size() / count);
      std::vector<int32_t> ids(validation_.rows[at].begin() + 1, validation_.rows[at].end());
      const std::string text = tokenizer_->decode(ids);
      out << "  " << labels_[validation_.labels[at]] << "  read as  " << answer(text) << "\n    "
          << text << "\n";
    }
  }

  void report(Page& page) override {
    const ClassifierScore score = scored(validation_);
    add_confusion(page, score.confusion(), labels_.names());
    page.section("Validation texts");
    page.paragraph(
        "The most confident mistakes, then other answers. The colour of a word shows how much "
        "the last layer attends to it, averaged over the heads.");
    const NoGrad no_grad;
    for (const Answer& answer : worth_showing(score.answers(), 10, 8)) {
      const std::vector<int32_t>& ids = validation_.rows[static_cast<size_t>(answer.example)];
      const Tensor seen = model().attention(pad_rows({ids}, kPad), padding_mask({ids}));
      page.weighted_text({{}, described(answer, labels_.names()), !answer.right()},
                         text_pieces(*tokenizer_, ids), seen.to_vector());
    }
  }

  std::optional<Choice> choice() const override { return Choice{labels_.size(), "classes"}; }

  std::string example_input() const override {
    // About as much text as a user would type.
    const std::string text = validation_.size() == 0 ? "" : tokenizer_->decode(validation_.rows[0]);
    return text.size() <= 60 ? text : text.substr(0, text.rfind(' ', 60));
  }

 protected:
  // ---- data ----

  LabelledData read(const std::string& path) override {
    if (path.empty() && preset_ == Preset::sentiment)
      usage_fail(
          "train", "sentiment has no built-in data: give --data DIR, a folder with ",
          "train.tsv, val.tsv and test.tsv, or --data FILE. 'text-classifier' has pieces of ",
          "tarsier's source text");
    if (start_) start_->check_unchanged(settings());
    source_ = path.empty() ? "pieces of tarsier's own source text" : "'" + path + "'";
    return path.empty() ? source_snippets(embedded_files(), 8, kSplitKey)
                        : read_labelled_data(path, columns_, kSplitKey);
  }

  void learn(const LabelledData& data) override {
    labels_ = data.labels;
    tokenizer_ = start_ ? Tokenizer::from_json(start_->tokenizer())
                        : Tokenizer::train(data.train.texts, tokens_);
  }

  void use(LabelledData data) override {
    if (!data.columns.empty()) source_ += ", columns " + data.columns;
    for (LabelledText* part : {&data.train, &data.val, &data.test})
      part->labels = labels_.renumbered(part->labels, data.labels, source_);
    train_ = {data.train, *tokenizer_, config_.max_length};
    validation_ = {data.val, *tokenizer_, longest()};
    test_ = {data.test, *tokenizer_, longest()};
  }

  Json::Object known() const override {
    return {{"labels", labels_.to_json()}, {"tokenizer", tokenizer_->to_json()}};
  }
  void restore(const Json& data) override {
    labels_ = Labels::from_json(data["labels"]);
    tokenizer_ = Tokenizer::from_json(data["tokenizer"]);
  }
  Json::Object mark() const override {
    Fingerprint fingerprint;
    for (const TokenTexts* texts : {&train_, &validation_})
      fingerprint.add(texts->rows).add(texts->labels);
    return {{"texts", train_.size() + validation_.size()}, {"fingerprint", fingerprint.text()}};
  }
  BatchSampler sampler(RandomKey key) const override {
    return train_.sampler(recipe.batch_size, key);
  }

  // ---- model and settings ----

  std::unique_ptr<TextClassifier> make_model(Generator& generator) override {
    config_.vocab_size = tokenizer_->size();
    config_.classes = labels_.size();
    auto model = std::make_unique<TextClassifier>(config_, generator);
    if (start_) start_->load_into(*model);
    if (train_.size() == 0) return model;
    model->choose_pairs(train_.rows);
    if (naive_bayes_ > 0)
      model->start_from_counts(train_.rows, train_.labels, naive_bayes_, generator);
    if (balanced_) class_weights_ = class_weights(train_.labels, labels_.size());
    return model;
  }

  void add_data_settings(Settings& settings) override { columns_.add_to(settings); }

  void add_settings(Settings& settings) override {
    settings.add("layers", config_.layers, "layers of the encoder", 1, 1000);
    settings.add("heads", config_.heads, "attention heads; must divide width");
    settings.add("width", config_.width, "width of the stream between the layers");
    settings.add("mlp_width", config_.mlp_width, "width inside a layer's MLP");
    settings.add("pairs", config_.pairs, "token pairs with an embedding of their own; 0: none", 0,
                 1 << 24);
    settings.add("embedding_deviation", config_.embedding_deviation,
                 "of the embeddings at the start", 0, 100);
    settings.add("embedding_scale", config_.embedding_scale,
                 "factor by which steps move words further", 1e-3, 1000);
    settings.add("naive_bayes", naive_bayes_, "weight of count ratios in the first embeddings", 0,
                 100);
    settings.add("max_length", config_.max_length, "tokens of a text that are trained on");
    settings.add_choice("position", config_.position, "how positions are encoded",
                        {{"sinusoidal", nn::PositionKind::sinusoidal},
                         {"learned", nn::PositionKind::learned},
                         {"none", nn::PositionKind::none}});
    settings.add_choice("norm", config_.post_norm, "layer norms before the blocks, or after",
                        {{"pre", false}, {"post", true}});
    settings.add_choice("pooling", config_.pooling, "what represents the text",
                        {{"mean", Pooling::mean}, {"class_token", Pooling::class_token}});
    settings.add("dropout", config_.dropout, "fraction of activations dropped in training", 0,
                 0.99);
    settings.add("token_dropout", token_dropout_, "fraction of tokens hidden in training", 0, 0.99);
    settings.add("label_smoothing", label_smoothing_, "fraction of the target spread evenly", 0, 1);
    settings.add("balanced", balanced_, "rare labels count as much as frequent ones");
    tokens_.add_to(settings);
  }

  // ---- use ----

  /// The input is a text, the answer its likeliest labels: "positive (98.2 %), negative (1.8 %)".
  std::string answer(const std::string& text) override {
    const NoGrad no_grad;
    const std::vector<std::vector<int32_t>> rows{text_tokens(text, *tokenizer_, longest())};
    const Tensor logits = model()(pad_rows(rows, kPad), padding_mask(rows));
    return likeliest(softmax(logits, -1).to_vector(), labels_.names());
  }

  void note(const std::string& text, std::ostream& notes) const override {
    note_cut(text, *tokenizer_, 1, longest(), notes);
  }

  std::string model_facts() const override {
    return concat(counted(config_.layers, "layer"), ", ", counted(config_.heads, "head"), ", ",
                  config_.width, " wide, ", with_commas(config_.vocab_size), " tokens");
  }
  std::string data_facts() const override {
    return concat(source_, ": ", with_commas(train_.size()), " texts to train on, ",
                  with_commas(validation_.size()), " to validate, ",
                  counted(labels_.size(), "label"));
  }
  std::string batch_facts() const override { return concat(recipe.batch_size, " texts"); }
  std::string cut_facts() const override {
    return cut_facts_of(train_.cut, validation_.cut, "texts", config_.max_length);
  }

 private:
  /// The longest text that can be read; it may be longer than those trained on.
  int64_t longest() const {
    return config_.position == nn::PositionKind::learned ? config_.max_length : kNoLimit;
  }

  Metrics measure(const TokenTexts& data, const std::string& loss_name) {
    Metrics metrics = scored(data).metrics(loss_name);
    for (Metric& metric : metrics) metric.note = cut_note(data.cut, "texts", config_.max_length);
    return metrics;
  }

  /// The answers for all of `data`.
  ClassifierScore scored(const TokenTexts& data) {
    NoGrad no_grad;
    ClassifierScore score(labels_.size());
    for (const auto& chosen : data.sampler(64, {}).all()) {
      const Batch batch = data.batch(chosen);
      score.add(chosen, model()(batch["index"], batch["padding"]), batch["labels"]);
    }
    return score;
  }

  Preset preset_;
  std::optional<Start> start_;
  Config config_;
  LabelledColumns columns_;
  double label_smoothing_ = 0, token_dropout_ = 0, naive_bayes_ = 0;
  bool balanced_ = false;
  TokenizerOptions tokens_;
  std::string source_;
  Labels labels_;
  std::unique_ptr<Tokenizer> tokenizer_;
  TokenTexts train_, validation_, test_;
  Tensor class_weights_;
};

}  // namespace

std::vector<ModelEntry> models() {
  return {
      {"text-classifier", "text-classifier", "sources",
       "to tell which folder of tarsier's sources a piece of text is from",
       "pieces of tarsier's own source text, or --data PATH: labelled texts",
       "80 % of the pieces that it never saw", "a minute or two on two cores",
       make_task_of<TextClassifierTask, Preset::sources>},
      {"sentiment", "text-classifier", "sentiment", "to tell good reviews from bad",
       "--data DIR with train.tsv, val.tsv and test.tsv, lines of label, tab, text; or --data "
       "FILE, also CSV, with columns by name",
       "77.7 % of the sentences in movie reviews (MR)", "seconds on two cores",
       make_task_of<TextClassifierTask, Preset::sentiment>},
  };
}

}  // namespace tarsier::zoo::text_classifier
