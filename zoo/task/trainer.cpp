#include "zoo/task/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

#include "zoo/base/format.h"
#include "zoo/base/machine.h"
#include "zoo/data/prefetch.h"
#include "zoo/task/samples.h"

namespace tarsier::zoo {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr int64_t kLayerReports = 100;  // of a run, at most, and one of its last step

/// By layer, in the order of the model.
std::vector<LayerNorms> layer_norms(const nn::Module& model) {
  const NoGrad guard;
  std::vector<LayerNorms> all;
  for (const auto& [name, parameter] : model.named_parameters()) {
    const size_t dot = name.rfind('.');
    const std::string layer = dot == name.npos ? name : name.substr(0, dot);
    if (all.empty() || all.back().layer != layer) all.push_back({.layer = layer});
    // Norms of parts join like sides of a right angle.
    const auto add = [](double& total, const Tensor& x) {
      if (x.defined()) total = std::hypot(total, norm(x).item());
    };
    add(all.back().weights, parameter);
    add(all.back().gradient, parameter.grad());
  }
  return all;
}

/// One training run, from the first step, or the next one if resumed, to the last.
class Run {
 public:
  Run(Task& task, const RunFolder& folder, const TrainOptions& options, TrainObserver& observer)
      : task_(task),
        folder_(folder),
        options_(options),
        observer_(observer),
        steps_(task.steps()),
        optimizers_(task.recipe, task.model(), task.muon_parameters()),
        average_(task.model().named_parameters(), task.recipe.ema_decay),
        parameters_(task.model().parameters()) {}

  TrainOutcome train() {
    if (options_.resume) {
      resume();
    } else {
      save();
    }
    if (!MetricsLog::rewind(folder_, step_, options_.interrupted))
      return {.step = step_, .interrupted = true};
    metrics_.emplace(folder_);
    const int64_t first = step_, parts = task_.recipe.accumulate;
    batches_.emplace([this](int64_t number) { return task_.batch(number, options_.seed); },
                     first * parts + 1, steps_ * parts);
    start_ = Clock::now();
    while (step_ < steps_ && !out_of_patience()) {
      StepReport report = train_step();
      if (is_validated()) report.metrics = validate();
      report.seconds = seconds_before_ + seconds_since(start_);
      report.seconds_left = seconds_since(start_) / static_cast<double>(step_ - first) *
                            static_cast<double>(steps_ - step_);
      with_advice([&] { metrics_->write(report, task_.items()); });
      observer_.on_step(report);
      const bool last = step_ == steps_ || out_of_patience();
      const bool stop = !last && options_.interrupted();
      if (last || stop || step_ % task_.recipe.checkpoint_every == 0) save();
      if (stop) return {.step = step_, .interrupted = true};
    }
    return finish();
  }

 private:
  StepReport train_step() {
    const auto start = Clock::now();
    ++step_;
    // Dropout draws from here; the state depends only on the seed and the step.
    default_generator().set_state({options_.seed, static_cast<uint64_t>(step_) << 24});
    StepReport report{.step = step_, .steps = steps_};
    report.learning_rate = task_.recipe.learning_rate_of(step_, steps_);
    optimizers_.set_lr(report.learning_rate);
    optimizers_.zero_grad();
    int64_t items = 0;
    // A mean of means would let a token of a short batch count more than one of a long batch. So
    // each batch's mean is weighted by its share of the step's targets.
    std::vector<Batch> parts;
    report.weight = 0;
    for (int64_t part = 1; part <= task_.recipe.accumulate; ++part) {
      parts.push_back(batches_->next());
      report.weight += parts.back().weight;
    }
    for (const Batch& batch : parts) {
      Tensor loss = task_.loss(batch);
      if (parts.size() > 1) loss = loss * (batch.weight / report.weight);
      report.train_loss += loss.item();
      check_finite("loss", report.train_loss, report.learning_rate);
      loss.backward();
      items += batch.items;
    }
    if (!gradients_checked_ && step_ >= task_.checked_step()) {
      gradients_checked_ = true;
      if (const auto report = nn::check_gradients(task_.model()); !report.empty())
        observer_.on_bad_gradients(report);
    }
    if (step_ % ((steps_ - 1) / kLayerReports + 1) == 0 || may_be_last())
      report.layers = layer_norms(task_.model());
    const double max_norm = task_.recipe.clip_norm > 0 ? task_.recipe.clip_norm : INFINITY;
    report.grad_norm = optim::clip_grad_norm_(parameters_, max_norm);
    check_finite("gradient's norm", report.grad_norm, report.learning_rate);
    optimizers_.step();
    task_.after_step();
    average_.update();
    // A clock may not advance during a short step.
    report.items_per_second = static_cast<double>(items) / std::max(seconds_since(start), 1e-9);
    return report;
  }

