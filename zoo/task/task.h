#pragma once
// Task: a model together with its recipe, as the training loop and the commands see it.
//
// To train:              settings() → what --set says → load_data() → build() → training.
// To use what is kept:   settings() of config.json → restore_data() → build() → load the weights
//                        → predict(), or load_data() and evaluate().
//
// A task knows its data in two ways. What the model must know to be used without them (a
// vocabulary, the names of classes, the size of an image) is learned once, from the first data, or
// taken from restore_data(). Whatever is loaded later is read in these terms. load_data() sees to
// the order and to the rule, so that a task cannot break them.
//
// A new task derives from TaskOf<Model, Data> and says how it reads its data, makes its model,
// makes a batch, and measures loss and metrics. All else has a default.

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

namespace tarsier::zoo {

class Page;

/// What a loss chooses among: 97 "characters". Who guesses has loss ln(count).
struct Choice {
  int64_t count;
  std::string of;
};

/// Rows of "what: facts" that training shows before it begins.
using Facts = std::vector<std::pair<std::string, std::string>>;

/// How one file is split does not depend on the run's seed: runs can be compared.
constexpr RandomKey kSplitKey{2021, 0};
/// Which stream of random numbers draws the batches; the steps' dropout masks have their own
/// generator, and a task takes others for what else it draws.
constexpr uint64_t kBatchStream = uint64_t{1} << 63;

class Task {
 public:
  /// `name` is the model's name in the list and in config.json: "gpt".
  explicit Task(std::string name) : name_(std::move(name)) {}
  virtual ~Task() = default;

  Recipe recipe;

  const std::string& name() const { return name_; }
  /// What one training step counts in: "tokens", "images".
  virtual std::string items() const { return "examples"; }
  /// Everything that --set reaches: the recipe's settings, the model's own, and data_options().
  Settings settings();
  /// What load_data() can be told of what is where in the data: "--source LANG" of `tarsier train`.
  Settings data_options();
  /// What `tarsier predict` can be told: "--top-k K" is the option "top-k".
  Settings predict_options();

  // ---- data ----

  /// Reads the data set at `path`, or the embedded one where it is "". What the model must know of
  /// its data is learned the first time, unless restore_data() gave it. May be called again, for
  /// other data. Throws Error("data"); also where data do not fit what is known.
  void load_data(const std::string& path);
  /// What the model must keep of its data to be used without them, and what tells these data from
  /// others. Throws Error("task") before load_data() and restore_data().
  Json describe_data() const;
  /// Takes what describe_data() gave. Throws Error where it is something else, and Error("task")
  /// after load_data(): the batches would be of other data.
  void restore_data(const Json& data);

  // ---- model ----

  /// Makes the model, initialised from `seed`; again where there is one. Throws Error where the
  /// settings do not fit together, and Error("task") before load_data() and restore_data().
  void build(uint64_t seed);
  /// The model. Throws Error("task") before build().
  nn::Module& model();
  /// What is trained on what, and how: for the person who waits. Only after build().
  Facts facts();

  // ---- training ----

  /// The examples of the training data, of which recipe.batch_size make a batch; 0 before
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

  /// Does what the model was trained for with each input, and writes it to `out` as it comes; by
  /// default a line with answer(), and a blank one for a blank input: there is nothing to say of
  /// nothing. Remarks on an input go to `notes`, if given. predict_options() count.
  virtual void predict(const std::vector<std::string>& inputs, std::ostream& out,
                       std::ostream* notes = nullptr);
  /// Whether predict() goes on with a text: then all of standard input is one text. Else every line
  /// of it is an input.
  virtual bool continues_text() const { return false; }
  /// A prediction worth showing after training; by default the answer to example_input().
  virtual void show_sample(std::ostream& out);
  /// Adds what only this model can show to the page of a run (report/page.h): predictions and the
  /// truth, where it looks. The data are loaded, and the trained model is in eval().
  virtual void report(Page&) {}
  /// What the loss chooses among; none where it is no choice. Only after load_data().
  virtual std::optional<Choice> choice() const { return {}; }
  /// An input for the suggested `tarsier predict` command.
  virtual std::string example_input() const { return ""; }

 protected:
  /// Adds the settings that load_data() depends on, such as the names of columns.
  virtual void add_data_settings(Settings&) {}
  /// Adds the model's own settings.
  virtual void add_settings(Settings&) {}
  /// Adds what predict() can be told.
  virtual void add_predict_options(Settings&) {}

  /// What the model must know of its data; the members of describe_data() that restore() reads.
  virtual Json::Object known() const { return {}; }
  /// Takes known().
  virtual void restore(const Json&) {}
  /// What else of describe_data() tells these data from others.
  virtual Json::Object mark() const { return {{"examples", training_examples()}}; }

  /// What predict() says of one input, which is not blank. Under NoGrad. By default an error: the
  /// model has nothing to say.
  virtual std::string answer(const std::string& input);
  /// Writes remarks on an input, such as that its end is not read.
  virtual void note(const std::string&, std::ostream&) const {}

  /// For facts(): the model's sizes ("4 layers, 128 wide"), to which the number of its parameters
  /// is added; what it learns from; and what a batch is ("64 images").
  virtual std::string model_facts() const { return ""; }
  virtual std::string data_facts() const;
  virtual std::string batch_facts() const;
  /// What of its data the model does not see (data/cut.h); "" where it sees all.
  virtual std::string cut_facts() const { return ""; }

  /// The examples of batch `number`, each once in an epoch: for batch(). By default shuffled.
  std::vector<int64_t> drawn(int64_t number, uint64_t seed);
  /// Draws the batches. For texts of different lengths one that puts similar ones together.
  virtual BatchSampler sampler(RandomKey key) const;

 private:
  /// What TaskOf makes of read(), learn() and use().
  virtual void load(const std::string& path, bool learns) = 0;
  virtual std::unique_ptr<nn::Module> made(Generator& generator) = 0;
  /// Throws Error("task") that says what must come first.
  void require(bool met, const char* call, const char* first) const;

  const std::string name_;
  bool knows_ = false;   // what known() says
  bool loaded_ = false;  // data
  std::unique_ptr<nn::Module> model_;
  std::optional<BatchSampler> sampler_;
  uint64_t sampler_seed_ = 0;
};

/// A task with a model of type Model that learns from data of type Data, as they stand in files.
template <class Model, class Data>
class TaskOf : public Task {
 public:
  using Task::Task;
  /// The model. Throws Error("task") before build().
  Model& model() { return static_cast<Model&>(Task::model()); }

 protected:
  /// Reads the data at `path`, or those of the model's own where it is "". Throws Error("data").
  virtual Data read(const std::string& path) = 0;
  /// Takes from the data what known() says: the only place that changes it, next to restore().
  virtual void learn(const Data&) {}
  /// Keeps the data, in terms of what is known, for batches and metrics. Throws Error("data") where
  /// they do not fit it.
  virtual void use(Data data) = 0;
  /// A new model with numbers from `generator`, for what is known.
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
