#include "zoo/study/learning.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/io/file.h"
#include "zoo/base/json_number.h"
#include "zoo/report/curves.h"
#include "zoo/task/samples.h"

namespace tarsier::study {

namespace {

constexpr int64_t kBuckets = 300, kBins = 40;

Learning::Chart chart(const std::string& title, const std::vector<zoo::Series>& all, bool log) {
  Learning::Chart chart{.title = title, .log = log};
  for (const zoo::Series& one : all) {
    const zoo::Series thin = zoo::thinned(one, kBuckets);
    chart.series.push_back({thin.name, thin.x, thin.y});
  }
  return chart;
}

bool is_layer_norm(const std::string& name, const char* kind) {
  return name.starts_with(std::string(kind) + ":");
}

void add_charts(Learning& learning, const std::vector<zoo::Series>& curves) {
  std::vector<zoo::Series> losses, weights, gradients;
  for (zoo::Series curve : curves) {
    if (curve.name.ends_with("loss")) losses.push_back(curve);
    for (auto* norms : {&weights, &gradients}) {
      const char* kind = norms == &weights ? "weight_norms" : "grad_norms";
      if (!is_layer_norm(curve.name, kind)) continue;
      curve.name.erase(0, std::string(kind).size() + 1);
      norms->push_back(curve);
      break;
    }
  }
  if (!losses.empty()) learning.charts.push_back(chart("loss", losses, false));
  for (const zoo::Series& curve : curves) {
    if (curve.name == "lr") learning.charts.push_back(chart("learning rate", {curve}, false));
    if (curve.name == "grad_norm")
      learning.charts.push_back(chart("norm of the gradient, before clipping", {curve}, true));
  }
  if (!weights.empty())
    learning.charts.push_back(chart("norm of the weights of each layer", weights, true));
  if (!gradients.empty())
    learning.charts.push_back(chart("norm of the gradient of each layer", gradients, true));
}

std::vector<int64_t> counts(const std::vector<double>& values, double low, double high) {
  std::vector<int64_t> bins(kBins);
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    const auto bin = static_cast<int64_t>((value - low) / (high - low) * kBins);
    ++bins[static_cast<size_t>(std::clamp<int64_t>(bin, 0, kBins - 1))];
  }
  return bins;
}

Learning::Histogram histogram(const std::string& name, const Tensor& then, const Tensor& now) {
  const std::vector<double> a = then.to_vector(), b = now.to_vector();
  Learning::Histogram out{.name = name, .low = INFINITY, .high = -INFINITY};
  for (const auto* values : {&a, &b})
    for (const double value : *values) {
      if (!std::isfinite(value)) continue;
      out.low = std::min(out.low, value);
      out.high = std::max(out.high, value);
    }
  if (!(out.low <= out.high)) out.low = out.high = 0;
  if (out.low == out.high) out.low -= 0.5, out.high += 0.5;
  out.then = counts(a, out.low, out.high);
  out.now = counts(b, out.low, out.high);
  return out;
}

/// What the model writes as it is now, among the samples of other steps.
void add_sample(Learning& learning, zoo::Task& task, int64_t step) {
  task.model().eval();
  const auto after = std::ranges::find_if(
      learning.samples, [&](const Learning::Sample& sample) { return sample.step >= step; });
  if (after != learning.samples.end() && after->step == step) return;
  std::string text = zoo::sample_of(task, step).text;
  if (!text.empty()) learning.samples.insert(after, {step, std::move(text)});
}

}  // namespace

Learning learning_of(zoo::Task& task, const zoo::RunFolder& folder) {
  Learning learning;
  const std::vector<zoo::Series> curves = zoo::read_curves(read_file(folder.file("metrics.jsonl")));
  add_charts(learning, curves);
  const zoo::RunConfig config = folder.read_config();
  for (zoo::TrainingSample& sample : zoo::read_samples(folder))
    learning.samples.push_back({sample.step, std::move(sample.text)});
  int64_t step = -1;
  const TensorDict now = folder.load_weights(&step);
  task.build(config.seed);  // the initial weights
  for (const auto& [name, parameter] : task.model().named_parameters())
    if (now.contains(name) && parameter.numel() > 1)
      learning.histograms.push_back(histogram(name, parameter, now[name]));
  add_sample(learning, task, 0);
  task.model().load_state_dict(now);
  if (step >= 0) add_sample(learning, task, step);
  return learning;
}

}  // namespace tarsier::study
