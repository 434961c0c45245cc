#include "zoo/gpt/task.h"

#include <algorithm>
#include <sstream>

#include "zoo/base/format.h"
#include "zoo/data/batches.h"
#include "zoo/data/embedded.h"
#include "zoo/data/opening.h"
#include "zoo/data/text.h"
#include "zoo/gpt/generate.h"
#include "zoo/gpt/model.h"
#include "zoo/gpt/tokens.h"
#include "zoo/report/parts.h"

namespace tarsier::zoo {

namespace {

/// Which stream of random numbers serves what; the steps' dropout masks have their own generator.
constexpr uint64_t kBatchStream = uint64_t{1} << 63;

/// Source: So et al. 2021, "Primer: searching for efficient Transformers for language modeling".
Tensor squared_relu(const Arg& x) {
  const Tensor y = relu(x);
  return y * y;
}

class GptTask : public Task {
 public:
  explicit GptTask(GptPreset preset) : preset_(preset) {
    if (preset == GptPreset::cpu) return;  // the defaults
    if (preset == GptPreset::fast) {
      set_fast();
      return;
    }
    config_.n_layer = 6;
    config_.n_head = 6;
    config_.n_embd = 384;
    config_.block_size = 256;
    config_.dropout = 0.2;
    recipe.steps = 5000;
    recipe.batch_size = 64;
    recipe.eval_every = 250;
    recipe.checkpoint_every = 50;
  }

  std::string name() const override {
    return preset_ == GptPreset::cpu ? "gpt" : preset_ == GptPreset::fast ? "gpt-fast" : "gpt-baby";
  }
  std::string items() const override { return "tokens"; }

  // ---- data ----

  void load_data(const std::string& path) override {
    source_ = path.empty() ? "tarsier's own source text" : "'" + path + "'";
    std::string text = path.empty() ? embedded_text() : read_text_file(path);
    fingerprint_ = fingerprint(text);
    opening_ = opening_of(text);
    check_utf8(text, source_);
    characters_ = count_characters(text);
    const auto [first, rest] = split_characters(text, characters_ * 9 / 10);
    // All characters must be known; words and byte pairs are learned from what is trained on.
    if (tokens_.size() == 0)
      tokens_ = TextTokens(tokenizer_.kind == "characters" ? text : first, tokenizer_);
    std::vector<int32_t> train = tokens_.encode(first, source_);
    std::vector<int32_t> validation = tokens_.encode(rest, source_);

    // A window and the token after it must fit into the training part, two tokens into the other:
    // 11 at the least.
    const auto train_size = static_cast<int64_t>(train.size()),
               validation_size = static_cast<int64_t>(validation.size());
    const int64_t needed = std::max(((config_.block_size + 1) * 10 + 8) / 9, int64_t{11});
    check(train_size > config_.block_size && validation_size >= 2, "data", source_, " has ",
          counted(train_size + validation_size, unit()), ", too few for windows of block_size ",
          config_.block_size, ": it needs ", with_commas(needed), ". Give a longer text",
          train_size >= 2 && validation_size >= 2
              ? concat(", or train with --set block_size=", train_size - 1)
              : "");
    predicted_characters_ = count_characters(tokens_.as_written(rest)) -
                            count_characters(tokens_.written(validation[0], kEnd));
    train_ = TokenWindows(std::move(train));
    validation_ = TokenWindows(std::move(validation));
  }

  Json describe_data() const override {
    return Json::Object{
        {"fingerprint", fingerprint_},
        {"characters", characters_},
        {"vocabulary", tokens_.to_json()},
    };
  }

  void restore_data(const Json& data) override {
    tokens_ = TextTokens::from_json(data["vocabulary"]);
  }

  // ---- model ----

  void build(uint64_t seed) override {
    config_.vocab_size = tokens_.size();
    config_.position = nn::position_kind(position_);
    config_.rms_norm = norm_ == "rms";
    config_.swiglu = mlp_ == "swiglu";
    if (mlp_ == "relu2") config_.activation = {squared_relu, mlp_};
    Generator generator(seed);
    model_ = std::make_unique<Gpt>(config_, generator);
  }

  nn::Module& model() override { return *model_; }

  // ---- training ----

  /// Windows, of which so many lie in the text side by side.
  int64_t training_examples() const override { return train_.size() / config_.block_size; }

  /// Windows are drawn, and may come twice.
  int64_t largest_batch() const override { return recipe.batch_size; }

  Batch batch(int64_t number, uint64_t seed) override {
    const TokenBatch windows =
        train_.training_batch({seed, kBatchStream}, number, recipe.batch_size, config_.block_size);
    return {{{"inputs", windows.inputs}, {"targets", windows.targets}}, windows.inputs.numel()};
  }

  Tensor loss(const Batch& batch) override {
    return model_->loss(batch["inputs"], batch["targets"]);
  }

  /// Over the whole split, each token but the first predicted once. Losses of different tokens
  /// compare by what they are for a character.
  Metrics validate() override {
    NoGrad no_grad;
    double sum = 0;
    validation_.for_each(config_.block_size, [&](const TokenBatch& batch) {
      sum += model_->loss(batch.inputs, batch.targets).item() *
             static_cast<double>(batch.targets.numel());
    });
    const auto predictions = static_cast<double>(validation_.size() - 1);
    Metrics metrics{{.name = "val_loss", .value = sum / predictions}};
    if (!tokens_.are_characters())
      metrics.push_back({.name = "val_loss_per_character",
                         .value = sum / static_cast<double>(predicted_characters_)});
    return metrics;
  }

