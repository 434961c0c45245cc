// The task of the text classifier: its data, its settings, its metric.
#include <doctest/doctest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/error_of.h"
#include "tests/zoo/scratch.h"
#include "zoo/base/usage_error.h"
#include "zoo/text_classifier/model.h"

namespace tarsier::zoo {
namespace {

/// A model that trains in milliseconds, with every kind of noise, to test it as well.
const Changes kTiny = {{"width", "8"},       {"mlp_width", "8"},       {"layers", "1"},
                       {"heads", "2"},       {"batch_size", "8"},      {"epochs", "2"},
                       {"dropout", "0.1"},   {"token_dropout", "0.2"}, {"warmup_steps", "3"},
                       {"max_length", "12"}, {"pairs", "40"},          {"label_smoothing", "0"}};

/// Line i of a small data set about weather and food.
std::pair<std::string, std::string> example(int i) {
  static const char* const weather[] = {"rain", "sun", "wind", "snow"};
  static const char* const food[] = {"bread", "soup", "rice", "fish"};
  const std::string place = i % 3 == 0 ? "at home" : i % 3 == 1 ? "in town" : "by the sea";
  return i % 4 == 0
             ? std::pair{"food", std::string("we had ") + food[i / 4 % 4] + " " + place}
             : std::pair{"weather", std::string("there was ") + weather[i % 4] + " " + place};
}

/// A folder with 60 examples to train on, 12 to validate, 20 to test.
std::string data_folder(const Scratch& scratch, bool label_first = true) {
  std::filesystem::create_directories(scratch.path("data"));
  int i = 0;
  for (const auto& [name, end] : {std::pair{"train", 60}, {"val", 72}, {"test", 92}}) {
    std::string lines;
    for (; i < end; ++i) {
      const auto [label, text] = example(i);
      lines += label_first ? label + "\t" + text + "\n" : text + "\t" + label + "\n";
    }
    scratch.write(std::string("data/") + name + ".tsv", lines);
  }
  return scratch.path("data");
}

TEST_CASE("text classifier: trains, tells label with probability, and loads to the same bits") {
  const Scratch scratch;
  const std::string data = data_folder(scratch);
  const std::unique_ptr<Task> task =
      prepared_task("sentiment", data, with(kTiny, {{"epochs", "30"}, {"learning_rate", "0.01"}}));
  const TrainOutcome outcome = train_task(*task, data, scratch.path("run"));
  CHECK(outcome.step == 30 * 8);  // 60 texts, 8 per batch
  CHECK(outcome.metrics[0].name == "accuracy");
  CHECK(outcome.metrics[0].value == 100);

  const std::vector<std::string> inputs = {"we had soup by the sea", "there was snow in town"};
  const std::vector<std::string> lines = predicted_lines(*task, inputs);
  REQUIRE(lines.size() == 2);
  CHECK_MESSAGE(lines[0].starts_with("food ("), lines[0]);
  CHECK_MESSAGE(lines[1].starts_with("weather ("), lines[1]);
  CHECK(lines[0].find(" %)") != lines[0].npos);

  const std::unique_ptr<Task> loaded = loaded_task(scratch.path("run"));
  CHECK(same_bits(loaded->model().state_dict(), task->model().state_dict()));
  CHECK(predicted_lines(*loaded, inputs) == lines);
  loaded->load_data(data);
  const Metrics a = task->evaluate(), b = loaded->evaluate();
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) CHECK(a[i].value == b[i].value);
  // On the test file: multiples of 1/20.
  CHECK(std::fmod(a[0].value, 5) == doctest::Approx(0));
}

TEST_CASE("text classifier: a blank text gets a blank answer, a long one is read to its end") {
  const Scratch scratch;
  const std::string data = data_folder(scratch);
  const std::unique_ptr<Task> task = prepared_task("sentiment", data, kTiny),
                              learned = prepared_task("sentiment", data,
                                                      with(kTiny, {{"position", "learned"}}));
  task->model().eval();
  learned->model().eval();
  std::string lengthy = "there was rain";
  for (int i = 0; i < 12; ++i) lengthy += " in town";
  const std::string longer = lengthy + " and soup, soup, soup, soup, soup, soup, soup";
  const std::vector<std::string> lines =
      predicted_lines(*task, {"", "words never seen", " \t", lengthy, longer});
  REQUIRE(lines.size() == 5);
  for (const size_t i : {1, 3, 4})
    CHECK_MESSAGE(lines[i].find(" %)") != std::string::npos, lines[i]);
  CHECK(lines[0].empty());
  CHECK(lines[2].empty());
  CHECK(task->facts().size() == 3);  // no training text is cut

  // Learned positions end at max_length, which is reported.
  const std::vector<std::string> cut = predicted_lines(*learned, {lengthy, longer});
  CHECK(cut[0] == cut[1]);
  std::ostringstream out, notes;
  learned->predict({"in town", lengthy}, out, &notes);
  CHECK(notes.str() ==
        "tarsier: note: only the first 12 of 28 tokens of 'there was rain in town in town in town "
        "i…'"
        " are read\n");
  notes.str("");
  task->predict({lengthy}, out, &notes);
  CHECK(notes.str().empty());
}

TEST_CASE("text classifier: the metric is that of the whole texts, or has a note") {
  const Scratch scratch;
  const std::string data = data_folder(scratch);
  const auto prepared = [&](const char* length, const char* position) {
    std::unique_ptr<Task> task = prepared_task(
        "sentiment", data, with(kTiny, {{"max_length", length}, {"position", position}}));
    task->model().eval();
    return task;
  };
  const auto all = prepared("20", "sinusoidal"), some = prepared("3", "sinusoidal");
  some->model().load_state_dict(all->model().state_dict());
  const Metrics whole = all->evaluate(), cut = some->evaluate();
  CHECK(value_of(cut, "loss") == value_of(whole, "loss"));
  CHECK(value_of(some->validate(), "val_loss") == value_of(all->validate(), "val_loss"));
  CHECK(cut[0].note.empty());
  REQUIRE(some->facts().size() == 4);
  CHECK(some->facts()[2].first == "cut");
  CHECK(
      some->facts()[2].second.starts_with("to max_length 3: 60 of 60 training texts, which lose "));

  const auto learned = prepared("3", "learned");
  CHECK(
      learned->evaluate()[0].note.starts_with("cut to max_length 3: 20 of 20 texts, which lose "));
}

TEST_CASE("text classifier: columns by name, and an unknown header is an error") {
  const Scratch scratch;
  std::string named = "id;Satz;Klasse\n", plain = "Klasse;Satz\n";
  for (int i = 0; i < 40; ++i) {
    const auto [label, text] = example(i);
    named += std::to_string(i) + ";" + text + ";" + label + "\n";
    plain += label + ";" + text + "\n";
  }
  const std::string a = scratch.write("a.csv", named), b = scratch.write("b.csv", plain);
  const auto task =
      prepared_task("sentiment", a, with(kTiny, {{"text", "satz"}, {"label", "Klasse"}}));
  CHECK(task->describe_data()["labels"].as_array().size() == 2);
  CHECK(task->facts()[1].second.find("columns 'Klasse' and 'Satz'") != std::string::npos);
  check_error("it is unclear which are the label and the text",
              [&] { prepared_task("sentiment", a, kTiny); });
  check_error("the label 'Klasse' occurs only in this line",
              [&] { prepared_task("sentiment", b, kTiny); });
  CHECK(prepared_task("sentiment", b, with(kTiny, {{"header", "yes"}}))->training_examples() == 33);
}

TEST_CASE("text classifier: label and text in the other order, and as CSV, are the same data") {
  const Scratch scratch, swapped;
  const std::unique_ptr<Task> a = prepared_task("sentiment", data_folder(scratch), kTiny);
  const std::unique_ptr<Task> b = prepared_task("sentiment", data_folder(swapped, false),
                                                with(kTiny, {{"order", "text-label"}}));
  CHECK(a->describe_data() == b->describe_data());
  CHECK(same_bits(a->batch(3, 1).tensors, b->batch(3, 1).tensors));

  // A single file is split: a tenth validates, a tenth tests.
  std::string csv = "text,label\n", tsv;
  for (int i = 0; i < 80; ++i) {
    const auto [label, text] = example(i);
    csv += "\"" + text + ", \"\"truly\"\"\"," + label + "\n";
    tsv += label + "\t" + text + ", \"truly\"\n";
  }
  const std::unique_ptr<Task> c = prepared_task("sentiment", scratch.write("a.csv", csv), kTiny);
  const std::unique_ptr<Task> d = prepared_task("sentiment", scratch.write("a.tsv", tsv), kTiny);
  CHECK(c->describe_data() == d->describe_data());
  CHECK(c->batches_per_epoch() == d->batches_per_epoch());
  CHECK(same_bits(c->batch(1, 1).tensors, d->batch(1, 1).tensors));
}

TEST_CASE("text classifier: with balanced, a rare label counts as much as a frequent one") {
  const Scratch scratch;
  const std::string data = data_folder(scratch);
  const auto plain = prepared_task("sentiment", data, kTiny),
             balanced = prepared_task("sentiment", data, with(kTiny, {{"balanced", "true"}}));
  plain->model().eval();
  balanced->model().eval();
  const NoGrad no_grad;
  const Batch batch = plain->batch(1, 1);
  // 15 of 60 are food: weights 60 / (2 · 15) and 60 / (2 · 45).
  const auto& model = dynamic_cast<text_classifier::TextClassifier&>(plain->model());
  const Tensor each = cross_entropy(
      const_cast<text_classifier::TextClassifier&>(model)(batch["index"], batch["padding"]),
      batch["labels"], {.reduction = Reduction::none});
  double sum = 0, weights = 0;
  const std::vector<double> losses = each.to_vector(), labels = batch["labels"].to_vector();
  for (size_t i = 0; i < losses.size(); ++i) {
    const double weight = labels[i] == 0 ? 2.0 : 2.0 / 3;
    sum += weight * losses[i];
    weights += weight;
  }
  CHECK(balanced->loss(batch).item() == doctest::Approx(sum / weights).epsilon(1e-5));
  CHECK(plain->loss(batch).item() == doctest::Approx(mean(each).item()).epsilon(1e-5));
}

TEST_CASE("text classifier: a label that training has never seen is named with its line") {
  const Scratch scratch;
  const std::string data = data_folder(scratch);
  scratch.write("data/val.tsv", "food\twe had rice\nsport\twe ran\n");
  check_error("training has never seen the label 'sport'",
              [&] { prepared_task("sentiment", data, kTiny); });
  check_error("line 2", [&] { prepared_task("sentiment", data, kTiny); });
  check_error("sentiment has no built-in data", [&] { prepared_task("sentiment", "", kTiny); });
}

TEST_CASE("text classifier: a batch depends only on seed and number, and hides random words") {
  const Scratch scratch;
  const std::string data = data_folder(scratch);
  const auto a = prepared_task("sentiment", data, kTiny),
             b = prepared_task("sentiment", data, kTiny),
             plain = prepared_task("sentiment", data, with(kTiny, {{"token_dropout", "0"}}));
  b->batch(3, 1);  // in another order
  int64_t items = 0;
  for (const int64_t number : {1, 2, 3, 4, 5, 6, 7, 8}) {
    const Batch x = a->batch(number, 1), z = plain->batch(number, 1);
    CHECK(same_bits(x.tensors, b->batch(number, 1).tensors));
    CHECK(x["labels"].to_vector() == z["labels"].to_vector());
    items += x.items;
    // A token is unchanged or unknown; the first one and the padding do not change.
    const std::vector<double> hidden = x["index"].to_vector(), whole = z["index"].to_vector();
    int64_t unknown = 0;
    for (size_t i = 0; i < whole.size(); ++i) {
      CHECK((hidden[i] == whole[i] || (hidden[i] == 1 && whole[i] > 3)));
      unknown += hidden[i] != whole[i];
    }
    CHECK(unknown > 0);
    CHECK(unknown < static_cast<int64_t>(whole.size()) / 2);
  }
  CHECK(items == 60);  // an epoch has every text once
}

TEST_CASE("text classifier: a run stopped in the middle of an epoch resumes to the same bits") {
  const Scratch scratch;
  CHECK(resumes_exactly(scratch, "sentiment", data_folder(scratch), kTiny, 11));
}

TEST_CASE(
    "text classifier: the default data are tarsier's own sources; also with characters and bpe" *
    doctest::test_suite("long")) {
  for (const char* tokens : {"words", "characters", "bpe"}) {
    CAPTURE(tokens);
    const std::unique_ptr<Task> task = prepared_task(
        "text-classifier", "",
        with(kTiny, {{"tokens", tokens}, {"vocab_size", "300"}, {"epochs", "0"}, {"steps", "4"}}));
    CHECK(task->describe_data()["labels"].as_array().size() >= 4);
    const Scratch scratch;
    CHECK(train_task(*task, "", scratch.path("run")).step == 4);
    std::ostringstream sample;
    task->show_sample(sample);
    CHECK(sample.str().find("read as") != std::string::npos);
    CHECK(predicted_lines(*loaded_task(scratch.path("run")), {"x = y;"}) ==
          predicted_lines(*task, {"x = y;"}));
  }
}

TEST_CASE("text classifier: settings of the model that do not fit are refused") {
  const Scratch scratch;
  const std::string data = data_folder(scratch);
  const auto build = [&](const Changes& changes) {
    return prepared_task("sentiment", data, with(kTiny, changes));
  };
  check_error("heads=3 does not divide width=8", [&] { build({{"heads", "3"}}); });
  CHECK_THROWS_AS(build({{"pooling", "max"}}), UsageError);
  CHECK_THROWS_AS(build({{"tokens", "letters"}}), UsageError);
  CHECK_THROWS_AS(build({{"token_dropout", "1"}}), UsageError);
  CHECK_THROWS_AS(build({{"order", "text"}}), UsageError);
}

}  // namespace
}  // namespace tarsier::zoo
