#include "zoo/trainer.h"

#include <chrono>
#include <cmath>
#include <utility>

#include "zoo/format.h"

namespace tarsier::zoo {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// One training run, from its first or its next step to its last.
class Run {
 public:
  Run(Task& task, const RunFolder& folder, const TrainOptions& options, TrainObserver& observer)
      : task_(task),
        folder_(folder),
        options_(options),
        observer_(observer),
        optimizer_(task.make_optimizer()),
        average_(task.model().named_parameters(), task.recipe.ema_decay),
        parameters_(task.model().parameters()) {}

  TrainOutcome train() {
    if (options_.resume) {
      resume();
    } else {
      save();
    }
    MetricsLog metrics(folder_, step_);
    const int64_t first = step_;
    start_ = Clock::now();
    while (step_ < task_.recipe.steps) {
      StepReport report = train_step();
      const bool last = step_ == task_.recipe.steps;
      if (last || step_ % task_.recipe.eval_every == 0) report.val_loss = validate();
      report.seconds = seconds_before_ + seconds_since(start_);
      report.seconds_left = seconds_since(start_) / static_cast<double>(step_ - first) *
                            static_cast<double>(task_.recipe.steps - step_);
      metrics.write(report, task_.items());
      observer_.on_step(report);
      if (last) return finish(*report.val_loss);
      const bool stop = options_.interrupted();
      if (stop || step_ % task_.recipe.checkpoint_every == 0) save();
      if (stop) return {step_, true, 0};
    }
    return finish(validate());  // nothing was left to do
  }

 private:
  StepReport train_step() {
    const auto start = Clock::now();
    ++step_;
    // Dropout draws from here: from a place that depends on the seed and the step alone.
    default_generator().set_state({options_.seed, static_cast<uint64_t>(step_) << 24});
    const double learning_rate = task_.learning_rate(step_);
    optimizer_->set_lr(learning_rate);
    optimizer_->zero_grad();
    const Tensor loss = task_.training_loss(step_, options_.seed);
    const double value = loss.item();
    check_finite("loss", value, learning_rate);
    loss.backward();
    if (!std::exchange(gradients_checked_, true))
      if (const auto report = nn::check_gradients(task_.model()); !report.empty())
        observer_.on_bad_gradients(report);
    const double max_norm = task_.recipe.clip_norm > 0 ? task_.recipe.clip_norm : INFINITY;
    const double norm = optim::clip_grad_norm_(parameters_, max_norm);
    check_finite("gradient's norm", norm, learning_rate);
    optimizer_->step();
    average_.update();

    StepReport report{};
    report.step = step_;
    report.steps = task_.recipe.steps;
    report.train_loss = value;
    report.learning_rate = learning_rate;
    report.grad_norm = norm;
    report.items_per_second = static_cast<double>(task_.items_per_step()) / seconds_since(start);
    return report;
  }

  void check_finite(const char* what, double value, double learning_rate) const {
    if (std::isfinite(value)) return;
    fail("train", "the ", what, " became ", value, " in step ", step_, ", at learning rate ",
         learning_rate,
         ": training diverged, a smaller --set learning_rate may help. The checkpoint"
         " of step ",
         saved_step_, " is kept in ", folder_.path());
  }

  double validate() {
    observer_.on_validation(step_);
    average_.swap();
    task_.model().eval();
    const double loss = task_.evaluate();
    task_.model().train();
    average_.swap();
    return loss;
  }

  void save() {
    Checkpoint checkpoint;
    checkpoint.step = step_;
    checkpoint.seed = options_.seed;
    checkpoint.seconds = seconds_before_ + (step_ > 0 ? seconds_since(start_) : 0);
    checkpoint.model = task_.model().state_dict();
    checkpoint.optimizer = optimizer_->state_dict();
    checkpoint.average = average_.state_dict();
    try {
      folder_.save_checkpoint(checkpoint);
      saved_step_ = step_;
      average_.swap();
      folder_.save_weights(task_.model().state_dict(), task_.name());
      average_.swap();
    } catch (const Error& error) {
      if (saved_step_ == 0) throw;
      check(folder_.has_checkpoint(), "train", "saving failed after step ", step_, ": ",
            folder_.path(), " was removed or renamed while training");
      fail("train", "saving failed after step ", step_, ": ", error.what(),
           ". The checkpoint of step ", saved_step_,
           " is whole: mend that, then go on with --resume ", folder_.path());
    }
  }

  void resume() {
    const Checkpoint checkpoint = folder_.load_checkpoint();
    try {
      task_.model().load_state_dict(checkpoint.model);
      optimizer_->load_state_dict(checkpoint.optimizer);
      average_.load_state_dict(checkpoint.average);
    } catch (const Error& error) {
      fail("run", folder_.path(),
           ": the checkpoint and config.json do not belong together: ", error.what());
    }
    step_ = saved_step_ = checkpoint.step;
    seconds_before_ = checkpoint.seconds;
  }

  TrainOutcome finish(double val_loss) {
    save();
    average_.swap();
    task_.model().eval();
    return {step_, false, val_loss};
  }

  Task& task_;
  const RunFolder& folder_;
  const TrainOptions& options_;
  TrainObserver& observer_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  optim::ExponentialMovingAverage average_;
  std::vector<Tensor> parameters_;
  int64_t step_ = 0;           // done
  int64_t saved_step_ = 0;     // in the checkpoint
  double seconds_before_ = 0;  // trained before this process
  bool gradients_checked_ = false;
  Clock::time_point start_{};
};

}  // namespace

int64_t disk_space_needed(Task& task) {
  int64_t bytes = 1 << 20;  // metrics, settings, headers
  for (const auto& [name, tensor] : task.model().state_dict())
    bytes += 10 * tensor.numel() * static_cast<int64_t>(size_of(tensor.dtype()));
  return bytes;
}

TrainOutcome train(Task& task, const RunFolder& folder, const TrainOptions& options,
                   TrainObserver& observer) {
  return Run(task, folder, options, observer).train();
}

}  // namespace tarsier::zoo
