// The GPT's task and recipe: validation, schedule, weight decay, presets.
#include "zoo/gpt/task.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/data.h"
#include "tests/zoo/scratch.h"
#include "zoo/data/text.h"
#include "zoo/gpt/model.h"
#include "zoo/task/models.h"

namespace tarsier::zoo {
namespace {

TEST_CASE("validation is the mean over every character of the last tenth but its first") {
  const Scratch scratch;
  const std::string text = small_text() + "the cat sat on the mat.\nthe dog\n";
  const std::unique_ptr<Task> task = tiny_task(scratch.write("data.txt", text), 8);
  auto& model = dynamic_cast<gpt::Gpt&>(task->model());
  model.eval();
  const std::vector<char32_t> characters = decode_utf8(text, "text");
  const std::vector<int32_t> tokens = CharVocabulary(characters).encode(characters, "text");
  const std::vector<int64_t> split(tokens.begin() + static_cast<int64_t>(tokens.size()) * 9 / 10,
                                   tokens.end());
  REQUIRE((split.size() - 1) % 8 != 0);  // the last window is shorter
  double sum = 0;
  NoGrad no_grad;
  for (size_t i = 0; i + 1 < split.size(); ++i) {
    // Character i + 1, from the i % 8 + 1 earlier characters of its window.
    const std::vector<int64_t> context(split.begin() + static_cast<int64_t>(i / 8 * 8),
                                       split.begin() + static_cast<int64_t>(i) + 1);
    const Tensor x = from_vector(context, {1, static_cast<int64_t>(context.size())});
    const Tensor y = from_vector(std::vector<int64_t>{split[i + 1]}, {1});
    sum += cross_entropy(model.next_logits(x), y).item();
  }
  // Both sum about a hundred numbers around 3 in f32.
  CHECK(task->evaluate()[0].value ==
        doctest::Approx(sum / static_cast<double>(split.size() - 1)).epsilon(1e-6));
}

TEST_CASE("the learning rate warms up, follows a cosine, and fits short runs") {
  const std::unique_ptr<Task> task = find_model("gpt").make();
  const auto rate = [&](int64_t step) {
    return task->recipe.learning_rate_of(step, task->steps()) * 1e3;
  };
  CHECK(rate(1) == doctest::Approx(1.0 / 101));
  CHECK(rate(101) == doctest::Approx(1));
  CHECK(rate(1051) == doctest::Approx(0.55));  // half of the way from step 101 to 2001
  CHECK(rate(2000) == doctest::Approx(0.1).epsilon(1e-3));
  task->recipe.steps = 10;  // the warm-up shrinks to five steps
  CHECK(rate(6) == doctest::Approx(1));
  task->recipe.steps = 1;
  CHECK(rate(1) == doctest::Approx(1));
  task->recipe.learning_rate = 1e-5;  // below the smallest: constant then
  CHECK(rate(1) == doctest::Approx(0.01));
}

TEST_CASE("the other schedules: straight down, with the root of the steps, and not at all") {
  Recipe recipe;
  recipe.learning_rate = 1;
  recipe.min_learning_rate = 0.2;
  recipe.warmup_steps = 9;
  const auto rate = [&](const char* schedule, int64_t step) {
    recipe.schedule = schedule;
    return recipe.learning_rate_of(step, 109);
  };
  for (const char* schedule : {"linear", "noam", "constant"}) {
    CAPTURE(schedule);
    CHECK(rate(schedule, 1) == doctest::Approx(0.1));
    CHECK(rate(schedule, 10) == doctest::Approx(1));
  }
  CHECK(rate("linear", 60) == doctest::Approx(0.6));
  CHECK(rate("linear", 110) == doctest::Approx(0.2));
  CHECK(rate("noam", 90) == doctest::Approx(1.0 / 3));
  CHECK(rate("constant", 100) == 1);
}

TEST_CASE("muon trains the matrices inside the blocks, AdamW the rest, and both are resumed") {
  const Scratch scratch;
  const std::unique_ptr<Task> task = tiny_task(scratch.write("data.txt", small_text()), 8);
  task->recipe.optimizer = "muon";
  const std::vector<std::string> names = task->muon_parameters();
  CHECK(names.size() == 8);  // two blocks
  CHECK(names[0] == "transformer.h.0.attn.c_attn.weight");
  CHECK(names[7] == "transformer.h.1.mlp.c_proj.weight");
  Optimizers first(task->recipe, task->model(), names);
  task->loss(task->batch(1, 1)).backward();
  first.step();
  const TensorDict state = first.state_dict();
  CHECK(state.contains("transformer.h.0.mlp.c_fc.weight.momentum_buffer"));
  CHECK(state.contains("transformer.wte.weight.exp_avg"));
  Optimizers second(task->recipe, task->model(), names);
  second.load_state_dict(state);
  CHECK(second.state_dict().size() == state.size());
  for (const auto& [name, tensor] : second.state_dict())
    CHECK(tensor.to_vector() == state[name].to_vector());
  CHECK_THROWS_AS(second.load_state_dict({{"nobody.exp_avg", zeros({1})}}), Error);
}

TEST_CASE("matrices decay, and nothing else") {
  const Scratch scratch;
  const std::unique_ptr<Task> task = tiny_task(scratch.write("data.txt", small_text()), 8);
  task->recipe.weight_decay = 0.5;
  Optimizers optimizers(task->recipe, task->model(), {});
  optimizers.set_lr(1);
  // Without a gradient there is only the decay: w ← w − lr·decay·w.
  std::vector<double> before;
  for (const Tensor& parameter : task->model().parameters()) {
    parameter.set_grad(zeros_like(parameter));
    before.push_back(norm(parameter).item());
  }
  optimizers.step();
  size_t i = 0;
  for (const Tensor& parameter : task->model().parameters())
    CHECK(norm(parameter).item() / before[i++] ==
          doctest::Approx(parameter.dim() >= 2 ? 0.5 : 1).epsilon(1e-6));
}

TEST_CASE("the presets have nanoGPT's sizes") {
  const auto setting = [](const std::string& model, const std::string& name) {
    const std::unique_ptr<Task> task = find_model(model).make();
    return task->settings().get(name);
  };
  CHECK(setting("gpt", "n_layer") == "4");
  CHECK(setting("gpt", "steps") == "2000");
  CHECK(setting("gpt", "dropout") == "0");
  CHECK(setting("gpt-baby", "n_embd") == "384");
  CHECK(setting("gpt-baby", "block_size") == "256");
  CHECK(setting("gpt-baby", "dropout") == "0.2");
  CHECK(setting("gpt-baby", "steps") == "5000");
  CHECK(find_preset("gpt", "baby").name == "gpt-baby");
}

TEST_CASE("the preset fast has the later improvements, and starts at the loss of guessing") {
  const Scratch scratch;
  const std::unique_ptr<Task> task = find_model("gpt-fast").make();
  Settings settings = task->settings();
  for (const auto& [name, value] : {std::pair{"position", "rotary"},
                                    {"norm", "rms"},
                                    {"qk_norm", "true"},
                                    {"optimizer", "muon"}})
    CHECK(settings.get(name) == value);
  settings.set("block_size", "32");
  settings.set("batch_size", "4");
  task->load_data(scratch.write("data.txt", small_text()));
  task->build(1);
  CHECK(dynamic_cast<gpt::Gpt&>(task->model()).config.is_relative());
  NoGrad no_grad;
  const double known = static_cast<double>(task->model().parameters()[0].size(0));
  CHECK(task->loss(task->batch(1, 1)).item() == doctest::Approx(std::log(known)).epsilon(0.02));
}

TEST_CASE("on real text the first ninety steps go from guessing to predicting letters" *
          doctest::test_suite("long")) {
  if (!have_data("tinyshakespeare/input.txt")) return;
  const std::unique_ptr<Task> task = find_model("gpt").make();
  task->load_data(data_file("tinyshakespeare/input.txt").string());
  task->build(1);
  CHECK(task->model().num_parameters() == 804'096);
  Optimizers optimizers(task->recipe, task->model(), {});
  double loss = 0;
  for (int64_t step = 1; step <= 90; ++step) {
    optimizers.set_lr(1e-3);
    optimizers.zero_grad();
    const Tensor value = task->loss(task->batch(step, 1));
    value.backward();
    optimizers.step();
    if (step == 1) CHECK(value.item() == doctest::Approx(4.174).epsilon(0.02));  // ln 65
    if (step > 80) loss += value.item() / 10;
  }
  CHECK(loss < 2.75);  // the frequencies of single characters give 3.3
}

}  // namespace
}  // namespace tarsier::zoo
