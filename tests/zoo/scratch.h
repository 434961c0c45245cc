#pragma once
// A folder for one test, and small files and models for the zoo's tests.

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "zoo/data/images.h"
#include "zoo/gpt/task.h"
#include "zoo/task/models.h"
#include "zoo/task/task.h"
#include "zoo/task/trainer.h"

namespace tarsier::zoo {

/// A new empty folder, removed at the end of the test.
class Scratch {
 public:
  Scratch() {
    static int count = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("tarsier-test-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
    std::filesystem::create_directories(path_);
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::string path(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }
  std::string read(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

 private:
  std::filesystem::path path_;
};

/// 1,200 characters with something to learn in them.
inline std::string small_text() {
  std::string text;
  for (int i = 0; text.size() < 1200; ++i)
    text += i % 3 == 0 ? "the cat sat on the mat.\n" : "a dog ran to the log.\n";
  return text;
}

/// The --set values of a GPT that trains in milliseconds; with dropout, to test its random numbers
/// as well.
inline const char* const kTinySettings[][2] = {
    {"n_layer", "2"},    {"n_head", "2"},    {"n_embd", "16"},    {"block_size", "8"},
    {"batch_size", "3"}, {"dropout", "0.1"}, {"eval_every", "4"}, {"checkpoint_every", "4"},
};

/// That GPT on the text file `data`, built from `seed`.
inline std::unique_ptr<Task> tiny_task(const std::string& data, int64_t steps, uint64_t seed = 1) {
  std::unique_ptr<Task> task = find_model("gpt").make();
  Settings settings = task->settings();
  for (const auto& [name, value] : kTinySettings) settings.set(name, value);
  task->recipe.steps = steps;
  task->load_data(data);
  task->build(seed);
  return task;
}

/// Pairs of a setting and its value, as --set takes them.
using Changes = std::vector<std::pair<std::string, std::string>>;

/// `changes`, with `more` in place of those of the same name.
inline Changes with(Changes changes, const Changes& more) {
  for (const auto& [key, value] : more) {
    std::erase_if(changes, [&key = key](const auto& change) { return change.first == key; });
    changes.emplace_back(key, value);
  }
  return changes;
}

/// The model `name` of `tarsier list` with these settings, with the data at `data` loaded, built.
inline std::unique_ptr<Task> prepared_task(const std::string& name, const std::string& data,
                                           const Changes& changes, uint64_t seed = 1) {
  std::unique_ptr<Task> task = find_model(name).make();
  Settings settings = task->settings();
  for (const auto& [key, value] : changes) settings.set(key, value);
  task->load_data(data);
  task->build(seed);
  return task;
}

/// A folder at `path` for a run of `task` on the data at `data`, with its config.json.
inline RunFolder new_run(Task& task, const std::string& data, const std::string& path) {
  RunFolder folder = RunFolder::create(path);
  RunConfig config;
  config.model = task.name();
  config.data_path = data;
  config.data = task.describe_data();
  config.keep(task.settings());
  folder.write_config(config);
  return folder;
}

/// Trains a model into the folder `out`, which it makes unless `resume`; stops after step
/// `stop_after` if that is not 0.
inline TrainOutcome train_task(Task& task, const std::string& data, const std::string& out,
                               int64_t stop_after = 0, bool resume = false) {
  const RunFolder folder = resume ? RunFolder::open(out) : new_run(task, data, out);
  struct Counter : TrainObserver {
    int64_t step = 0;
    void on_step(const StepReport& report) override { step = report.step; }
  } counter;
  TrainOptions options;
  options.resume = resume;
  options.interrupted = [&] { return counter.step == stop_after; };
  return train(task, folder, options, counter);
}

inline bool same_bits(const TensorDict& a, const TensorDict& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [name, tensor] : a)
    if (tensor.to_vector() != b[name].to_vector()) return false;
  return true;
}

/// The metric of that name, or NaN.
inline double value_of(const Metrics& metrics, const std::string& name) {
  for (const Metric& metric : metrics)
    if (metric.name == name) return metric.value;
  return std::nan("");
}

/// Whether a run that was stopped after step `stop_after` and resumed ends with the same checkpoint
/// and weights, to the last bit, as one that was never stopped.
inline bool resumes_exactly(const Scratch& scratch, const std::string& name,
                            const std::string& data, const Changes& changes, int64_t stop_after) {
  const auto trained = [&](const std::string& out, int64_t stop, bool resume) {
    return train_task(*prepared_task(name, data, changes), data, scratch.path(out), stop, resume);
  };
  const bool whole = !trained("whole", 0, false).interrupted;
  const bool stopped = trained("parts", stop_after, false).interrupted;
  const bool ended = !trained("parts", 0, true).interrupted;
  const RunFolder a = RunFolder::open(scratch.path("whole")),
                  b = RunFolder::open(scratch.path("parts"));
  const Checkpoint x = a.load_checkpoint(), y = b.load_checkpoint();
  return whole && stopped && ended && x.step == y.step && same_bits(x.model, y.model) &&
         same_bits(x.optimizer, y.optimizer) && same_bits(x.best, y.best) &&
         same_bits(a.load_weights(), b.load_weights());
}

/// The model of the run in `folder`, only from its files.
inline std::unique_ptr<Task> loaded_task(const std::string& folder) {
  const RunFolder run = RunFolder::open(folder);
  return make_trained_task(run, run.read_config());
}

/// Writes `images` as two files in MNIST's format into `folder`: split "train" or "t10k".
inline void write_idx(const Scratch& scratch, const std::string& folder, const std::string& split,
                      const Images& images) {
  std::filesystem::create_directories(scratch.path(folder));
  const auto number = [](int64_t n) {
    std::string bytes;
    for (int shift : {24, 16, 8, 0}) bytes += static_cast<char>(n >> shift & 255);
    return bytes;
  };
  std::string pixels = number(0x803) + number(images.size()) + number(images.height) +
                       number(images.width),
              labels = number(0x801) + number(images.size());
  pixels.append(images.pixels.begin(), images.pixels.end());
  for (const int64_t label : images.labels) labels += static_cast<char>(label);
  scratch.write(folder + "/" + split + "-images-idx3-ubyte", pixels);
  scratch.write(folder + "/" + split + "-labels-idx1-ubyte", labels);
}

/// The lines of a file of text.
inline std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

/// The lines that predict() prints.
inline std::vector<std::string> predicted_lines(Task& task,
                                                const std::vector<std::string>& inputs) {
  std::ostringstream out;
  task.predict(inputs, out);
  std::istringstream lines(out.str());
  std::vector<std::string> all;
  for (std::string line; std::getline(lines, line);) all.push_back(line);
  return all;
}

}  // namespace tarsier::zoo
