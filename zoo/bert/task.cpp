#include "zoo/bert/task.h"

#include <algorithm>
#include <cmath>

#include "autograd/io/json.h"
#include "zoo/base/format.h"
#include "zoo/bert/fill.h"
#include "zoo/bert/masking.h"
#include "zoo/bert/model.h"
#include "zoo/bert/texts.h"
#include "zoo/bert/vocabulary.h"
#include "zoo/data/embedded.h"
#include "zoo/data/fingerprint.h"
#include "zoo/data/lines.h"
#include "zoo/report/parts.h"

namespace tarsier::zoo::bert {

namespace {

/// The streams of random numbers that hide tokens: those of a batch begin 2³³ after those of the
/// one before, two for each example.
constexpr uint64_t kMaskStream = uint64_t{3} << 62;
constexpr int kBatchShift = 33;

class BertTask : public TaskOf<BertForMaskedLM, Documents> {
 public:
  explicit BertTask(const std::string& name) : TaskOf(name) {
    // Small, for small texts: README.md says what they learn.
    config_.hidden_size = 64;
    config_.num_hidden_layers = 2;
    config_.num_attention_heads = 4;
    config_.intermediate_size = 256;
    config_.max_position_embeddings = 64;
    config_.type_vocab_size = 0;
    config_.initializer_range = 0.125;  // 1 / √width; the paper's 0.02 is for 768
    config_.dropout = 0;  // so small a model and so few steps learn too little, not too much
    recipe.steps = 3600;
    recipe.batch_size = 32;
    recipe.optimizer = "muon";
    recipe.schedule = "linear";
    recipe.learning_rate = 6e-3;
    recipe.min_learning_rate = 1e-5;
    recipe.warmup_steps = 50;
    recipe.weight_decay = 0.01;
    recipe.eval_every = 600;
    recipe.beta2 = 0.999;
    recipe.ema_decay = 0.99;
  }

  std::string items() const override { return "tokens"; }

  // ---- training ----

  int64_t training_examples() const override { return std::ssize(train_); }

  Batch batch(int64_t number, uint64_t seed) override {
    return masked_batch(train_, drawn(number, seed), masking(),
                        {seed, kMaskStream + (static_cast<uint64_t>(number) << kBatchShift)});
  }

  Tensor loss(const Batch& batch) override {
    return model().loss(batch["index"], batch["targets"], batch["places"],
                        {.padding_mask = batch["padding"]});
  }

  StudyInput study_input(int64_t length, uint64_t seed) override {
    const auto knows_a_word = [&](int64_t i) {
      const std::vector<int32_t>& row = train_[static_cast<size_t>(i)];
      const auto end = row.begin() + std::min(length, static_cast<int64_t>(std::ssize(row)));
      return std::any_of(row.begin(), end, [](int32_t id) { return id >= kSpecialTokens; });
    };
    int64_t example = first_drawn(seed);
    for (int64_t tried = 1; !knows_a_word(example) && tried < training_examples(); ++tried)
      example = (example + 1) % training_examples();
    if (!knows_a_word(example)) length = kNoLimit;
    StudyInput input{.batch =
                         masked_batch(train_, {example}, masking(), {seed, kMaskStream}, length)};
    input.labels = {{"tokens", words_of(input.batch["index"])},
                    {"words", words_of(index_select(flatten(input.batch["targets"]), 0,
                                                    input.batch["places"]))}};
    input.description = counted(input.batch.items, "token");
    return input;
  }

  Metrics validate() override {
    const Score score = scored();
    return {{.name = "val_loss", .value = score.loss}, score.accuracy, score.perplexity};
  }
  Metrics evaluate() override {
    const Score score = scored();
    return {score.accuracy, score.perplexity};
  }

  // ---- use ----

  void show_sample(std::ostream& out) override {
    for (const Riddle& riddle : riddles(validation_, vocabulary_->mask(), 5))
      out << "  " << vocabulary_->text(riddle.row) << "\n    " << vocabulary_->word(riddle.truth)
          << "  read as  " << answer_to(riddle) << "\n";
  }

