#pragma once
// Task: a model together with its recipe, as the training loop and the commands see it.
//
// The order of calls:  settings() → set what --set says → load_data() → build() → training.
// To use a trained model:  settings() from config.json → restore_data() → build() → load the
// weights → predict(), or load_data() and evaluate().

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "../../nn/nn.h"
#include "../metrics/metric.h"
#include "batch.h"
#include "recipe.h"
#include "settings.h"

namespace tarsier::zoo {

class Page;

/// What `tarsier predict` was asked for. Undefined where the model's default is to be taken.
struct PredictOptions {
  std::optional<int64_t> tokens;
  std::optional<double> temperature;
  std::optional<int64_t> top_k;
  std::optional<double> top_p;
  uint64_t seed = 0;
  /// Where remarks on an input go, such as that its end is not read; null: nowhere.
  std::ostream* notes = nullptr;
};

/// What a loss chooses among: 97 "characters". Who guesses has loss ln(count).
struct Choice {
  int64_t count;
  std::string of;
};

/// Rows of "what: facts" that training shows before it begins.
using Facts = std::vector<std::pair<std::string, std::string>>;

class Task {
 public:
  virtual ~Task() = default;

  Recipe recipe;

  /// Everything that --set reaches: the recipe's settings and the model's own.
  Settings settings();
  /// "gpt": the model's name in the list and in config.json.
  virtual std::string name() const = 0;
  /// What one training step counts in: "tokens", "images".
  virtual std::string items() const = 0;

  // ---- data ----

  /// Reads the data set at `path`, or the embedded one where it is "". Throws Error("data").
  virtual void load_data(const std::string& path) = 0;
  /// What the model must keep of its data to be used without them (a vocabulary), and what tells
  /// these data from others.
  virtual Json describe_data() const = 0;
  /// Takes what describe_data() gave. Throws Error("config").
  virtual void restore_data(const Json& data) = 0;

  // ---- model ----

  /// Makes the model, initialised from `seed`. Throws Error where the settings do not fit together.
  virtual void build(uint64_t seed) = 0;
  /// The model. Only after build().
  virtual nn::Module& model() = 0;
  /// What is trained on what, and how: for the person who waits. Only after build().
  Facts facts();

  // ---- training ----

  /// The examples of the training data, of which recipe.batch_size make a batch. Only after
  /// load_data().
  virtual int64_t training_examples() const = 0;
  /// The examples of the largest batch. Only after load_data().
  virtual int64_t largest_batch() const { return std::min(recipe.batch_size, training_examples()); }
  /// The batches of one pass over them; the last may be smaller.
  int64_t batches_per_epoch() const;
  /// Batch `number` (from 1): a function of the data, the seed and the number alone, which is what
  /// makes resuming exact. Called on another thread than the rest, for it reads ahead; on one
  /// thread at a time.
  virtual Batch batch(int64_t number, uint64_t seed) = 0;
  /// The mean loss of a batch, recorded: over batch.weight targets.
  virtual Tensor loss(const Batch& batch) = 0;
  /// How good the model is on the validation split. Cheap enough to be asked now and then. Where
  /// the first metric is the same for two models, the one named "val_loss" decides.
  virtual Metrics validate() = 0;
  /// What `tarsier eval` prints: on the test split where there is one.
  virtual Metrics evaluate() { return validate(); }
  /// Which weights Muon trains, where the recipe asks for it: matrices between two layers. By
  /// default all that lie in the blocks of a list ("layers.0.linear1.weight").
  virtual std::vector<std::string> muon_parameters();

  /// The steps of the whole run. Only after load_data().
  int64_t steps() const;
  /// The steps between two validations. Only after load_data().
  int64_t eval_every() const;

  // ---- use ----

  /// Does what the model was trained for with each input, and writes it to `out` as it comes. Where
  /// each input gets a line, a blank one gets a blank line: there is nothing to say of nothing.
  virtual void predict(const std::vector<std::string>& inputs, const PredictOptions& options,
                       std::ostream& out) = 0;
  /// Whether predict() goes on with a text, by chance: then all of standard input is one text, and
  /// PredictOptions count. Else every line of it is an input.
  virtual bool continues_text() const { return false; }
  /// A prediction worth showing after training.
  virtual void show_sample(std::ostream& out) = 0;
  /// Adds what only this model can show to the page of a run (report/page.h): predictions beside
  /// the truth, where it looks. The data are loaded, and the trained model is in eval().
  virtual void report(Page&) {}
  /// What the loss chooses among; none where it is no choice. Only after load_data().
  virtual std::optional<Choice> choice() const { return {}; }
  /// An input for the suggested `tarsier predict` command.
  virtual std::string example_input() const = 0;

 protected:
  /// Adds the model's own settings.
  virtual void add_settings(Settings& settings) = 0;
  /// For facts(): the model's sizes ("4 layers, 128 wide"), to which the number of its parameters
  /// is added; what it learns from; and what a batch is ("64 images").
  virtual std::string model_facts() const = 0;
  virtual std::string data_facts() const = 0;
  virtual std::string batch_facts() const = 0;
  /// What of its data the model does not see (data/cut.h); "" where it sees all.
  virtual std::string cut_facts() const { return ""; }
};

}  // namespace tarsier::zoo
