#include "zoo/summarize/task.h"

#include <algorithm>
#include <cmath>
#include <iomanip>

#include "autograd/io/json.h"
#include "zoo/base/format.h"
#include "zoo/base/limits.h"
#include "zoo/data/declarations.h"
#include "zoo/data/lines.h"
#include "zoo/data/text.h"
#include "zoo/metrics/rouge.h"
#include "zoo/report/parts.h"
#include "zoo/summarize/beginnings.h"
#include "zoo/summarize/documents.h"
#include "zoo/summarize/pictures.h"
#include "zoo/summarize/write.h"

namespace tarsier::zoo::summarize {

namespace {

/// So many validation pairs are summed up in each validation.
constexpr int64_t kWritten = 400;

class SummarizeTask : public TaskOf<Summarizer, ParallelFolder> {
 public:
  explicit SummarizeTask(const std::string& name) : TaskOf(name) {
    recipe.epochs = 4;
    recipe.batch_size = 32;
    recipe.optimizer = "muon";
    recipe.learning_rate = 3e-3;
    recipe.min_learning_rate = 1e-5;
    recipe.warmup_steps = 200;
    recipe.weight_decay = 0.05;
    recipe.beta2 = 0.98;
    recipe.ema_decay = 0.995;
    recipe.eval_every = 0;
    tokens_.min_count = 8;
    beam_ = {.beams = 3, .max_length = 40, .no_repeat = 2};
  }

  std::string items() const override { return "tokens"; }

  // ---- training ----

  int64_t training_examples() const override { return train_.pairs.size(); }

  Batch batch(int64_t number, uint64_t seed) override { return train_.batch(drawn(number, seed)); }

  StudyInput study_input(int64_t length, uint64_t seed) override {
    const int64_t example = first_drawn(seed);
    StudyInput input{.batch = train_.batch({example}, length)};
    for (const char* name : {"source", "target", "next"}) {
      std::vector<std::string> labels;
      for (const int64_t id : input.batch[name].to_vector<int64_t>())
        labels.push_back(shown(id, train_.own[static_cast<size_t>(example)]));
      input.labels.emplace_back(name, as_labels(text_pieces(*tokenizer_, labels)));
    }
    input.description = concat(input.batch["source"].size(1), " + ",
                               counted(input.batch["target"].size(1), "token"));
    return input;
  }

  Tensor loss(const Batch& batch) override {
    const Summarizer::Cost cost = cost_of(batch);
    const Tensor surprise = mean(cost.surprise);
    return coverage_ > 0 ? surprise + coverage_ * mean(cost.coverage) : surprise;
  }

  /// ROUGE of summaries of some pairs, by greedy search, and the loss of all.
  Metrics validate() override {
    Metrics metrics = sampled_rouge().metrics();
    metrics.push_back({.name = "val_loss", .value = mean_surprise(validation_)});
    return metrics;
  }

  /// ROUGE of every test set, or of the validation split if there is none, next to that of the
  /// documents' beginnings.
  Metrics evaluate() override {
    if (tests_.empty()) return evaluate(validation_text_, "");
    Metrics metrics;
    for (const ParallelText& test : tests_)
      for (Metric& metric : evaluate(test, tests_.size() > 1 ? " " + test.name : ""))
        metrics.push_back(std::move(metric));
    return metrics;
  }

  // ---- use ----

  void show_sample(std::ostream& out) override {
    const size_t all = validation_text_.source.size(), count = std::min<size_t>(5, all);
    for (size_t i = 0; i < count; ++i) {
      const size_t at = i * all / count;
      out << "  document   " << validation_text_.source[at] << "\n  reference  "
          << validation_text_.target[at] << "\n  model      " << answer(validation_text_.source[at])
          << "\n\n";
    }
    for (const auto& row : comparison()) {
      for (size_t i = 0; i < row.size(); ++i)
        out << "  " << std::left << std::setw(i == 0 ? 16 : 9) << row[i];
      out << "\n";
    }
  }

  void report(Page& page) override {
    const NoGrad no_grad;
    page.section("Against beginnings");
    page.paragraph(
        "ROUGE of summaries of validation documents, and of the documents' beginnings as their "
        "summaries. The model is measured on a sample, with one beam.");
    auto rows = comparison();
    const std::vector<std::string> head = std::move(rows.front());
    rows.erase(rows.begin());
    page.table(head, rows);
    add_summaries(page, validation_text_, model(), *tokenizer_, beam_, config_.max_length);
  }

  std::optional<Choice> choice() const override {
    return Choice{tokenizer_->size(), "tokens, and those of the document"};
  }

  std::string example_input() const override {
    return validation_text_.source.empty() ? "" : validation_text_.source[0];
  }

 protected:
  // ---- data ----

