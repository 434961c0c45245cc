#pragma once
// Progress on the console while a model trains.

#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>

#include "../task/trainer.h"

namespace tarsier::zoo {

/// Whether standard output is a terminal on which a line can be redrawn.
bool stdout_is_terminal();
/// The current number of columns of that terminal; the window may change.
int terminal_width();

/// On a terminal: one live line with a bar and the time left, shortened to fit. Elsewhere (a file,
/// a pipe): a plain line now and then.
class ConsoleProgress : public TrainObserver {
 public:
  ConsoleProgress(std::ostream& out, bool terminal, std::string items,
                  int (*width)() = terminal_width);
  void on_step(const StepReport& report) override;
  void on_bad_gradients(const nn::GradientReport& report) override;
  void on_weights_written_again() override;
  void on_validation(int64_t step) override;
  /// Ends the live line, so that other text can follow.
  void finish();

 private:
  void print_live(const StepReport& report);
  void print_plain(const StepReport& report);
  /// Replaces the live line by `line`.
  void draw(const std::string& line);

  using Clock = std::chrono::steady_clock;
  std::ostream& out_;
  const bool terminal_;
  const std::string items_;
  int (*const width_)();
  double smooth_loss_ = 0, smooth_weight_ = 0;  // of the last twenty steps or so: their sums
  double smooth_rate_ = 0;
  double loss_since_line_ = 0, weight_since_line_ = 0;
  int64_t steps_seen_ = 0;
  std::string last_metric_;  // "val 1.8951"
  bool line_open_ = false;
  Clock::time_point last_draw_{};
};

}  // namespace tarsier::zoo