  void report(Page& page) override {
    page.section("Words that it fills in");
    page.paragraph(
        "Validation texts with one hidden word, what stood there, and what the model takes for "
        "likeliest.");
    std::vector<std::vector<std::string>> rows;
    for (const Riddle& riddle : riddles(validation_, vocabulary_->mask(), 16))
      rows.push_back(
          {vocabulary_->text(riddle.row), vocabulary_->word(riddle.truth), answer_to(riddle)});
    page.table({"text", "hidden", "guesses"}, rows);

    page.section("Where it looks");
    Riddle riddle = riddles(validation_, vocabulary_->mask(), 1).front();
    riddle.row.resize(std::max<size_t>(static_cast<size_t>(riddle.place) + 1,
                                       std::min<size_t>(riddle.row.size(), 40)));
    const NoGrad no_grad;
    const Tensor index = pad_rows({riddle.row}, kPad);
    add_attention(page, model().bert.attention(index), words_of(index),
                  "A validation text with a hidden word. Each row is a token that looks at all "
                  "others, in the last layer, averaged over the heads.");
  }

  std::optional<Choice> choice() const override {
    return Choice{vocabulary_->size() - 1 - kSpecialTokens, "tokens"};
  }

  std::string example_input() const override {
    if (validation_.empty()) return "";
    const Riddle riddle = riddles(validation_, vocabulary_->mask(), 1).front();
    const auto at = riddle.row.begin() + riddle.place;  // up to five tokens on each side
    return vocabulary_->text({at - std::min<int64_t>(5, riddle.place - 1),
                              at + std::min<int64_t>(6, riddle.row.end() - at)});
  }

 protected:
  // ---- data ----

  Documents read(const std::string& path) override {
    source_ = path.empty() ? "tarsier's own source text" : "'" + path + "'";
    if (path.empty()) return {{{.text = embedded_text()}}};
    return read_documents(path, columns_, kSplitKey);
  }

  void learn(const Documents& data) override {
    std::vector<std::string> texts;
    for (Passage& passage : split(data.all, examples_).train)
      texts.push_back(std::move(passage.text));
    const bool blank = std::all_of(texts.begin(), texts.end(),
                                   [](const std::string& text) { return is_blank(text); });
    check(!blank, "data", source_, " has no words to learn from");
    vocabulary_ = std::make_unique<Vocabulary>(Tokenizer::train(texts, tokens_));
  }

  void use(Documents data) override {
    if (!data.columns.empty()) source_ += ", columns " + data.columns;
    const Split parts = split(data.all, examples_);
    const auto rows = [&](const std::vector<Passage>& passages) {
      return token_rows(passages, vocabulary_->tokenizer(), config_.max_position_embeddings);
    };
    train_ = rows(parts.train);
    validation_ = rows(parts.validation);
    check(!train_.empty() && !validation_.empty(), "data", source_, " has ",
          train_.empty() ? "nothing to train on" : "nothing to validate on",
          ": a tenth of the text or of its lines is kept for that, and what counts are words that ",
          "the training part has ", tokens_.min_count,
          " times or more (min_count). Give a longer text");
  }

  Json::Object known() const override {
    return {{"tokenizer", vocabulary_->tokenizer().to_json()}};
  }
  void restore(const Json& data) override {
    vocabulary_ = std::make_unique<Vocabulary>(Tokenizer::from_json(data["tokenizer"]));
  }
  Json::Object mark() const override {
    return {{"texts", std::ssize(train_) + std::ssize(validation_)},
            {"fingerprint", Fingerprint().add(train_).add(validation_).text()}};
  }
  BatchSampler sampler(RandomKey key) const override { return of_length(train_, key); }

  // ---- model and settings ----

  std::unique_ptr<BertForMaskedLM> make_model(Generator& generator) override {
    config_.vocab_size = vocabulary_->size();
    return std::make_unique<BertForMaskedLM>(config_, generator);
  }

  void add_data_settings(Settings& settings) override { columns_.add_to(settings); }

  void add_settings(Settings& settings) override {
    settings.add("layers", config_.num_hidden_layers, "layers of the encoder", 1, 1000);
    settings.add("heads", config_.num_attention_heads, "attention heads; must divide width");
    settings.add("width", config_.hidden_size, "width of the stream between the layers");
    settings.add("mlp_width", config_.intermediate_size, "width inside a layer's MLP");
    settings.add("max_length", config_.max_position_embeddings,
                 "tokens that the model sees at once", 2);
    settings.add("dropout", config_.dropout, "fraction of activations dropped in training", 0,
                 0.99);
    settings.add("initializer_range", config_.initializer_range,
                 "standard deviation of the matrices at the start", 1e-4, 10);
    settings.add_choice("examples", examples_, "what an example is",
                        {{"auto", Examples::automatic},
                         {"lines", Examples::lines},
                         {"windows", Examples::windows}});
    settings.add("hidden", hidden_, "fraction of the tokens to guess in training", 0.01, 0.9);
    tokens_.add_to(settings);
  }