  // ---- use ----

  /// The inputs are the words of one prompt. Without any the model begins with a new line.
  void predict(const std::vector<std::string>& inputs, const PredictOptions& options,
               std::ostream& out) override {
    std::string prompt;
    for (const std::string& input : inputs) prompt += (prompt.empty() ? "" : " ") + input;
    Sampling sampling;
    sampling.temperature = options.temperature.value_or(sampling.temperature);
    sampling.top_k = options.top_k.value_or(sampling.top_k);
    sampling.top_p = options.top_p.value_or(sampling.top_p);
    sampling.seed = options.seed;
    write(prompt, options.tokens.value_or(500), sampling, out);
  }

  /// Begins as parts of its text do: after an empty line alone a young model knows little to say.
  void show_sample(std::ostream& out) override {
    write(opening_.common ? opening_.word : "", 300, Sampling(), out);
  }

  void report(Page& page) override {
    page.section("What it writes");
    std::ostringstream sample;
    show_sample(sample);
    page.preformatted(sample.str());

    page.section("Where it looks");
    const int64_t T = std::min({int64_t{40}, config_.block_size, validation_.size() - 1});
    const Tensor text = validation_.at({0}, T).inputs;
    std::vector<std::string> labels;
    for (int64_t t = 0; t < T; ++t)
      labels.push_back(visible(tokens_.show(static_cast<int32_t>(text.data<int64_t>()[t]))));
    add_attention(page, model_->attention(text), labels);
  }

  std::optional<Choice> choice() const override { return Choice{tokens_.size(), unit() + "s"}; }

  bool continues_text() const override { return true; }

  std::string example_input() const override { return opening_.word; }

 protected:
  void add_settings(Settings& settings) override {
    settings.add("n_layer", config_.n_layer, "blocks", 1, 10'000);
    settings.add("n_head", config_.n_head, "attention heads; must divide n_embd");
    settings.add("n_embd", config_.n_embd, "width");
    settings.add("block_size", config_.block_size, "tokens that the model sees at once");
    settings.add("dropout", config_.dropout, "share of activations dropped in training", 0, 0.99);
    settings.add("bias", config_.bias, "biases in linear layers and norms");
    settings.add("position", position_, "how a token's place is told",
                 {"learned", "sinusoidal", "rotary", "alibi"});
    settings.add("norm", norm_, "layer norm or RMSNorm", {"layer", "rms"});
    settings.add("mlp", mlp_, "function inside of the MLP", {"gelu", "relu2", "swiglu"});
    settings.add("qk_norm", config_.qk_norm, "queries and keys of one length");
    settings.add("tied", config_.tied, "one matrix reads and writes the tokens");
    settings.add("quiet_start", config_.quiet_start, "blocks begin by adding next to nothing");
    tokenizer_.add_to(settings);
  }

  std::string model_facts() const override {
    return concat(counted(config_.n_layer, "layer"), ", ", counted(config_.n_head, "head"), ", ",
                  config_.n_embd, " wide, context ", config_.block_size);
  }
  std::string data_facts() const override {
    return concat(source_, ": ", counted(train_.size(), unit()), " to train on, ",
                  with_commas(validation_.size()), " to validate, ", with_commas(tokens_.size()),
                  " different");
  }
  std::string batch_facts() const override {
    return concat(recipe.batch_size, " × ", counted(config_.block_size, unit()));
  }

 private:
  /// The sizes and rates were found by trial, of what two cores do in three minutes.
  void set_fast() {
    config_.n_head = 2;
    config_.block_size = 128;
    config_.tied = false;
    config_.qk_norm = true;
    config_.quiet_start = true;
    position_ = "rotary";
    norm_ = "rms";
    mlp_ = "relu2";
    recipe.optimizer = "muon";
    recipe.schedule = "linear";
    recipe.steps = 3000;
    recipe.eval_every = 1000;
    recipe.checkpoint_every = 1000;
    recipe.batch_size = 16;
    recipe.learning_rate = 6e-3;
    recipe.min_learning_rate = 1e-4;
    recipe.warmup_steps = 50;
  }

  void write(const std::string& prompt, int64_t count, const Sampling& sampling,
             std::ostream& out) {
    std::vector<int32_t> tokens = tokens_.encode(prompt, "the prompt");
    if (tokens.empty()) tokens.push_back(tokens_.blank());
    int32_t before = tokens.back();
    out << prompt << std::flush;
    generate(*model_, tokens, count, sampling, [&](int32_t token) {
      out << tokens_.written(token, before) << std::flush;
      before = token;
      check(out.good(), "output", "cannot write any more");
    });
    out << std::endl;
  }

  /// What a token is called: "character", "word" or "token".
  std::string unit() const {
    if (tokens_.are_characters()) return "character";
    return tokenizer_.kind == "words" ? "word" : "token";
  }

  GptPreset preset_;
  GptConfig config_;
  std::string source_;
  std::string fingerprint_;
  Opening opening_;  // of a part of the text
  std::string position_ = "learned", norm_ = "layer", mlp_ = "gelu";
  TokenizerOptions tokenizer_{.kind = "characters", .lower = false};
  TextTokens tokens_;
  int64_t characters_ = 0;            // of the text
  int64_t predicted_characters_ = 0;  // of the validation split: all but those of its first token
  TokenWindows train_, validation_;
  std::unique_ptr<Gpt> model_;
};

}  // namespace

std::unique_ptr<Task> make_gpt_task(GptPreset preset) { return std::make_unique<GptTask>(preset); }

}  // namespace tarsier::zoo
