// The task "bert": data, batches, metrics, answers, resuming.
#include "zoo/bert/task.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "tests/error_of.h"
#include "tests/threads.h"
#include "tests/zoo/scratch.h"
#include "zoo/bert/model.h"
#include "zoo/report/page.h"

namespace tarsier::zoo {
namespace {

/// A model that trains in milliseconds, with dropout, to test its random numbers as well.
const Changes kTinyBert = {{"width", "8"},      {"mlp_width", "8"},   {"layers", "1"},
                           {"heads", "2"},      {"batch_size", "4"},  {"steps", "12"},
                           {"dropout", "0.1"},  {"max_length", "12"}, {"warmup_steps", "2"},
                           {"eval_every", "6"}, {"min_count", "1"}};

Changes tiny_with(const Changes& more) { return with(kTinyBert, more); }

TEST_CASE("bert: learns which words follow from the others, and fills them in") {
  const Scratch scratch;
  std::string text;
  for (int i = 0; i < 40; ++i)
    text += i % 2 == 0 ? "the cat drinks warm milk\n" : "a dog eats fresh meat\n";
  const std::string data = scratch.write("a.txt", text);
  const auto task = prepared_task("bert", data,
                                  tiny_with({{"examples", "lines"},
                                             {"width", "32"},
                                             {"mlp_width", "32"},
                                             {"steps", "400"},
                                             {"learning_rate", "0.01"},
                                             {"dropout", "0"},
                                             {"eval_every", "200"}}));
  CHECK(task->training_examples() == 36);
  const TrainOutcome outcome = train_task(*task, data, scratch.path("run"));
  CHECK(outcome.metrics[0].name == "val_loss");
  CHECK(outcome.metrics[0].value < 0.1);
  CHECK(value_of(outcome.metrics, "masked accuracy") > 95);

  const std::vector<std::string> inputs = {"the cat [MASK] warm milk", "  ",
                                           "a [MASK] eats [MASK] meat"};
  const std::vector<std::string> lines = predicted_lines(*task, inputs);
  REQUIRE(lines.size() == 3);
  CHECK_MESSAGE(lines[0].starts_with("drinks ("), lines[0]);
  CHECK(std::count(lines[0].begin(), lines[0].end(), '%') == 5);
  CHECK(lines[1].empty());
  CHECK_MESSAGE(lines[2].starts_with("dog ("), lines[2]);
  CHECK_MESSAGE(lines[2].find("; fresh (") != lines[2].npos, lines[2]);

  const auto loaded = loaded_task(scratch.path("run"));
  Settings options = loaded->predict_options();
  CHECK(predicted_lines(*loaded, inputs) == lines);
  options.set("words", "1");
  CHECK(predicted_lines(*loaded, inputs)[0] == lines[0].substr(0, lines[0].find(',')));
  loaded->load_data(data);
  const std::string result = lines_of(loaded->evaluate());
  CHECK_MESSAGE(result.starts_with("masked accuracy 100.00 % perplexity 1.0"), result);
  CHECK(std::count(result.begin(), result.end(), '\n') == 1);

  std::ostringstream sample;
  loaded->show_sample(sample);
  CHECK_MESSAGE(sample.str().find("read as") != std::string::npos, sample.str());
  Page page("bert");
  loaded->report(page);
  CHECK(page.html().find("[MASK]") != std::string::npos);
  CHECK(loaded->example_input().find("[MASK]") != std::string::npos);
}

TEST_CASE("bert: a batch depends only on seed and number, and every batch hides other words") {
  const Scratch scratch;
  const std::string data = scratch.write("a.txt", small_text());
  const auto a = prepared_task("bert", data, kTinyBert), b = prepared_task("bert", data, kTinyBert);
  const int64_t each = a->batches_per_epoch();
  b->batch(3, 1);  // in another order
  for (const int64_t number : {1, 2, 7})
    CHECK(same_bits(a->batch(number, 1).tensors, b->batch(number, 1).tensors));
  // The same texts, in two epochs and with two seeds.
  std::set<std::vector<double>> texts[3], hidden[3];
  for (int64_t number = 1; number <= each; ++number)
    for (int i = 0; i < 3; ++i) {
      const Batch batch = a->batch(i == 1 ? number + each : number, i == 2 ? 2 : 1);
      for (int64_t row = 0; row < batch["index"].size(0); ++row) {
        texts[i].insert(select(batch["targets"], 0, row).to_vector());
        hidden[i].insert(select(batch["index"], 0, row).to_vector());
      }
    }
  CHECK(texts[0] == texts[1]);
  CHECK(texts[0] == texts[2]);
  CHECK(hidden[0] != hidden[1]);
  CHECK(hidden[0] != hidden[2]);
}

TEST_CASE("bert: a run stopped in the middle of an epoch resumes to the same bits") {
  const Scratch scratch;
  CHECK(resumes_exactly(scratch, "bert", scratch.write("a.txt", small_text()), kTinyBert, 7));
}

TEST_CASE("bert: any number of threads gives the same bits") {
  const Scratch scratch;
  const std::string data = scratch.write("a.txt", small_text());
  const auto trained = [&](int threads) {
    const Threads guard(threads);
    const std::string out = scratch.path(std::to_string(threads));
    train_task(*prepared_task("bert", data, tiny_with({{"batch_size", "30"}})), data, out);
    return RunFolder::open(out).load_weights();
  };
  CHECK(same_bits(trained(1), trained(3)));
}

TEST_CASE("bert: validation hides the same words every time, whatever the batches") {
  const Scratch scratch;
  const std::string data = scratch.write("a.txt", small_text());
  const auto a = prepared_task("bert", data, kTinyBert),
             b = prepared_task("bert", data, tiny_with({{"batch_size", "1"}}));
  for (Task* task : {a.get(), b.get()}) task->model().eval();
  const double loss = a->validate()[0].value;
  CHECK(a->validate()[0].value == loss);
  CHECK(b->validate()[0].value == doctest::Approx(loss).epsilon(1e-6));
  CHECK(value_of(a->validate(), "perplexity") == doctest::Approx(std::exp(loss)));
}

TEST_CASE("bert: `hidden` is the share of training; of validation texts 15 % are hidden") {
  const Scratch scratch;
  std::string lines;  // of 20 words
  for (int i = 0; i < 400; ++i) lines += i % 20 == 19 ? "end\n" : concat("w", i % 7, " ");
  const std::string data = scratch.write("a.txt", lines);
  std::set<double> losses;
  for (const auto& [hidden, count] : {std::pair{"0.15", 3}, {"0.5", 10}}) {
    const auto task = prepared_task(
        "bert", data, tiny_with({{"examples", "lines"}, {"max_length", "32"}, {"hidden", hidden}}));
    const Batch batch = task->batch(1, 1);
    CHECK(batch.weight == static_cast<double>(batch["index"].size(0) * count));
    CHECK(batch["places"].numel() == batch["index"].size(0) * count);
    task->model().eval();
    losses.insert(task->validate()[0].value);
  }
  CHECK(losses.size() == 1);  // the models start alike
}

TEST_CASE("bert: the default data are tarsier's own source text" * doctest::test_suite("long")) {
  const auto task = prepared_task("bert", "", tiny_with({{"min_count", "20"}, {"steps", "2"}}));
  CHECK(task->facts()[1].second.starts_with("tarsier's own source text: "));
  CHECK(task->training_examples() > 1000);
  CHECK(std::isfinite(task->loss(task->batch(1, 1)).item()));
}

TEST_CASE("bert: tokens may be words, characters or byte pairs") {
  const Scratch scratch;
  const std::string data = scratch.write("a.txt", small_text());
  for (const char* tokens : {"words", "characters", "bpe"}) {
    CAPTURE(tokens);
    const auto task =
        prepared_task("bert", data, tiny_with({{"tokens", tokens}, {"vocab_size", "280"}}));
    CHECK(train_task(*task, data, scratch.path(tokens)).step == 12);
    CHECK(predicted_lines(*loaded_task(scratch.path(tokens)), {"the [MASK]"}) ==
          predicted_lines(*task, {"the [MASK]"}));
  }
}

TEST_CASE("bert: bad data and bad inputs are errors, and short texts are not") {
  const Scratch scratch;
  const auto error = [&](const std::string& text, const Changes& changes = {}) {
    const std::string file = scratch.write("x.txt", text);
    return error_of([&] { prepared_task("bert", file, tiny_with(changes)); });
  };
  const auto has = [](const std::string& text, const std::string& part) {
    INFO(text);
    CHECK(text.find(part) != text.npos);
  };
  has(error(""), "is empty");
  has(error(" \n\t\n"), "has no words to learn from");
  has(error("word"), "has nothing to validate on");
  has(error("word", {{"examples", "lines"}}), "has nothing to validate on");
  has(error("rare words only, none twice", {{"min_count", "2"}}), "[data]");
  has(error("caf\xe9 caf\xe9"), "UTF-8");
  has(error_of([&] { prepared_task("bert", scratch.path("none.txt"), kTinyBert); }), "none.txt");
  std::filesystem::create_directories(scratch.path("empty"));
  has(error_of([&] { prepared_task("bert", scratch.path("empty"), kTinyBert); }),
      "there is no text file in");
  has(error(small_text(), {{"max_length", "1"}}), "must be a whole number from 2");
  CHECK(error("a b a b a b a b a b a b a b a b", {{"max_length", "1000"}}) == "no error");

  const auto task = prepared_task("bert", scratch.write("a.txt", small_text()), kTinyBert);
  std::ostringstream out;
  CHECK(error_of([&] { task->predict({"the cat"}, out); }) ==
        "[predict] 'the cat' has no [MASK]: write [MASK] for every word that is to be guessed");
  std::string lengthy = "[MASK]";
  for (int i = 0; i < 20; ++i) lengthy += " cat";
  has(error_of([&] { task->predict({lengthy}, out); }),
      "has 22 tokens, the first of which begins every text, but the model reads at most 12");
  CHECK(out.str().empty());
  // A step can be studied even if the first tokens of its text are unknown.
  CHECK(task->study_input(2, 1).batch.weight >= 1);
}

}  // namespace
}  // namespace tarsier::zoo
