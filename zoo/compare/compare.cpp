#include "zoo/compare/compare.h"

#include <algorithm>
#include <chrono>
#include <ctime>

#include "autograd/autograd.h"
#include "autograd/tensor/memory.h"
#include "optim/optim.h"

namespace tarsier::zoo::compare {
namespace {

constexpr int64_t kTestSequences = 256;
constexpr uint64_t kTestStream = uint64_t{1} << 32, kFewStream = kTestStream + 1;  // not of a step

/// The task or model of this name.
template <class Kind>
const Kind& find(const std::vector<Kind>& all, const std::string& name) {
  for (const Kind& one : all)
    if (one.name == name) return one;
  fail("compare", "there is no '", name, "'");
}

/// Whether each answer is right: (B, K) bool.
Tensor right(const Tensor& logits, const Batch& batch) {
  return argmax(logits, -1) == batch.answers;
}

/// The share of right answers in `count` new sequences.
double test(SequenceModel& model, const SyntheticTask& task, int64_t distance,
            const Recipe& recipe) {
  const NoGrad guard;
  model.eval();
  const Batch all = task.make(kTestSequences, distance, {recipe.seed, kTestStream});
  double sum = 0;
  for (int64_t b = 0; b < kTestSequences; b += recipe.batch) {
    const int64_t end = std::min(b + recipe.batch, kTestSequences);
    const Batch part{slice(all.tokens, 0, b, end), slice(all.answers, 0, b, end)};
    sum +=
        static_cast<double>(count_nonzero(right(model(part.tokens, task.questions), part)).item());
  }
  return sum / static_cast<double>(kTestSequences * task.questions);
}

/// The batch of step 1, 2, …: new sequences, or the next of the few ones.
Batch batch_of(const SyntheticTask& task, const Run& run, const Recipe& recipe, const Batch& few,
               int64_t step) {
  if (!run.few)
    return task.make(recipe.batch, run.distance, {recipe.seed, static_cast<uint64_t>(step)});
  const int64_t n = few.tokens.size(0);
  const Tensor rows = remainder(arange(recipe.batch) + (step - 1) * recipe.batch, n);
  return {index_select(few.tokens, 0, rows), index_select(few.answers, 0, rows)};
}

/// The mean of the last kWindow numbers.
class Window {
 public:
  void add(double value) {
    values_.push_back(value);
    if (values_.size() > kWindow) values_.erase(values_.begin());
  }
  bool full() const { return values_.size() == kWindow; }
  double mean() const {
    double sum = 0;
    for (const double value : values_) sum += value;
    return values_.empty() ? 0 : sum / static_cast<double>(values_.size());
  }

 private:
  std::vector<double> values_;
};

}  // namespace

std::optional<Outcome> train(const Run& run, const Recipe& recipe,
                             const std::function<bool()>& stop) {
  const SyntheticTask& task = find(synthetic_tasks(), run.task);
  manual_seed(recipe.seed);
  const int64_t before = memory_stats().current_bytes;
  reset_peak_memory();
  const auto model = find(model_kinds(), run.model).make(recipe.channels);
  optim::Adam adam(model->named_parameters(), {.lr = recipe.lr});
  const optim::Schedule lr = optim::warmup_constant(recipe.lr, kWindow);
  const Batch few =
      run.few ? task.make(recipe.examples, run.distance, {recipe.seed, kFewStream}) : Batch{};
  Outcome out{.run = run, .parameters = model->num_parameters()};
  Window window;
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t processor = std::clock();
  for (int64_t step = 1; step <= recipe.steps; ++step) {
    if (stop()) return {};
    const Batch batch = batch_of(task, run, recipe, few, step);
    const Tensor logits = (*model)(batch.tokens, task.questions);
    adam.zero_grad();
    cross_entropy(flatten(logits, 0, 1), flatten(batch.answers)).backward();
    optim::clip_grad_norm_(model->parameters(), 1);
    adam.set_lr(lr(step - 1));
    adam.step();
    out.steps = step;
    out.tokens += batch.tokens.numel();
    window.add(mean(to(right(logits, batch), f64)).item());
    const bool solved = window.full() && window.mean() >= kSolved;
    if (solved || (step >= kPatience && window.mean() < task.chance + kProgress)) break;
  }
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  out.processor = static_cast<double>(std::clock() - processor) / CLOCKS_PER_SEC;
  out.peak_bytes = memory_stats().peak_bytes - before;
  out.trained = window.mean();
  out.accuracy = test(*model, task, run.distance, recipe);
  return out;
}

Json Recipe::to_json() const {
  return Json::Object{
      {"channels", channels}, {"batch", batch}, {"steps", steps},
      {"examples", examples}, {"lr", lr},       {"seed", static_cast<int64_t>(seed)}};
}

Json Outcome::to_json() const {
  return Json::Object{
      {"task", run.task},       {"model", run.model},       {"distance", run.distance},
      {"few", run.few},         {"parameters", parameters}, {"steps", steps},
      {"accuracy", accuracy},   {"trained", trained},       {"seconds", seconds},
      {"processor", processor}, {"tokens", tokens},         {"peak_bytes", peak_bytes}};
}

Outcome Outcome::from_json(const Json& json) {
  return {.run = {json["task"].as_string(), json["model"].as_string(), json["distance"].as_int(),
                  json["few"].as_bool()},
          .parameters = json["parameters"].as_int(),
          .steps = json["steps"].as_int(),
          .accuracy = json["accuracy"].as_double(),
          .trained = json["trained"].as_double(),
          .seconds = json["seconds"].as_double(),
          .processor = json["processor"].as_double(),
          .tokens = json["tokens"].as_int(),
          .peak_bytes = json["peak_bytes"].as_int()};
}

}  // namespace tarsier::zoo::compare