  ParallelFolder read(const std::string& path) override {
    source_name_ = path.empty() ? "comments of tarsier's declarations" : "'" + path + "'";
    return path.empty() ? declarations_data(embedded_files(), kSplitKey)
                        : read_parallel_data(path, columns_, kSplitKey);
  }

  void learn(const ParallelFolder& data) override {
    std::vector<std::string> texts = data.train.target;
    texts.insert(texts.end(), data.train.source.begin(), data.train.source.end());
    tokenizer_ = Tokenizer::train(texts, tokens_);
  }

  void use(ParallelFolder data) override {
    if (!data.columns.empty()) source_name_ += ", columns " + data.columns;
    left_out_ = data.train.left_out + data.val.left_out;
    train_ = {data.train, *tokenizer_, config_.max_length};
    validation_ = {data.val, *tokenizer_, config_.max_length};
    tests_ = std::move(data.tests);
    validation_text_ = std::move(data.val);
  }

  Json::Object known() const override { return {{"tokenizer", tokenizer_->to_json()}}; }
  void restore(const Json& data) override { tokenizer_ = Tokenizer::from_json(data["tokenizer"]); }
  Json::Object mark() const override {
    Fingerprint fingerprint;
    for (const SummaryPairs* pairs : {&train_, &validation_}) pairs->pairs.add_to(fingerprint);
    return {{"pairs", train_.pairs.size() + validation_.pairs.size()},
            {"fingerprint", fingerprint.text()}};
  }
  BatchSampler sampler(RandomKey key) const override {
    return train_.pairs.sampler(recipe.batch_size, key);
  }

  // ---- model and settings ----

  std::unique_ptr<Summarizer> make_model(Generator& generator) override {
    config_.vocab = tokenizer_->size();
    return std::make_unique<Summarizer>(config_, generator);
  }

  void add_data_settings(Settings& settings) override {
    settings.add("document", columns_.source.given,
                 "the column (name or number) or file ending of the documents", {});
    settings.add("summary", columns_.target.given,
                 "the column (name or number) or file ending of the summaries", {});
  }

  void add_settings(Settings& settings) override {
    settings.add("layers", config_.layers, "layers of the encoder, and of the decoder", 1, 1000);
    settings.add("heads", config_.heads, "attention heads; must divide width");
    settings.add("width", config_.width, "width of the stream between the layers");
    settings.add("mlp_width", config_.mlp_width, "width inside a layer's MLP");
    settings.add("dropout", config_.dropout, "fraction of activations dropped in training", 0,
                 0.99);
    settings.add("max_length", config_.max_length, "tokens of a text that are read", 2);
    settings.add("coverage", coverage_, "weight of the loss against repetition", 0, 1000);
    tokens_.add_to(settings);
    settings.add("beams", beam_.beams, "summaries followed in parallel", 1, kMostBeams);
    settings.add("length_penalty", beam_.length_penalty, "above 0: favours long summaries");
    settings.add("summary_length", beam_.max_length, "tokens of a summary at most", 1, kMostTokens);
    settings.add("min_length", beam_.min_length, "tokens of a summary at least", 0, kMostTokens);
    settings.add("no_repeat", beam_.no_repeat, "N: no N tokens occur twice; 0: they may", 0);
  }

  void add_predict_options(Settings& options) override {
    options.add("beams", beam_.beams,
                "summaries followed in parallel; 1: greedy; default: the run's", 1, kMostBeams);
    options.add("length-penalty", beam_.length_penalty,
                "above 0: favours long texts; default: the run's");
    options.add("min-length", beam_.min_length, "tokens at least; default: the run's", 0,
                kMostTokens);
    options.add("max-length", beam_.max_length, "tokens at most; default: the run's", 1,
                kMostTokens);
    options.add("no-repeat", beam_.no_repeat, "N: no N tokens occur twice; default: the run's", 0);
  }

  // ---- use ----

  /// The input is a document, or the name of a file with one; the answer is its summary.
  std::string answer(const std::string& input) override {
    return written(text_of_input(input), beam_);
  }

  void note(const std::string& input, std::ostream& notes) const override {
    note_cut(text_of_input(input), *tokenizer_, 1, config_.max_length, notes);
  }

  std::string model_facts() const override {
    return concat(config_.layers, " + ", counted(config_.layers, "layer"), ", ",
                  counted(config_.heads, "head"), ", ", config_.width, " wide, ",
                  with_commas(config_.vocab), " tokens");
  }
  std::string data_facts() const override {
    return concat(source_name_, ": ", with_commas(train_.pairs.size()), " pairs to train on, ",
                  with_commas(validation_.pairs.size()), " to validate",
                  left_out_ == 0 ? ""
                                 : concat("; ", with_commas(left_out_),
                                          " left out, of which a side is blank"));
  }
  std::string batch_facts() const override { return concat(recipe.batch_size, " pairs"); }
  std::string cut_facts() const override {
    return cut_facts_of(train_.cut, validation_.cut, "pairs", config_.max_length);
  }

