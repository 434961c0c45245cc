#include "zoo/gpt/task.h"

#include <algorithm>
#include <optional>
#include <sstream>

#include "autograd/io/json.h"
#include "zoo/base/format.h"
#include "zoo/base/usage_error.h"
#include "zoo/data/batches.h"
#include "zoo/data/embedded.h"
#include "zoo/data/fingerprint.h"
#include "zoo/data/opening.h"
#include "zoo/data/text.h"
#include "zoo/gpt/generate.h"
#include "zoo/gpt/model.h"
#include "zoo/gpt/start.h"
#include "zoo/gpt/tokens.h"
#include "zoo/report/parts.h"

namespace tarsier::zoo::gpt {

namespace {

enum class Preset {
  cpu,   // nanoGPT's settings for a CPU: 0.8 million weights
  baby,  // nanoGPT's train_shakespeare_char: 10.7 million weights
  fast,  // our own: the lowest loss that two cores reach in three minutes
};

/// Source: So et al. 2021, "Primer: searching for efficient Transformers for language modeling".
Tensor squared_relu(const Arg& x) {
  const Tensor y = relu(x);
  return y * y;
}

/// The data: UTF-8 text, and its name in messages.
struct Text {
  std::string text, source;
};

class GptTask : public TaskOf<Gpt, Text> {
 public:
  GptTask(const std::string& name, Preset preset) : TaskOf(name) {
    if (preset == Preset::cpu) return;  // the defaults
    if (preset == Preset::fast) {
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

  std::string items() const override { return "tokens"; }

  /// Fine-tunes a GPT-2 with gentler rates.
  void start_from(const std::string& folder) override {
    start_.emplace(folder);
    Settings all = settings();
    start_->apply_to(all);
    config_.dropout = 0.1;
    recipe.steps = 300;
    recipe.batch_size = 4;
    recipe.learning_rate = 1e-4;
    recipe.min_learning_rate = 1e-5;
    recipe.warmup_steps = 20;
    recipe.eval_every = 100;
  }

  // ---- training ----

  /// The number of adjacent windows in the text.
  int64_t training_examples() const override { return train_.size() / config_.block_size; }

  /// Windows are drawn at random and may repeat.
  int64_t largest_batch() const override { return recipe.batch_size; }

  Batch batch(int64_t number, uint64_t seed) override {
    const TokenBatch windows =
        train_.training_batch({seed, kBatchStream}, number, recipe.batch_size, config_.block_size);
    return {{{"inputs", windows.inputs}, {"targets", windows.targets}}, windows.inputs.numel()};
  }

  Tensor loss(const Batch& batch) override {
    return model().loss(batch["inputs"], batch["targets"]);
  }

  StudyInput study_input(int64_t length, uint64_t seed) override {
    const TokenBatch window =
        train_.training_batch({seed, kBatchStream}, 1, 1, std::min(length, config_.block_size));
    StudyInput input{
        .batch = {{{"inputs", window.inputs}, {"targets", window.targets}}, window.inputs.numel()}};
    input.labels = {{"tokens", shown(window.inputs)}, {"next", shown(window.targets)}};
    input.description = counted(window.inputs.numel(), unit());
    return input;
  }

  /// The first factor of an adapter waits for the second, which starts at zero.
  int64_t checked_step() const override { return config_.lora.r > 0 ? 2 : 1; }

  /// Over the whole split, each token but the first predicted once. Losses of different tokenisers
  /// are compared per character.
  Metrics validate() override {
    NoGrad no_grad;
    double sum = 0;
    validation_.for_each(config_.block_size, [&](const TokenBatch& batch) {
      sum += model().loss(batch.inputs, batch.targets).item() *
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

  /// The inputs are the words of one prompt. Without any the model starts from a new line.
  void predict(const std::vector<std::string>& inputs, std::ostream& out, std::ostream*) override {
    std::string prompt;
    for (const std::string& input : inputs) prompt += (prompt.empty() ? "" : " ") + input;
    write(prompt, tokens_to_write_, sampling_.chosen(), out);
  }

  /// Starts like a paragraph of its text: after a blank line a young model has little to say.
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
    add_attention(page, model().attention(text), shown(text),
                  "The first tokens of the validation text. Each row is a token that looks at "
                  "itself and earlier ones, in the last layer, averaged over the heads.");
  }

  std::optional<Choice> choice() const override { return Choice{tokens_.size(), unit() + "s"}; }

  bool continues_text() const override { return true; }

  std::string example_input() const override { return opening_.word; }

 protected:
  // ---- data ----

  Text read(const std::string& path) override {
    if (start_) start_->check_unchanged(settings(), config_.block_size);
    if (path.empty()) return {embedded_text(), "tarsier's own source text"};
    return {read_text_file(path), "'" + path + "'"};
  }

  /// Characters are those of the whole text; words and byte pairs come from the training part.
  void learn(const Text& data) override {
    check_utf8(data.text, data.source);
    if (start_) {
      tokens_ = start_->tokens();
      return;
    }
    if (config_.lora.r > 0)
      usage_fail("train", "--set lora_rank=", config_.lora.r,
                 " needs --from FOLDER: adapters change a model that is trained already");
    tokens_ = TextTokens(
        tokenizer_.kind == "characters" ? data.text : training_and_validation(data.text).first,
        tokenizer_);
  }

  void use(Text data) override {
    check_utf8(data.text, data.source);
    source_ = data.source;
    fingerprint_ = Fingerprint().add(data.text).text();
    opening_ = opening_of(data.text);
    characters_ = count_characters(data.text);
    const auto [first, rest] = training_and_validation(data.text);
    std::vector<int32_t> train = tokens_.encode(first, source_);
    std::vector<int32_t> validation = tokens_.encode(rest, source_);

    // The training part must hold a window and the token after it, the other part two tokens: at
    // least 11.
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

  Json::Object known() const override { return {{"vocabulary", tokens_.to_json()}}; }
  void restore(const Json& data) override { tokens_ = TextTokens::from_json(data["vocabulary"]); }
  Json::Object mark() const override {
    return {{"fingerprint", fingerprint_}, {"characters", characters_}};
  }

  // ---- model and settings ----

  std::unique_ptr<Gpt> make_model(Generator& generator) override {
    config_.vocab_size = tokens_.size();
    config_.swiglu = mlp_ == "swiglu";
    if (mlp_ == "relu2") config_.activation = {squared_relu, mlp_};
    if (mlp_ == "gelu_tanh") config_.activation = "gelu_tanh";
    auto model = std::make_unique<Gpt>(config_, generator);
    if (start_) start_->load_into(*model);
    return model;
  }

  void add_settings(Settings& settings) override {
    settings.add("n_layer", config_.n_layer, "blocks", 1, 10'000);
    settings.add("n_head", config_.n_head, "attention heads; must divide n_embd");
    settings.add("n_embd", config_.n_embd, "width");
    settings.add("block_size", config_.block_size, "tokens that the model sees at once");
    settings.add("dropout", config_.dropout, "fraction of activations dropped in training", 0,
                 0.99);
    settings.add("bias", config_.bias, "biases in linear layers and norms");
    using enum nn::PositionKind;
    settings.add_choice(
        "position", config_.position, "how positions are encoded",
        {{"learned", learned}, {"sinusoidal", sinusoidal}, {"rotary", rotary}, {"alibi", alibi}});
    settings.add_choice("norm", config_.rms_norm, "layer norm or RMSNorm",
                        {{"layer", false}, {"rms", true}});
    settings.add("mlp", mlp_, "function inside the MLP", {"gelu", "gelu_tanh", "relu2", "swiglu"});
    settings.add("norm_eps", config_.layer_norm_eps, "added to variances in norms", 0, 1);
    settings.add("qk_norm", config_.qk_norm, "normalise queries and keys");
    settings.add("tied", config_.tied, "one matrix as embedding and output layer");
    settings.add("quiet_start", config_.quiet_start, "blocks start by adding next to nothing");
    settings.add_choice("checkpoint", config_.checkpoint,
                        "what backward computes again, to need less memory",
                        {{"none", false}, {"blocks", true}});
    settings.add("lora_rank", config_.lora.r, "rank of adapters (LoRA), trained alone; 0: none", 0,
                 10'000);
    settings.add("lora_alpha", config_.lora.lora_alpha,
                 "adapters are multiplied by lora_alpha / lora_rank");
    settings.add("lora_dropout", config_.lora.lora_dropout,
                 "fraction of the adapters' inputs dropped", 0, 0.99);
    settings.add("lora_targets", config_.lora_targets, "maps with adapters: c_attn, c_proj, c_fc",
                 {});
    tokenizer_.add_to(settings);
  }

  void add_predict_options(Settings& options) override {
    options.add("tokens", tokens_to_write_, "tokens to write", 0, 1'000'000'000);
    sampling_.add_to(options, "text");
  }

  std::string model_facts() const override {
    return concat(counted(config_.n_layer, "layer"), ", ", counted(config_.n_head, "head"), ", ",
                  config_.n_embd, " wide, context ", config_.block_size,
                  config_.lora.r > 0
                      ? concat(", adapters of rank ", config_.lora.r, " for ", config_.lora_targets)
                      : "");
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
  /// Sizes and rates were found by experiment: the best that two cores reach in three minutes.
  void set_fast() {
    config_.n_head = 2;
    config_.block_size = 128;
    config_.tied = false;
    config_.qk_norm = true;
    config_.quiet_start = true;
    config_.position = nn::PositionKind::rotary;
    config_.rms_norm = true;
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
    generate(model(), tokens, count, sampling, [&](int32_t token) {
      out << tokens_.written(token, before) << std::flush;
      before = token;
      check(out.good(), "output", "cannot write to standard output");
    });
    out << std::endl;
  }

  /// Each token as people see it.
  std::vector<std::string> shown(const Tensor& tokens) const {
    std::vector<std::string> labels;
    for (const int64_t id : tokens.to_vector<int64_t>())
      labels.push_back(visible(tokens_.show(static_cast<int32_t>(id))));
    return labels;
  }

  /// What a token is called: "character", "word" or "token".
  std::string unit() const {
    if (tokens_.are_characters()) return "character";
    return tokenizer_.kind == "words" ? "word" : "token";
  }

  Config config_;
  std::string source_;
  std::string fingerprint_;
  Opening opening_;  // how paragraphs of the text begin
  std::string mlp_ = "gelu";
  TokenizerOptions tokenizer_{.kind = "characters", .lower = false};
  TextTokens tokens_;
  int64_t characters_ = 0;            // of the text
  int64_t predicted_characters_ = 0;  // of the validation split: all but those of its first token
  TokenWindows train_, validation_;
  std::optional<Start> start_;
  SamplingOptions sampling_;
  int64_t tokens_to_write_ = 500;
};

}  // namespace

std::vector<ModelEntry> models() {
  const std::string text = "tarsier's own source text, or --data FILE: any text in UTF-8";
  return {
      {"gpt", "gpt", "cpu", "to write text, character by character", text,
       "loss 1.90 on tiny Shakespeare", "under a minute on two cores",
       make_task_of<GptTask, Preset::cpu>},
      {"gpt-fast", "gpt", "fast",
       "the same with later improvements: the lowest loss in three minutes", text,
       "loss 1.48 on tiny Shakespeare", "three minutes on two cores",
       make_task_of<GptTask, Preset::fast>},
      {"gpt-baby", "gpt", "baby", "the same, with 13 times the weights and 4 times the context",
       text, "loss 1.47 on tiny Shakespeare (nanoGPT's figure)", "hours on two cores",
       make_task_of<GptTask, Preset::baby>},
  };
}

}  // namespace tarsier::zoo::gpt
