// The GPT's recipe: what is validated, the schedule, what is decayed, the presets.
#include "zoo/gpt/recipe.h"

#include <doctest/doctest.h>

#include "tests/data.h"
#include "tests/zoo/scratch.h"
#include "zoo/data/text.h"
#include "zoo/gpt/gpt.h"
#include "zoo/models.h"

namespace tarsier::zoo {
namespace {

TEST_CASE("validation is the mean over every character of the last tenth but its first") {
  const Scratch scratch;
  const std::string text = small_text() + "the cat sat on the mat.\nthe dog\n";
  const std::unique_ptr<Task> task = tiny_task(scratch.write("data.txt", text), 8);
  auto& model = dynamic_cast<Gpt&>(task->model());
  model.eval();
  const std::vector<char32_t> characters = decode_utf8(text, "text");
  const std::vector<int32_t> tokens = CharVocabulary(characters).encode(characters, "text");
  const std::vector<int64_t> split(tokens.begin() + static_cast<int64_t>(tokens.size()) * 9 / 10,
                                   tokens.end());
  REQUIRE((split.size() - 1) % 8 != 0);  // the last window is a short one
  double sum = 0;
  NoGrad no_grad;
  for (size_t i = 0; i + 1 < split.size(); ++i) {
    // Character i + 1, from the i % 8 + 1 characters of its window that stand before it.
    const std::vector<int64_t> context(split.begin() + static_cast<int64_t>(i / 8 * 8),
                                       split.begin() + static_cast<int64_t>(i) + 1);
    const Tensor x = from_vector(context, {1, static_cast<int64_t>(context.size())});
    const Tensor y = from_vector(std::vector<int64_t>{split[i + 1]}, {1});
    sum += cross_entropy(model.next_logits(x), y).item();
  }
  // Sums of a hundred numbers around 3, in f32 there and here.
  CHECK(task->evaluate() ==
        doctest::Approx(sum / static_cast<double>(split.size() - 1)).epsilon(1e-6));
}

TEST_CASE("the learning rate warms up, follows a cosine, and fits short runs") {
  const std::unique_ptr<Task> task = make_gpt_task(GptPreset::cpu);
  const auto rate = [&](int64_t step) { return task->learning_rate(step) * 1e3; };
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

TEST_CASE("matrices decay, and nothing else") {
  const Scratch scratch;
  const std::unique_ptr<Task> task = tiny_task(scratch.write("data.txt", small_text()), 8);
  task->recipe.weight_decay = 0.5;
  const std::unique_ptr<optim::Optimizer> optimizer = task->make_optimizer();
  optimizer->set_lr(1);
  // Without a gradient there is only the decay: w ← w − lr·decay·w.
  std::vector<double> before;
  for (const Tensor& parameter : task->model().parameters()) {
    parameter.set_grad(zeros_like(parameter));
    before.push_back(norm(parameter).item());
  }
  optimizer->step();
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

TEST_CASE("on real text the first ninety steps go from knowing nothing to knowing letters") {
  if (!have_data("tinyshakespeare/input.txt")) return;
  const std::unique_ptr<Task> task = make_gpt_task(GptPreset::cpu);
  task->load_data(data_file("tinyshakespeare/input.txt").string());
  task->build(1);
  CHECK(task->model().num_parameters() == 804'096);
  const std::unique_ptr<optim::Optimizer> optimizer = task->make_optimizer();
  double loss = 0;
  for (int64_t step = 1; step <= 90; ++step) {
    optimizer->set_lr(1e-3);
    optimizer->zero_grad();
    const Tensor value = task->training_loss(step, 1);
    value.backward();
    optimizer->step();
    if (step == 1) CHECK(value.item() == doctest::Approx(4.174).epsilon(0.02));  // ln 65
    if (step > 80) loss += value.item() / 10;
  }
  CHECK(loss < 2.75);  // 3.3 is what the frequencies of single characters give
}

}  // namespace
}  // namespace tarsier::zoo