 private:
  std::string shown(int64_t id, const std::vector<std::string>& own) const {
    const int64_t beyond = id - tokenizer_->size();
    return beyond < 0 ? tokenizer_->show(static_cast<int32_t>(id))
                      : own[static_cast<size_t>(beyond)];
  }

  std::string written(const std::string& text, const transformer::BeamOptions& options) {
    if (is_blank(text)) return "";
    const Document document = read_document(text, *tokenizer_, config_.max_length);
    return tokenizer_->join(words_of(summarize(model(), document, options), document, *tokenizer_));
  }

  Summarizer::Cost cost_of(const Batch& batch) {
    return model()(batch["source"], batch["padding"], batch["target"], batch["next"],
                   batch["places"]);
  }

  double mean_surprise(const SummaryPairs& data) {
    const NoGrad no_grad;
    double surprise = 0, tokens = 0;
    for (const auto& chosen : data.pairs.sampler(recipe.batch_size, {}).all()) {
      const Batch batch = data.batch(chosen);
      surprise += sum(cost_of(batch).surprise).item();
      tokens += batch.weight;
    }
    return surprise / tokens;
  }

  /// Of kWritten validation pairs, spread over all.
  MeanRouge sampled_rouge() {
    std::vector<std::string> texts, references;
    const int64_t all = validation_text_.size(), count = std::min(all, kWritten);
    transformer::BeamOptions greedy = beam_;
    greedy.beams = 1;
    for (int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<size_t>(i * all / count);
      texts.push_back(written(validation_text_.source[at], greedy));
      references.push_back(validation_text_.target[at]);
    }
    return mean_rouge(texts, references);
  }

  /// A head, and a row for the model and each way without a model, on validation documents.
  std::vector<std::vector<std::string>> comparison() {
    std::vector<Baseline> all = baselines(validation_text_);
    all.insert(all.begin(), {name(), sampled_rouge()});
    std::vector<std::vector<std::string>> rows = {{"", "ROUGE-1", "ROUGE-2", "ROUGE-L"}};
    for (const auto& [by, rouge] : all)
      rows.push_back(
          {by, fixed(rouge.rouge_1, 1), fixed(rouge.rouge_2, 1), fixed(rouge.rouge_l, 1)});
    return rows;
  }

  Metrics evaluate(const ParallelText& text, const std::string& suffix) {
    std::vector<std::string> texts;
    int64_t empty = 0;
    for (const std::string& document : text.source) {
      texts.push_back(written(document, beam_));
      empty += is_blank(document) ? 1 : 0;
    }
    const SummaryPairs data(text, *tokenizer_, config_.max_length);
    std::string note = cut_note(data.cut, "pairs", config_.max_length);
    if (empty > 0)
      note += concat(note.empty() ? "" : "; ", counted(empty, "empty document"),
                     " with an empty summary");
    Metrics all = mean_rouge(texts, text.target).metrics("", suffix);
    all.back().note = note;
    for (const Baseline& one : baselines(text))
      for (Metric& metric : one.rouge.metrics(one.name + " ", suffix))
        all.push_back(std::move(metric));
    all.push_back({.name = "perplexity" + suffix,
                   .value = std::exp(mean_surprise(data)),
                   .digits = 2,
                   .note = cut_note(data.cut, "pairs", config_.max_length)});
    return all;
  }

  Config config_;
  PairColumns columns_ = {
      .source = {.what = "document",
                 .option = "--document ",
                 .names = {"document", "documents", "article", "text", "description", "source",
                           "dialogue", "body", "content", "story", "maintext", "input"}},
      .target = {.what = "summary",
                 .option = "--summary ",
                 .names = {"summary", "summaries", "highlights", "synopsis", "abstract", "headline",
                           "headlines", "title", "target", "output"}},
      .longer_is_source = true};
  double coverage_ = 0;
  TokenizerOptions tokens_;
  transformer::BeamOptions beam_;
  std::string source_name_;
  int64_t left_out_ = 0;
  std::unique_ptr<Tokenizer> tokenizer_;
  SummaryPairs train_, validation_;
  ParallelText validation_text_;
  std::vector<ParallelText> tests_;
};

}  // namespace

std::vector<ModelEntry> models() {
  return {{"summarize", "summarize", "pointer-generator", "to sum up documents",
           "comments of tarsier's declarations and their names, or --data PATH: documents with "
           "summaries, a TSV or CSV file with two columns, or a folder of them",
           "ROUGE-1 43, ROUGE-2 25, ROUGE-L 40 on Debian's package descriptions",
           "ten minutes on two cores", make_task_of<SummarizeTask>}};
}

}  // namespace tarsier::zoo::summarize
