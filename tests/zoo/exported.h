#pragma once
// Runs without training, for the tests of exports, and the real libraries that read what was
// exported.

#include <doctest/doctest.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "autograd/base/random.h"
#include "autograd/io/file.h"
#include "autograd/io/json.h"
#include "autograd/io/safetensors.h"
#include "nn/init.h"
#include "tests/data.h"
#include "tests/zoo/scratch.h"
#include "zoo/export/export.h"

namespace tarsier::zoo {

/// Whether the real library reads `folder` and agrees with what is expected (check_export.py). True,
/// with a note, without TARSIER_PYTHON. `scratch` gets the files for the other side.
inline bool library_agrees(const Scratch& scratch, const std::string& kind,
                           const std::string& folder, const TensorDict& expected,
                           const Json& facts = Json(Json::Object{})) {
  const char* python = std::getenv("TARSIER_PYTHON");
  if (python == nullptr) {
    std::cout << "skipped: " << kind << ", because TARSIER_PYTHON is not set\n";
    return true;
  }
  save_safetensors(scratch.path("expected"), expected);
  write_file_atomically(scratch.path("expected.json"), facts.dump());
  const std::string line =
      concat("'", python, "' '", source_file("tests/golden/check_export.py").string(), "' ", kind,
             " '", folder, "' '", scratch.path("expected"), "' >'", scratch.path("out"), "' 2>&1");
  const int status = std::system(line.c_str());
  if (status == 0) std::cout << "checked: " << kind << ": " << scratch.read("out");
  CHECK_MESSAGE(status == 0, scratch.read("out"));
  return status == 0;
}

/// A run of a model with random weights, also where a fresh one has zeros and ones, which would hide
/// mistakes.
class UntrainedRun : public Scratch {
 public:
  UntrainedRun(const std::string& model, const Changes& changes, std::string data)
      : data_(std::move(data)), task_(prepared_task(model, data_, changes)) {
    Generator generator(5);
    const NoGrad guard;
    for (const auto& [name, parameter] : task_->model().named_parameters())
      copy_(parameter, parameter + randn(parameter.shape(), f32, generator) * 0.2);
    task_->model().eval();
    const RunFolder folder = new_run(*task_, data_, path("run"));
    folder.save_weights(task_->model().state_dict(), model, 0);
  }

  template <class Model>
  Model& model() const {
    return dynamic_cast<Model&>(task_->model());
  }
  RunFolder folder() const { return RunFolder::open(path("run")); }

  /// Exports it into the folder of the kind's name, and returns that.
  std::string exported(const std::string& kind) const {
    const std::string out = path(kind);
    export_run(folder(), find_export_kind(kind), out);
    return out;
  }

 private:
  std::string data_;
  std::unique_ptr<Task> task_;
};

}  // namespace tarsier::zoo
