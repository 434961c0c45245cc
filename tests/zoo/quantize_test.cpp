// `tarsier quantize`, and runs with int8 weights, as a user sees them.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "nn/quantize.h"
#include "tests/zoo/program.h"
#include "tests/zoo/task_samples.h"

namespace tarsier::zoo {
namespace {

TEST_CASE("tarsier quantize makes a run that predict and eval take, and train and study do not") {
  const Place place(/*with_run=*/true);
  const Result made = tarsier(place, "quantize run");
  REQUIRE_MESSAGE(made.code == 0, made.err);
  CHECK(has(made.out, "Quantised 6 matrices"));
  CHECK(has(made.out, "Saved in run-int8.\n"));
  CHECK(has(made.out, "eval run-int8\n"));
  const auto size = [&](const char* run) {
    return std::filesystem::file_size(place.path(run) + "/model.safetensors");
  };
  CHECK(size("run-int8") < size("run"));

  const Result eval = tarsier(place, "eval run-int8 --threads 1");
  CHECK_MESSAGE(eval.code == 0, eval.err);
  const auto loss = [](const Result& result) { return std::stod(result.out.substr(9)); };
  REQUIRE(has(eval.out, "val_loss "));
  CHECK(loss(eval) == doctest::Approx(loss(tarsier(place, "eval run"))).epsilon(0.01));
  const Result predict = tarsier(place, "predict run-int8 --tokens 5 the");
  CHECK_MESSAGE(predict.code == 0, predict.err);
  CHECK(predict.out.starts_with("the"));

  const std::string run = place.path("run");
  const auto refusal = [&](const char* op, const char* refused) {
    return concat("[", op, "] 'run-int8' holds int8 weights, which tarsier quantize made from ",
                  run, ". They can be used by predict and eval, but not ", refused,
                  ": use the run that they were made from");
  };
  CHECK(complaint(tarsier(place, "train --resume run-int8")) == refusal("train", "trained"));
  CHECK(complaint(tarsier(place, "quantize run-int8")) == refusal("quantize", "quantised again"));
  CHECK(complaint(tarsier(place, "export run-int8 --as huggingface")) ==
        refusal("export", "exported"));
  CHECK(complaint(tarsier(place, "study run-int8")) ==
        refusal("study", "studied, because they have no gradients"));
  CHECK(has(complaint(tarsier(place, "quantize run --out run-int8")), "holds a run already"));
  CHECK(has(complaint(tarsier(place, "quantize nowhere")), "there is no folder 'nowhere'"));

  const Result named = tarsier(place, "quantize run --out small");
  CHECK_MESSAGE(named.code == 0, named.err);
  CHECK(place.read("small/model.safetensors") == place.read("run-int8/model.safetensors"));
  place.write("small/model.safetensors",
              place.read("small/model.safetensors").substr(0, size("run-int8") - 1));
  CHECK(has(complaint(tarsier(place, "eval small")), "cut off"));
}

TEST_CASE("a classifier does not start from a quantised bert") {
  const Place place;
  const std::string tiny =
      " --set layers=1 --set heads=1 --set width=8 --set mlp_width=8 --set max_length=8 --threads "
      "1";
  const Result bert =
      tarsier(place, concat("train bert --data data.txt --out bert --steps 1", tiny));
  REQUIRE_MESSAGE(bert.code == 0, bert.err);
  CHECK(tarsier(place, "quantize bert").code == 0);
  CHECK(tarsier(place, "eval bert-int8").code == 0);
  CHECK(has(complaint(tarsier(place, "train text-classifier --from bert-int8 --steps 1")),
            "[train] 'bert-int8' holds int8 weights"));
}

TEST_CASE("every model: works with int8 weights, and the same from their file") {
  for (const ModelEntry& entry : models()) {
    CAPTURE(entry.name);
    const Scratch scratch;
    const Sample sample = sample_of(entry.family, scratch);
    const auto task = prepared_task(entry.name, sample.data, sample.changes, 7),
               loaded = prepared_task(entry.name, sample.data, sample.changes, 8);
    task->model().eval();
    const double before = task->validate().front().value;
    CHECK(!nn::quantize_(task->model()).empty());
    const double after = task->validate().front().value;
    CHECK(std::abs(after - before) <= 0.05 * std::max(1.0, std::abs(before)));
    nn::save_quantized(scratch.path("int8"), task->model());
    nn::load_quantized(loaded->model(), scratch.path("int8"));
    CHECK(loaded->validate().front().value == after);
  }
}

}  // namespace
}  // namespace tarsier::zoo
