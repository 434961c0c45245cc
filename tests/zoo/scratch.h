#pragma once
// A folder for one test, and the small files and models that the zoo's tests work with.

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "zoo/gpt/recipe.h"
#include "zoo/task.h"

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

/// The --set values of a GPT that trains in milliseconds; with dropout, so that its random numbers
/// are tested, too.
inline const char* const kTinySettings[][2] = {
    {"n_layer", "2"},    {"n_head", "2"},    {"n_embd", "16"},    {"block_size", "8"},
    {"batch_size", "3"}, {"dropout", "0.1"}, {"eval_every", "4"}, {"checkpoint_every", "4"},
};

/// That GPT on the text file `data`, built from `seed`.
inline std::unique_ptr<Task> tiny_task(const std::string& data, int64_t steps, uint64_t seed = 1) {
  std::unique_ptr<Task> task = make_gpt_task(GptPreset::cpu);
  Settings settings = task->settings();
  for (const auto& [name, value] : kTinySettings) settings.set(name, value);
  task->recipe.steps = steps;
  task->load_data(data);
  task->build(seed);
  return task;
}

}  // namespace tarsier::zoo
