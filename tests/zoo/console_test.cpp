// The live line of a terminal, and the plain lines of a file.
#include "zoo/cli/console.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

namespace tarsier::zoo {
namespace {

StepReport report_of(int64_t step, Metrics metrics = {}) {
  StepReport report{};
  report.step = step;
  report.steps = 2000;
  report.train_loss = 1.5;
  report.items_per_second = 51000;
  report.seconds_left = 75;
  report.metrics = std::move(metrics);
  return report;
}

/// The text on a terminal of that width at the end of training.
template <int width>
std::string last_line() {
  std::ostringstream out;
  ConsoleProgress progress(out, /*terminal=*/true, "tokens", [] { return width; });
  progress.on_validation(2000);
  progress.on_step(report_of(2000, {{.name = "val_loss", .value = 1.9}}));
  const std::string text = out.str();
  const std::string clear = "\r\033[K";
  return text.substr(text.rfind(clear) + clear.size());
}

int64_t columns(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

TEST_CASE("the live line fits its terminal, however narrow") {
  const std::string end = "  loss 1.500  val 1.9000  51,000 tokens/s  1:15 left";
  CHECK(last_line<200>().ends_with("━" + end));
  CHECK(columns(last_line<200>()) == 2 + 9 + 1 + 30 + columns(end));
  CHECK(columns(last_line<80>()) == 79);
  CHECK(last_line<80>().ends_with("━" + end));
  CHECK(last_line<65>() == "  2000/2000 " + end);
  CHECK(columns(last_line<56>()) == 55);
  CHECK(last_line<56>().ends_with("━  loss 1.500  val 1.9000  1:15 left"));
  CHECK(last_line<40>() == "  2000/2000   loss 1.500  1:15 left");
  CHECK(last_line<25>() == "  2000/2000   loss 1.500");
  CHECK(last_line<13>() == "  2000/2000 ");
}

TEST_CASE("the live line is ended once, before other text") {
  std::ostringstream out;
  ConsoleProgress progress(out, true, "tokens", [] { return 15; });
  progress.finish();
  CHECK(out.str().empty());
  progress.on_validation(7);
  CHECK(out.str() == "\r\033[K  7  validatin");
  progress.finish();
  progress.finish();
  CHECK(out.str().ends_with("validatin\n"));
}

TEST_CASE("a file gets plain lines, each with the mean loss since the one before") {
  std::ostringstream out;
  ConsoleProgress progress(out, false, "tokens");
  progress.on_validation(1);
  progress.on_bad_gradients(
      {.missing = {"head.weight", "head.bias"}, .zero = {}, .non_finite = {}});
  for (int64_t step = 1; step <= 250; ++step) {
    StepReport report = report_of(step);
    report.train_loss = step <= 100 ? 3 : 2;
    progress.on_step(report);
  }
  CHECK(out.str() ==
        "Warning: these parameters did not learn in the first step.\n"
        "no gradient: head.weight, head.bias\n"
        "step 100/2000  loss 3.0000  51,000 tokens/s  1:15 left\n"
        "step 200/2000  loss 2.0000  51,000 tokens/s  1:15 left\n");
}

}  // namespace
}  // namespace tarsier::zoo
