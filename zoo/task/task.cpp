#include "zoo/task/task.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "zoo/base/format.h"
#include "zoo/base/usage_error.h"
#include "zoo/data/lines.h"

namespace tarsier::zoo {

Settings Task::settings() {
  Settings settings(name());
  add_data_settings(settings);
  add_settings(settings);
  recipe.add_to(settings);
  return settings;
}

void Task::start_from(const std::string&) {
  usage_fail("train", "--from is for text-classifier and sentiment, which can start from a run of ",
             "bert, and for gpt, which can start from a GPT-2; ", name(), " has no such option");
}

Settings Task::data_options() {
  Settings options(name(), "train");
  add_data_settings(options);
  return options;
}

Settings Task::predict_options() {
  Settings options(name(), "predict");
  add_predict_options(options);
  return options;
}

Settings Task::eval_options() {
  Settings options(name(), "eval");
  add_eval_options(options);
  return options;
}

// ------------------------------------------------------------------------------- data and model

void Task::require(bool met, const char* call, const char* first) const {
  check(met, "task", name_, ": call ", first, " before ", call);
}

void Task::load_data(const std::string& path) {
  const Json before(knows_ ? known() : Json::Object{});
  sampler_.reset();
  load(path, !knows_);
  // Weights of another vocabulary would be taken for weights of this one.
  check(
      !knows_ || Json(known()) == before, "task", name_,
      ": use() changed what the model knows of its data. Only learn() and restore() may change it");
  knows_ = loaded_ = true;
}

Json Task::describe_data() const {
  require(knows_, "describe_data()", "load_data() or restore_data()");
  Json::Object all = mark();
  for (Json::Member& member : known()) all.push_back(std::move(member));
  return all;
}

void Task::restore_data(const Json& data) {
  check(!loaded_, "task", name_, ": call restore_data() before load_data()");
  restore(data);
  knows_ = true;
}

void Task::build(uint64_t seed) {
  require(knows_, "build()", "load_data() or restore_data()");
  sampler_.reset();  // the batch size may have changed
  Generator generator(seed);
  model_ = made(generator);
}

nn::Module& Task::model() {
  require(model_ != nullptr, "model()", "build()");
  return *model_;
}

// ---------------------------------------------------------------------------------------- facts

Facts Task::facts() {
  const std::string sizes = model_facts(), cut = cut_facts();
  Facts facts{
      {"model",
       concat(sizes, sizes.empty() ? "" : ": ", counted(model().num_parameters(), "parameter"))},
      {"data", data_facts()},
      {"recipe",
       concat(counted(steps(), "step"), " of ", batch_facts(), ", learning rate ",
              recipe.learning_rate, " → ", recipe.learning_rate_of(steps() + 1, steps()))},
  };
  if (!cut.empty()) facts.insert(facts.begin() + 2, {"cut", cut});
  return facts;
}

std::string Task::data_facts() const {
  return concat(with_commas(training_examples()), " to train on");
}

std::string Task::batch_facts() const { return concat(recipe.batch_size, " ", items()); }

std::string Task::knowledge_unlike(const Task& other) const {
  for (const Task* task : {this, &other})
    task->require(task->knows_, "knowledge_unlike()", "load_data()");
  const Json::Object mine = known();
  const Json theirs = other.known();
  std::string names;
  for (const auto& [name, value] : mine)
    if (const Json* same = theirs.find(name); same == nullptr || *same != value)
      names.append(names.empty() ? "" : ", ").append(name);
  return names;
}

// -------------------------------------------------------------------------------------- training

BatchSampler Task::sampler(RandomKey key) const {
  return BatchSampler(std::vector<int64_t>(static_cast<size_t>(training_examples()), 1),
                      {.examples = recipe.batch_size}, key);
}

std::vector<int64_t> Task::drawn(int64_t number, uint64_t seed) {
  require(loaded_, "batch()", "load_data()");
  if (!sampler_ || sampler_seed_ != seed) {
    sampler_ = sampler({seed, kBatchStream});
    sampler_seed_ = seed;
  }
  return sampler_->batch(number);
}

StudyInput Task::study_input(int64_t, uint64_t seed) {
  const int64_t size = std::exchange(recipe.batch_size, 1);
  sampler_.reset();
  StudyInput input{.batch = batch(1, seed)};
  recipe.batch_size = size;
  sampler_.reset();
  input.description = concat(input.batch.items, " ", items());
  return input;
}

int64_t Task::batches_per_epoch() const {
  return (training_examples() - 1) / recipe.batch_size + 1;
}

int64_t Task::steps() const {
  if (recipe.epochs == 0) return recipe.steps;
  const double batches = recipe.epochs * static_cast<double>(batches_per_epoch());
  return std::max<int64_t>(1, std::llround(batches / static_cast<double>(recipe.accumulate)));
}

int64_t Task::eval_every() const {
  if (recipe.eval_every > 0) return recipe.eval_every;
  return std::max<int64_t>(1, batches_per_epoch() / recipe.accumulate);
}

std::vector<std::string> Task::muon_parameters() {
  std::vector<std::string> names;
  for (const auto& [name, parameter] : model().named_parameters()) {
    bool in_list = false;  // ".0."
    for (size_t i = 1; i + 1 < name.size(); ++i)
      in_list =
          in_list || (std::isdigit(static_cast<unsigned char>(name[i])) != 0 &&
                      (name[i - 1] == '.' || std::isdigit(name[i - 1]) != 0) && name[i + 1] == '.');
    if (in_list && parameter.dim() == 2) names.push_back(name);
  }
  return names;
}

// ------------------------------------------------------------------------------------------- use

void Task::predict(const std::vector<std::string>& inputs, std::ostream& out, std::ostream* notes) {
  const NoGrad no_grad;
  for (const std::string& input : inputs) {
    const bool blank = is_blank(input);
    if (!blank && notes != nullptr) note(input, *notes);
    out << (blank ? "" : answer(input)) << std::endl;
    check(out.good(), "output", "cannot write to standard output");
  }
}

std::string Task::answer(const std::string&) {
  fail("predict", name_, " does not answer inputs: it can only be trained");
}

void Task::show_sample(std::ostream& out) {
  const NoGrad no_grad;
  if (const std::string input = example_input(); !input.empty())
    out << "  " << input << "\n  " << answer(input) << "\n";
}

}  // namespace tarsier::zoo
