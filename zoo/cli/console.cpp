#include "zoo/cli/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "autograd/base/error.h"
#include "zoo/base/format.h"

namespace tarsier::zoo {

bool stdout_is_terminal() {
  const char* kind = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && (kind == nullptr || std::string(kind) != "dumb");
}

int terminal_width() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

namespace {

/// ━━━━━━────, `width` characters.
std::string bar(double share, int width) {
  const int full = static_cast<int>(std::lround(share * width));
  std::string out;
  for (int i = 0; i < width; ++i) out += i < full ? "━" : "─";
  return out;
}

const char* const kClearLine = "\r\033[K";

}  // namespace

ConsoleProgress::ConsoleProgress(std::ostream& out, bool terminal, std::string items,
                                 int (*width)())
    : out_(out), terminal_(terminal), items_(std::move(items)), width_(width) {}

void ConsoleProgress::on_step(const StepReport& report) {
  // A moving average: over all steps at first, over about twenty later.
  const double share = std::max(1.0 / static_cast<double>(++steps_seen_), 0.05);
  smooth_rate_ += share * (report.items_per_second - smooth_rate_);
  // A step counts by the number of its targets.
  smooth_loss_ += share * (report.train_loss * report.weight - smooth_loss_);
  smooth_weight_ += share * (report.weight - smooth_weight_);
  loss_since_line_ += report.train_loss * report.weight;
  weight_since_line_ += report.weight;
  if (!report.metrics.empty())
    last_metric_ = "  " + report.metrics[0].label() + " " + report.metrics[0].text();
  if (terminal_) {
    print_live(report);
  } else {
    print_plain(report);
  }
}

void ConsoleProgress::print_live(const StepReport& report) {
  // Twenty redraws a second look smooth and cost nothing.
  const auto now = Clock::now();
  const bool last = report.step == report.steps;
  if (!last && report.metrics.empty() && now - last_draw_ < std::chrono::milliseconds(50)) return;
  last_draw_ = now;
  const std::string steps = std::to_string(report.steps);
  const std::string step = std::to_string(report.step);
  const std::string head =
      "  " + std::string(steps.size() - step.size(), ' ') + step + "/" + steps + " ";
  std::string loss = "  loss " + fixed(smooth_loss_ / smooth_weight_, 3);
  std::string val = last_metric_;
  std::string rate = "  " + with_commas(std::lround(smooth_rate_)) + " " + items_ + "/s";
  std::string left = "  " + as_duration(report.seconds_left) + " left";
  const auto room = [&] {
    return width_() - 1 -
           static_cast<int>(head.size() + loss.size() + val.size() + rate.size() + left.size());
  };
  // A line that is too long wraps, and only its last part can be redrawn. So a narrow terminal
  // loses parts, the least important first.
  for (std::string* part : {&rate, &val, &left, &loss})
    if (room() < 0) part->clear();
  const double share = static_cast<double>(report.step) / static_cast<double>(report.steps);
  draw(head + (room() >= 5 ? bar(share, std::min(room(), 30)) : "") + loss + val + rate + left);
}

void ConsoleProgress::print_plain(const StepReport& report) {
  const int64_t every = std::max<int64_t>(1, std::min<int64_t>(100, report.steps / 20));
  if (report.step % every != 0 && report.step != report.steps && report.metrics.empty()) return;
  out_ << "step " << report.step << "/" << report.steps << "  loss "
       << fixed(loss_since_line_ / weight_since_line_, 4);
  for (const Metric& metric : report.metrics)
    out_ << "  " << metric.label() << " " << metric.text();
  out_ << "  " << with_commas(std::lround(smooth_rate_)) << " " << items_ << "/s  "
       << as_duration(report.seconds_left) << " left" << std::endl;
  loss_since_line_ = 0;
  weight_since_line_ = 0;
}

void ConsoleProgress::on_bad_gradients(const nn::GradientReport& report) {
  finish();
  out_ << "Warning: these parameters did not learn in the first step.\n" << report << std::flush;
}

void ConsoleProgress::on_weights_written_again() {
  out_ << "model.safetensors was missing or did not match the checkpoint: restored from it."
       << std::endl;
}

void ConsoleProgress::on_validation(int64_t step) {
  if (!terminal_) return;
  const std::string text = concat("  ", step, "  validating");
  draw(text.substr(0, static_cast<size_t>(std::max(0, width_() - 1))));
}

void ConsoleProgress::draw(const std::string& line) {
  out_ << kClearLine << line << std::flush;
  line_open_ = true;
}

void ConsoleProgress::finish() {
  if (line_open_) out_ << std::endl;
  line_open_ = false;
}

}  // namespace tarsier::zoo
