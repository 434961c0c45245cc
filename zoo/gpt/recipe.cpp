#include "zoo/gpt/recipe.h"

#include <unistd.h>

#include <algorithm>

#include "zoo/data/batches.h"
#include "zoo/data/embedded.h"
#include "zoo/data/text.h"
#include "zoo/format.h"
#include "zoo/gpt/generate.h"
#include "zoo/gpt/gpt.h"

namespace tarsier::zoo {

namespace {

/// Which stream of random numbers serves what; the steps' dropout masks have their own generator.
constexpr uint64_t kBatchStream = uint64_t{1} << 63;

class GptTask : public Task {
 public:
  explicit GptTask(GptPreset preset) : preset_(preset) {
    if (preset == GptPreset::cpu) return;  // the defaults
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

  std::string name() const override { return preset_ == GptPreset::cpu ? "gpt" : "gpt-baby"; }
  std::string items() const override { return "tokens"; }

  // ---- data ----

  void load_data(const std::string& path) override {
    source_ = path.empty() ? "tarsier's own source text" : "'" + path + "'";
    // A long text is not kept in more forms at once than it must be.
    std::string text = path.empty() ? embedded_text() : read_text_file(path);
    fingerprint_ = fingerprint(text);
    std::vector<char32_t> characters = decode_utf8(text, source_);
    text = {};
    if (vocabulary_.size() == 0) vocabulary_ = CharVocabulary(characters);
    std::vector<int32_t> tokens = vocabulary_.encode(characters, source_);
    characters = {};

    const auto size = static_cast<int64_t>(tokens.size());
    const int64_t split = size * 9 / 10;
    // A window and the character after it must fit into the training part, two characters into the
    // other: 11 characters at the least.
    const int64_t needed = std::max(((config_.block_size + 1) * 10 + 8) / 9, int64_t{11});
    check(size >= needed, "data", source_, " has ", counted(size, "character"),
          ", too few for windows of block_size ", config_.block_size, ": it needs ",
          with_commas(needed), ". Give a longer text",
          size >= 11 ? concat(", or train with --set block_size=", split - 1) : "");
    validation_ = TokenWindows({tokens.begin() + split, tokens.end()});
    tokens.resize(static_cast<size_t>(split));
    train_ = TokenWindows(std::move(tokens));
  }

  nn::Json describe_data() const override {
    return nn::Json::Object{
        {"fingerprint", fingerprint_},
        {"characters", train_.size() + validation_.size()},
        {"vocabulary", vocabulary_.characters()},
    };
  }

  void restore_data(const nn::Json& data) override {
    vocabulary_ = CharVocabulary::from_characters(data["vocabulary"].as_string());
  }

  // ---- model ----

  void build(uint64_t seed) override {
    config_.vocab_size = vocabulary_.size();
    check_memory();
    Generator generator(seed);
    model_ = std::make_unique<Gpt>(config_, generator);
  }

  nn::Module& model() override { return *model_; }

  Facts facts() const override {
    return {
        {"model", concat(counted(config_.n_layer, "layer"), ", ", counted(config_.n_head, "head"),
                         ", ", config_.n_embd, " wide, context ", config_.block_size, ": ",
                         with_commas(model_->num_parameters()), " parameters")},
        {"data", concat(source_, ": ", with_commas(train_.size()), " characters to train on, ",
                        with_commas(validation_.size()), " to validate, ", vocabulary_.size(),
                        " different")},
        {"recipe", concat(with_commas(steps()), " steps of ", recipe.batch_size, " × ",
                          config_.block_size, " characters, learning rate ", recipe.learning_rate,
                          " → ", recipe.min_learning_rate)},
    };
  }

  // ---- training ----

  int64_t batches_per_epoch() const override {
    return std::max<int64_t>(1, train_.size() / (recipe.batch_size * config_.block_size));
  }

  Batch batch(int64_t number, uint64_t seed) override {
    const TokenBatch windows =
        train_.training_batch({seed, kBatchStream}, number, recipe.batch_size, config_.block_size);
    return {{{"inputs", windows.inputs}, {"targets", windows.targets}}, windows.inputs.numel()};
  }

  Tensor loss(const Batch& batch) override {
    return model_->loss(batch["inputs"], batch["targets"]);
  }

  /// Windows side by side over the whole split, each character but the first predicted once. The
  /// last window is shorter.
  Metrics validate() override {
    NoGrad no_grad;
    const int64_t T = config_.block_size, predictions = validation_.size() - 1;
    double sum = 0;
    const auto add = [&](const std::vector<int64_t>& starts, int64_t length) {
      if (starts.empty() || length == 0) return;
      const TokenBatch batch = validation_.at(starts, length);
      sum += model_->loss(batch.inputs, batch.targets).item() *
             static_cast<double>(batch.targets.numel());
    };
    std::vector<int64_t> starts;
    const auto batch_size = static_cast<size_t>(std::max<int64_t>(1, 2048 / T));
    for (int64_t start = 0; start + T <= predictions; start += T) {
      starts.push_back(start);
      if (starts.size() < batch_size) continue;
      add(starts, T);
      starts.clear();
    }
    add(starts, T);
    add({predictions / T * T}, predictions % T);
    return {{.name = "val_loss", .value = sum / static_cast<double>(predictions)}};
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

  void show_sample(std::ostream& out) override { write("", 300, Sampling(), out); }

  std::string example_input() const override {
    for (const std::string example : {"ROMEO:", "The "}) {
      const std::vector<char32_t> characters = decode_utf8(example, "the example");
      if (std::all_of(characters.begin(), characters.end(),
                      [&](char32_t c) { return vocabulary_.contains(c); }))
        return example;
    }
    return encode_utf8(vocabulary_[vocabulary_.size() / 2]);
  }

 protected:
  void add_settings(Settings& settings) override {
    settings.add("n_layer", config_.n_layer, "blocks", 1, 10'000);
    settings.add("n_head", config_.n_head, "attention heads; must divide n_embd");
    settings.add("n_embd", config_.n_embd, "width");
    settings.add("block_size", config_.block_size, "characters that the model sees at once");
    settings.add("dropout", config_.dropout, "share of activations dropped in training", 0, 0.99);
    settings.add("bias", config_.bias, "biases in linear layers and norms");
  }

 private:
  /// A model that cannot fit is refused at once: making it would fill the memory of the machine
  /// first, for minutes.
  void check_memory() const {
    const auto width = static_cast<double>(config_.n_embd);
    const double weights = 12 * static_cast<double>(config_.n_layer) * width * width +
                           static_cast<double>(config_.vocab_size + config_.block_size) * width;
    const double have =
        static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
    const double needed = weights * sizeof(float);
    check(needed <= have, "memory", "the weights alone take ", fixed(needed / 1e9, 1),
          " GB, and this machine has ", fixed(have / 1e9, 1),
          " GB: use a smaller model (--set n_layer, n_embd)");
  }

  void write(const std::string& prompt, int64_t count, const Sampling& sampling,
             std::ostream& out) {
    std::vector<int32_t> tokens =
        vocabulary_.encode(decode_utf8(prompt, "the prompt"), "the prompt");
    if (tokens.empty()) tokens.push_back(blank());
    out << prompt << std::flush;
    generate(*model_, tokens, count, sampling, [&](int32_t index) {
      out << encode_utf8(vocabulary_[index]) << std::flush;
      check(out.good(), "output", "cannot write any more");
    });
    out << std::endl;
  }

  /// What to begin with where there is no prompt: a new line, or else the first character.
  int32_t blank() const {
    for (int64_t i = 0; i < vocabulary_.size(); ++i)
      if (vocabulary_[i] == U'\n') return static_cast<int32_t>(i);
    return 0;
  }

  GptPreset preset_;
  GptConfig config_;
  std::string source_;
  std::string fingerprint_;
  CharVocabulary vocabulary_;
  TokenWindows train_, validation_;
  std::unique_ptr<Gpt> model_;
};

}  // namespace

std::unique_ptr<Task> make_gpt_task(GptPreset preset) { return std::make_unique<GptTask>(preset); }

}  // namespace tarsier::zoo
