#pragma once
// Task: a model with its recipe, as the training loop and the commands see it.
//
// To train:              settings() → what --set says → load_data() → build() → training.
// To use a saved model:  settings() of config.json → restore_data() → build() → load the weights
//                        → predict(), or load_data() and evaluate().
//
// A task knows its data in two ways. What the model must know to be used without them (a
// vocabulary, the names of classes, the size of an image) is learned once, from the first data, or
// taken from restore_data(). All data loaded later are read in these terms. load_data() enforces
// the order and this rule, so that a task cannot break them.
//
// A new task derives from TaskOf<Model, Data> and defines how it reads its data, makes its model
// and its batches, and measures loss and metrics. Everything else has a default.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "../../autograd/io/json.h"
#include "../../nn/nn.h"
#include "../data/sampler.h"
#include "../metrics/metric.h"
#include "batch.h"
#include "recipe.h"
#include "settings.h"
#include "study_input.h"

namespace tarsier::zoo {

class Page;

/// What a loss chooses among: 97 "characters". Guessing has the loss ln(count).
struct Choice {
  int64_t count;
  std::string of;
};

/// Rows of "what: facts" that training prints before it starts.
using Facts = std::vector<std::pair<std::string, std::string>>;

/// The split of one file does not depend on the run's seed, so that runs can be compared.
constexpr RandomKey kSplitKey{2021, 0};
/// The stream of random numbers that draws the batches. The dropout masks of the steps have their
/// own generator; a task uses other streams for what else it draws.
constexpr uint64_t kBatchStream = uint64_t{1} << 63;

class Task {
 public:
  /// `name` is the model's name in the list and in config.json: "gpt".
  explicit Task(std::string name) : name_(std::move(name)) {}
  virtual ~Task() = default;

  Recipe recipe;

  const std::string& name() const { return name_; }
  /// The unit of a training step: "tokens", "images".
  virtual std::string items() const { return "examples"; }
  /// Everything that --set can change: the recipe's settings, the model's own, and data_options().
  Settings settings();
  /// The options that describe the data, for load_data(): "--source LANG" of `tarsier train`.
  Settings data_options();
  /// The task's options of `tarsier predict`: "--top-k K" is the option "top-k".
  Settings predict_options();
  /// The task's options of `tarsier eval`.
  Settings eval_options();

  /// Takes tokens, sizes and weights from the run in `folder`, of another model: for --from of
  /// `tarsier train`, before anything else. settings() may not contradict them afterwards. By
  /// default UsageError: the model has nothing to take.
  virtual void start_from(const std::string& folder);

  // ---- data ----

  /// Reads the data set at `path`, or the built-in one for "". What the model must know of its data
  /// is learned the first time, unless restore_data() gave it. May be called again, for other data.
  /// Throws Error("data"), also if the data do not fit what is known.
  void load_data(const std::string& path);
  /// What the model must keep of its data to be used without them, and what identifies these data.
  /// Throws Error("task") before load_data() and restore_data().
  Json describe_data() const;
  /// The names of what the two models know differently of their data ("vocabulary"), comma between;
  /// "" if a batch of the one means the same to the other. Throws Error("task") before
  /// load_data() and restore_data().
  std::string knowledge_unlike(const Task& other) const;
  /// Takes what describe_data() gave. Throws Error for anything else, and Error("task")
  /// after load_data(), whose batches would not match.
  void restore_data(const Json& data);

  // ---- model ----

  /// Makes the model, initialised from `seed`, replacing an earlier one. Throws Error if the
  /// settings do not fit together, and Error("task") before load_data() and restore_data().
  void build(uint64_t seed);
  /// The model. Throws Error("task") before build().
  nn::Module& model();
  /// Model, data and recipe in short, to print before training. Only after build().
  Facts facts();

  // ---- training ----

  /// The number of training examples, of which recipe.batch_size make a batch; 0 before
  /// load_data().
  virtual int64_t training_examples() const = 0;
  /// The number of examples in the largest batch. Only after load_data().
  virtual int64_t largest_batch() const { return std::min(recipe.batch_size, training_examples()); }
  /// The number of batches in one pass over them; the last may be smaller.
  int64_t batches_per_epoch() const;
  /// Batch `number` (from 1): depends only on the data, the seed and the number, which makes
  /// resuming exact. Called on another thread than the rest, because it reads ahead; on one thread
  /// at a time.
  virtual Batch batch(int64_t number, uint64_t seed) = 0;
  /// The mean loss of a batch, recorded: over batch.weight targets.
  virtual Tensor loss(const Batch& batch) = 0;
  /// The step after whose backward the trainer warns of weights without a gradient. Later than the
  /// first for a model of which parts wait for others, which start at zero, to learn.
  virtual int64_t checked_step() const { return 1; }
  /// Called after each step of the optimiser, before the weights are averaged: for weights that must
  /// stay within bounds.
  virtual void after_step() {}
  /// Measures the model on the validation split. Fast enough to be called now and then. If the
  /// first metric is equal for two models, the one named "val_loss" decides.
  virtual Metrics validate() = 0;
  /// The metrics that `tarsier eval` prints: on the test split, if there is one.
  virtual Metrics evaluate() { return validate(); }
  /// A small batch for `tarsier study`: one training example, texts cut to `length` tokens, and
  /// names for what is in it. By default the first example that training would see, without names.
  virtual StudyInput study_input(int64_t length, uint64_t seed);
  /// The weights that Muon trains if the recipe asks for it: matrices between two layers. By
  /// default all that lie in the blocks of a list ("layers.0.linear1.weight").
  virtual std::vector<std::string> muon_parameters();