  bool is_validated() const { return step_ == steps_ || step_ % task_.eval_every() == 0; }

  /// Whether this step, whose validation is still to come, can be the last one.
  bool may_be_last() const {
    return step_ == steps_ || (task_.recipe.patience > 0 && is_validated() &&
                               without_gain_ + 1 >= task_.recipe.patience);
  }

  void check_finite(const std::string& what, double value, double learning_rate) const {
    if (std::isfinite(value)) return;
    fail("train", "the ", what, " became ", fixed(value, 4), " in step ", step_,
         ", at learning rate ", learning_rate,
         ": training diverged. Try a smaller --set learning_rate. The checkpoint"
         " of step ",
         *saved_step_, " is kept in ", folder_.path());
  }

  /// The first metric decides, and losses tell of divergence. The others may be infinite, like the
  /// perplexity of a loss of 710.
  void check_finite(const Metrics& metrics) const {
    for (const Metric& metric : metrics)
      if (metric.name == metrics.front().name || metric.name.ends_with("loss"))
        check_finite(metric.name, metric.value, task_.recipe.learning_rate_of(step_, steps_));
  }

  /// Validates the averaged weights, and keeps them if they are the best so far.
  Metrics validate() {
    observer_.on_validation(step_);
    average_.swap();
    task_.model().eval();
    Metrics metrics = task_.validate();
    task_.model().train();
    check_finite(metrics);
    const double value = metrics.front().value, loss = loss_of(metrics);
    if (best_step_ == 0 || metrics.front().better_than(best_value_) ||
        (value == best_value_ && loss < best_loss_)) {
      best_value_ = value;
      best_loss_ = loss;
      best_step_ = step_;
      without_gain_ = 0;
      best_ = copy_of(task_.model().state_dict());
    } else {
      ++without_gain_;
    }
    if (is_sampled(step_, steps_, task_.eval_every())) keep_sample();
    average_.swap();
    return metrics;
  }

  /// Of the weights that were just validated.
  void keep_sample() {
    task_.model().eval();
    TrainingSample sample = sample_of(task_, step_);
    task_.model().train();
    if (sample.text.empty()) return;
    samples_.push_back(std::move(sample));
    with_advice([&] { write_samples(folder_, samples_); });
  }

  bool out_of_patience() const {
    return task_.recipe.patience > 0 && without_gain_ >= task_.recipe.patience;
  }

  static TensorDict copy_of(const TensorDict& state) {
    TensorDict copy;
    for (const auto& [name, tensor] : state) copy.add(name, clone(tensor));
    return copy;
  }

  void save() {
    Checkpoint checkpoint;
    checkpoint.step = step_;
    checkpoint.seed = options_.seed;
    checkpoint.seconds = seconds_before_ + (step_ > 0 ? seconds_since(start_) : 0);
    checkpoint.model = task_.model().state_dict();
    checkpoint.optimizer = optimizers_.state_dict();
    checkpoint.average = average_.state_dict();
    checkpoint.best = best_;
    checkpoint.best_value = best_value_;
    checkpoint.best_loss = best_loss_;
    checkpoint.best_step = best_step_;
    checkpoint.without_gain = without_gain_;
    with_advice([&] {
      // In order of dependence. resume() handles what was not written any more: lines of later
      // steps are cut off, and weights come from the checkpoint.
      if (metrics_) metrics_->sync();
      folder_.save_checkpoint(checkpoint);
      saved_step_ = step_;
      folder_.save_weights(weights_for_use(), task_.name(), step_of_weights());
    });
  }

  /// The best weights so far; before the first validation, the current average.
  TensorDict weights_for_use() {
    if (best_step_ > 0) return best_;
    average_.swap();
    TensorDict weights = copy_of(task_.model().state_dict());
    average_.swap();
    return weights;
  }

  int64_t step_of_weights() const { return best_step_ > 0 ? best_step_ : step_; }

  /// Runs `write`, which writes into the folder. If it fails, says what is left and how to
  /// continue.
  template <class Write>
  void with_advice(const Write& write) const {
    try {
      write();
    } catch (const Error& error) {
      if (!saved_step_) throw;
      check(folder_.has_checkpoint(), "train", "saving failed after step ", step_, ": ",
            folder_.path(), " was removed or renamed while training");
      fail("train", "saving failed after step ", step_, ": ", error.what(),
           ". The checkpoint of step ", *saved_step_,
           " is intact: fix that, then continue with --resume ", folder_.path());
    }
  }