  void add_predict_options(Settings& options) override {
    options.add("words", words_, "how many words to name for each [MASK]", 1, 1'000'000);
  }

  /// The input is a text with one [MASK] or more, the answer the likeliest words for each.
  std::string answer(const std::string& text) override {
    const std::vector<int32_t> row = vocabulary_->encode(text);
    std::vector<int64_t> places;
    for (size_t t = 0; t < row.size(); ++t)
      if (row[t] == vocabulary_->mask()) places.push_back(static_cast<int64_t>(t));
    check(!places.empty(), "predict", "'", beginning_of(text),
          "' has no [MASK]: write [MASK] for every word that is to be guessed");
    check(std::ssize(row) <= config_.max_position_embeddings, "predict", "'", beginning_of(text),
          "' has ", row.size(), " tokens, the first of which begins every text, but the model ",
          "reads at most ", config_.max_position_embeddings, ": leave out what is far from [MASK]");
    std::string line;
    for (const std::vector<Guess>& one : guesses(model(), row, places, words_))
      line += concat(line.empty() ? "" : "; ", described(one, *vocabulary_));
    return line;
  }

  std::string model_facts() const override {
    return concat(counted(config_.num_hidden_layers, "layer"), ", ",
                  counted(config_.num_attention_heads, "head"), ", ", config_.hidden_size,
                  " wide, ", with_commas(config_.vocab_size), " tokens");
  }
  std::string data_facts() const override {
    return concat(source_, ": ", counted(training_examples(), "text"), " of up to ",
                  config_.max_position_embeddings, " tokens to train on, ",
                  with_commas(std::ssize(validation_)), " to validate");
  }
  std::string batch_facts() const override { return concat(recipe.batch_size, " texts"); }

 private:
  /// How well the hidden words of the validation part are guessed.
  struct Score {
    double loss = 0;
    Metric accuracy, perplexity;
  };

  /// The same words are hidden every time, 15 % whatever `hidden` is in training.
  Score scored() {
    const NoGrad no_grad;
    double loss = 0, right = 0, count = 0;
    for (const auto& chosen : of_length(validation_, {}).all()) {
      const Batch batch = masked_batch(validation_, chosen, {.mask = vocabulary_->mask()},
                                       {kSplitKey.seed, kMaskStream});
      const Tensor logits =
          model().logits_at(batch["index"], batch["places"], {.padding_mask = batch["padding"]});
      const Tensor truth = index_select(flatten(batch["targets"]), 0, batch["places"]);
      loss += cross_entropy(logits, truth, {.reduction = Reduction::sum}).item();
      right += sum(to(argmax(logits, -1) == truth, f64)).item();
      count += batch.weight;
    }
    return {
        loss / count,
        percent("masked accuracy", right / count),
        {.name = "perplexity", .value = std::exp(loss / count), .digits = 2, .same_line = true}};
  }

  BatchSampler of_length(const std::vector<std::vector<int32_t>>& rows, RandomKey key) const {
    return BatchSampler(lengths_of(rows), {.examples = recipe.batch_size, .bucket = 4}, key);
  }

  Masking masking() const { return {.mask = vocabulary_->mask(), .share = hidden_}; }

  std::vector<std::string> words_of(const Tensor& ids) const {
    std::vector<std::string> words;
    for (const int64_t id : ids.to_vector<int64_t>())
      words.push_back(vocabulary_->word(static_cast<int32_t>(id)));
    return words;
  }

  std::string answer_to(const Riddle& riddle) {
    return described(guesses(model(), riddle.row, {riddle.place}, 3).front(), *vocabulary_);
  }

  Config config_;
  LabelledColumns columns_;
  Examples examples_ = Examples::automatic;
  double hidden_ = 0.3;
  TokenizerOptions tokens_;
  std::string source_;
  std::unique_ptr<Vocabulary> vocabulary_;
  std::vector<std::vector<int32_t>> train_, validation_;
  int64_t words_ = 5;
};

}  // namespace

std::vector<ModelEntry> models() {
  return {{"bert", "bert", "tiny", "to guess hidden words, for a classifier to start from",
           "tarsier's own source text, or --data PATH: any text in UTF-8, a folder of text files, "
           "or the texts of a labelled table",
           "a start for text-classifier (--from): zoo/bert/README.md",
           "a minute or two on two cores", make_task_of<BertTask>}};
}

}  // namespace tarsier::zoo::bert