  /// The number of steps of the whole run. Only after load_data().
  int64_t steps() const;
  /// The number of steps between two validations. Only after load_data().
  int64_t eval_every() const;

  // ---- use ----

  /// Does what the model was trained for with each input, and writes it to `out` as it comes; by
  /// default a line with answer(), and a blank line for a blank input. Remarks on an input go to
  /// `notes`, if given. The values of predict_options() apply.
  virtual void predict(const std::vector<std::string>& inputs, std::ostream& out,
                       std::ostream* notes = nullptr);
  /// Whether predict() continues a text: then all of standard input is one text. Otherwise every
  /// line of it is an input.
  virtual bool continues_text() const { return false; }
  /// A prediction worth showing after training; by default the answer to example_input().
  virtual void show_sample(std::ostream& out);
  /// Adds what only this model can show to the page of a run (report/page.h): predictions next to
  /// the truth, attention. The data are loaded, and the trained model is in eval().
  virtual void report(Page&) {}
  /// What the loss chooses among; empty if the loss is not of a choice. Only after load_data().
  virtual std::optional<Choice> choice() const { return {}; }
  /// An input for the suggested `tarsier predict` command.
  virtual std::string example_input() const { return ""; }

 protected:
  /// Adds the settings that load_data() depends on, such as the names of columns.
  virtual void add_data_settings(Settings&) {}
  /// Adds the model's own settings.
  virtual void add_settings(Settings&) {}
  /// Adds the options of predict().
  virtual void add_predict_options(Settings&) {}
  /// Adds the options of evaluate().
  virtual void add_eval_options(Settings&) {}

  /// What the model must know of its data; the members of describe_data() that restore() reads.
  virtual Json::Object known() const { return {}; }
  /// Takes known().
  virtual void restore(const Json&) {}
  /// The other members of describe_data(), which tell these data from others.
  virtual Json::Object mark() const { return {{"examples", training_examples()}}; }

  /// The answer of predict() to one input, which is not blank. Under NoGrad. By default an error:
  /// the model has no answers.
  virtual std::string answer(const std::string& input);
  /// Writes remarks on an input, for example that it is too long to be read to the end.
  virtual void note(const std::string&, std::ostream&) const {}

  /// For facts(): the sizes of the model ("4 layers, 128 wide"; the number of parameters is added),
  /// what it learns from, and what a batch is ("64 images").
  virtual std::string model_facts() const { return ""; }
  virtual std::string data_facts() const;
  virtual std::string batch_facts() const;
  /// The part of its data that the model does not see (data/cut.h); "" if it sees all.
  virtual std::string cut_facts() const { return ""; }

  /// The first example of the first batch.
  int64_t first_drawn(uint64_t seed) { return drawn(1, seed).front(); }
  /// The examples of batch `number`, each once per epoch, for batch(). Shuffled by default.
  std::vector<int64_t> drawn(int64_t number, uint64_t seed);
  /// Draws the batches. For texts of different lengths, override it to group similar ones.
  virtual BatchSampler sampler(RandomKey key) const;

 private:
  /// read(), learn() if `learns`, then use(): TaskOf defines it.
  virtual void load(const std::string& path, bool learns) = 0;
  virtual std::unique_ptr<nn::Module> made(Generator& generator) = 0;
  /// Throws Error("task") that says what to call first, unless `met`.
  void require(bool met, const char* call, const char* first) const;

  const std::string name_;
  bool knows_ = false;   // known() is set
  bool loaded_ = false;  // data
  std::unique_ptr<nn::Module> model_;
  std::optional<BatchSampler> sampler_;
  uint64_t sampler_seed_ = 0;
};

/// A task with a model of type Model, which learns from data of type Data as read from files.
template <class Model, class Data>
class TaskOf : public Task {
 public:
  using Task::Task;
  /// The model. Throws Error("task") before build().
  Model& model() { return static_cast<Model&>(Task::model()); }

 protected:
  /// Reads the data at `path`, or the built-in data for "". Throws Error("data").
  virtual Data read(const std::string& path) = 0;
  /// Learns from the data what known() returns. Only this and restore() may change it.
  virtual void learn(const Data&) {}
  /// Stores the data, in terms of what is known, for batches and metrics. Throws Error("data") if
  /// they do not fit.
  virtual void use(Data data) = 0;
  /// A new model for what is known, with random numbers from `generator`.
  virtual std::unique_ptr<Model> make_model(Generator& generator) = 0;

 private:
  void load(const std::string& path, bool learns) final {
    Data data = read(path);
    if (learns) learn(data);
    use(std::move(data));
  }
  std::unique_ptr<nn::Module> made(Generator& generator) final { return make_model(generator); }
};

}  // namespace tarsier::zoo