  void resume() {
    const Checkpoint checkpoint = folder_.load_checkpoint();
    try {
      task_.model().load_state_dict(checkpoint.model);
      optimizers_.load_state_dict(checkpoint.optimizer);
      average_.load_state_dict(checkpoint.average);
    } catch (const Error& error) {
      fail("run", folder_.path(),
           ": the checkpoint and config.json do not belong together: ", error.what());
    }
    step_ = checkpoint.step;
    saved_step_ = step_;
    seconds_before_ = checkpoint.seconds;
    best_ = checkpoint.best;
    best_value_ = checkpoint.best_value;
    best_loss_ = checkpoint.best_loss;
    best_step_ = checkpoint.best_step;
    without_gain_ = checkpoint.without_gain;
    samples_ = read_samples(folder_, step_);  // the run repeats the later ones
    // The process that wrote the checkpoint may have ended before it wrote the weights.
    if (const TensorDict weights = weights_for_use(); !folder_.holds_weights(weights)) {
      with_advice([&] { folder_.save_weights(weights, task_.name(), step_of_weights()); });
      observer_.on_weights_written_again();
    }
  }

  /// Leaves the model with the best weights, and measures them once more: a resumed run that had
  /// nothing left to do knows only their first metric.
  TrainOutcome finish() {
    batches_.reset();
    if (best_step_ == 0) {
      validate();
      save();  // the result
    }
    task_.model().load_state_dict(best_);
    task_.model().eval();
    return {.step = step_,
            .early = step_ < steps_,
            .best_step = best_step_,
            .metrics = task_.validate()};
  }

  Task& task_;
  const RunFolder& folder_;
  const TrainOptions& options_;
  TrainObserver& observer_;
  const int64_t steps_;
  Optimizers optimizers_;
  optim::ExponentialMovingAverage average_;
  std::vector<Tensor> parameters_;
  std::optional<Prefetch<Batch>> batches_;
  std::optional<MetricsLog> metrics_;
  int64_t step_ = 0;                   // done
  std::optional<int64_t> saved_step_;  // in the checkpoint, where there is one
  TensorDict best_;                    // weights
  std::vector<TrainingSample> samples_;
  double best_value_ = 0;
  double best_loss_ = NAN;
  int64_t best_step_ = 0;
  int64_t without_gain_ = 0;   // validations since the best
  double seconds_before_ = 0;  // trained before this process
  bool gradients_checked_ = false;
  Clock::time_point start_{};
};

}  // namespace

double estimated_seconds(Task& task, uint64_t seed) {
  double seconds = INFINITY;
  for (int64_t number = 1; number <= 2; ++number) {  // the first one also warms up the memory
    const auto start = Clock::now();
    task.loss(task.batch(number, seed)).backward();
    seconds = std::min(seconds, seconds_since(start));
  }
  task.model().zero_grad();
  return seconds * static_cast<double>(task.steps() * task.recipe.accumulate);
}

void check_batch_memory(Task& task, uint64_t seed) {
  const int64_t wanted = task.recipe.batch_size, batch = task.largest_batch();
  const int64_t tried = std::min<int64_t>(batch, 4);
  task.recipe.batch_size = tried;
  task.build(seed);
  double state = 0, example = 0;  // bytes
  for (const Tensor& parameter : task.model().parameters())
    state += static_cast<double>(parameter.numel() * size_of(parameter.dtype()));
  for (int64_t number = 1; number <= 3; ++number) {  // texts have different lengths
    task.model().zero_grad();
    reset_peak_memory();
    const int64_t before = memory_stats().current_bytes;
    task.loss(task.batch(number, seed)).backward();
    const auto taken = static_cast<double>(memory_stats().peak_bytes - before) - state;
    example = std::max(example, taken / static_cast<double>(tried));
  }
  task.recipe.batch_size = wanted;
  task.build(seed);
  // In addition to the batch: weights, gradients, two moments, average, best average.
  const double have = machine_memory(), room = (have - 6 * state) / std::max(example, 1.0);
  const auto fits = static_cast<int64_t>(std::max(room, 0.0));
  check(batch <= fits, "memory", "a batch of ", with_commas(batch), " takes about ",
        fixed(static_cast<double>(batch) * example / 1e9, 1), " GB, and this machine has ",
        fixed(have / 1e9, 1), " GB: ",
        fits > 0 ? concat("take a batch_size of at most ", with_commas(fits),
                          "; --set accumulate=N makes a step of N batches")
                 : std::string("use a smaller model"));
}

int64_t disk_space_needed(Task& task) {
  int64_t bytes = 1 << 20;  // metrics, settings, headers
  for (const auto& [name, tensor] : task.model().state_dict())
    bytes += 12 * tensor.numel() * static_cast<int64_t>(size_of(tensor.dtype()));
  return bytes;
}

TrainOutcome train(Task& task, const RunFolder& folder, const TrainOptions& options,
                   TrainObserver& observer) {
  return Run(task, folder, options, observer).train();
}

}  // namespace tarsier::zoo
