#include "zoo/cli/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "zoo/format.h"

namespace tarsier::zoo {

bool stdout_is_terminal() { return isatty(STDOUT_FILENO) == 1; }

namespace {

int terminal_width() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

/// ━━━━━━────, `width` characters.
std::string bar(double share, int width) {
  const int full = static_cast<int>(std::lround(share * width));
  std::string out;
  for (int i = 0; i < width; ++i) out += i < full ? "━" : "─";
  return out;
}

const char* const kClearLine = "\r\033[K";

}  // namespace

ConsoleProgress::ConsoleProgress(std::ostream& out, bool terminal, std::string items)
    : out_(out), terminal_(terminal), items_(std::move(items)) {}

void ConsoleProgress::on_step(const StepReport& report) {
  // An average that forgets: over all steps at first, over about twenty later.
  const double weight = std::max(1.0 / static_cast<double>(++steps_seen_), 0.05);
  smooth_loss_ += weight * (report.train_loss - smooth_loss_);
  smooth_rate_ += weight * (report.items_per_second - smooth_rate_);
  loss_since_line_ += report.train_loss;
  ++steps_since_line_;
  if (report.val_loss) last_val_loss_ = *report.val_loss;
  if (terminal_) {
    print_live(report);
  } else {
    print_plain(report);
  }
}

void ConsoleProgress::print_live(const StepReport& report) {
  // Twenty pictures a second are enough for the eye, and cost nothing.
  const auto now = Clock::now();
  const bool last = report.step == report.steps;
  if (!last && !report.val_loss && now - last_draw_ < std::chrono::milliseconds(50)) return;
  last_draw_ = now;
  std::string text = "  loss " + fixed(smooth_loss_, 3);
  if (last_val_loss_ >= 0) text += "  val " + fixed(last_val_loss_, 3);
  text += "  " + with_commas(std::lround(smooth_rate_)) + " " + items_ + "/s";
  text += "  " + as_duration(report.seconds_left) + " left";
  const std::string steps = std::to_string(report.steps);
  const std::string step = std::to_string(report.step);
  const std::string head =
      "  " + std::string(steps.size() - step.size(), ' ') + step + "/" + steps + " ";
  const int room = terminal_width() - 1 - static_cast<int>(head.size() + text.size());
  const double share = static_cast<double>(report.step) / static_cast<double>(report.steps);
  out_ << kClearLine << head << (room >= 5 ? bar(share, std::min(room, 30)) : "") << text
       << std::flush;
  line_open_ = true;
}

void ConsoleProgress::print_plain(const StepReport& report) {
  const int64_t every = std::max<int64_t>(1, std::min<int64_t>(100, report.steps / 20));
  if (report.step % every != 0 && report.step != report.steps && !report.val_loss) return;
  out_ << "step " << report.step << "/" << report.steps << "  loss "
       << fixed(loss_since_line_ / static_cast<double>(steps_since_line_), 4);
  if (report.val_loss) out_ << "  val " << fixed(*report.val_loss, 4);
  out_ << "  " << with_commas(std::lround(smooth_rate_)) << " " << items_ << "/s  "
       << as_duration(report.seconds_left) << " left" << std::endl;
  loss_since_line_ = 0;
  steps_since_line_ = 0;
}

void ConsoleProgress::on_validation(int64_t step) {
  if (!terminal_) return;
  out_ << kClearLine << "  " << step << "  measuring the validation loss …" << std::flush;
  line_open_ = true;
}

void ConsoleProgress::finish() {
  if (line_open_) out_ << std::endl;
  line_open_ = false;
}

}  // namespace tarsier::zoo
