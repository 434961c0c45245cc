// The translation task: its data, its settings, its metric.
#include <doctest/doctest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "tests/error_of.h"
#include "tests/zoo/scratch.h"
#include "zoo/transformer/pairs.h"

namespace tarsier::zoo {
namespace {

const std::vector<std::string> kGerman = {"ein hund läuft",        "eine katze schläft",
                                          "zwei hunde laufen",     "zwei katzen schlafen",
                                          "ein hund schläft hier", "eine katze läuft nach haus",
                                          "hier läuft ein hund",   "nach haus laufen zwei katzen"};
const std::vector<std::string> kEnglish = {
    "a dog runs",        "a cat sleeps",    "two dogs run",    "two cats sleep",
    "a dog sleeps here", "a cat runs home", "here a dog runs", "two cats run home"};

const Changes kTinyTranslator = {
    {"source", "de"},       {"target", "en"},         {"width", "32"},
    {"mlp_width", "32"},    {"layers", "1"},          {"heads", "2"},
    {"dropout", "0"},       {"min_count", "1"},       {"batch_size", "8"},
    {"epochs", "0"},        {"steps", "150"},         {"learning_rate", "0.01"},
    {"warmup_steps", "10"}, {"label_smoothing", "0"}, {"weight_decay", "0"}};

/// The sentences above as train, val and a test set, in the folder "pairs".
std::string pairs_folder(const Scratch& scratch) {
  std::filesystem::create_directories(scratch.path("pairs"));
  for (const char* part : {"train", "val", "test1"}) {
    scratch.write(concat("pairs/", part, ".de"), joined(kGerman));
    scratch.write(concat("pairs/", part, ".en"), joined(kEnglish));
  }
  return scratch.path("pairs");
}

std::string predicted(Task& task, const std::vector<std::string>& inputs) {
  std::ostringstream out;
  task.predict(inputs, out);
  return out.str();
}

TEST_CASE("translation memorises a batch of pairs; eval then gives BLEU 100") {
  const Scratch scratch;
  const std::string data = pairs_folder(scratch);
  const std::unique_ptr<Task> task = prepared_task("translation", data, kTinyTranslator);
  const TrainOutcome outcome = train_task(*task, data, scratch.path("run"));
  CHECK(outcome.metrics[0].name == "val_loss");
  CHECK(outcome.metrics[0].value < 0.1);

  const std::unique_ptr<Task> loaded = loaded_task(scratch.path("run"));
  CHECK(predicted(*loaded, kGerman) == joined(kEnglish));
  CHECK(predicted(*loaded, {kGerman[5]}) == kEnglish[5] + "\n");
  CHECK(predicted(*loaded, {"EIN Hund"}) == predicted(*loaded, {"ein hund"}));  // lower
  CHECK_NOTHROW(predicted(*loaded, {"ein wombat 🐨 läuft"}));
  // A blank input gives a blank output.
  CHECK(predicted(*loaded, {"", kGerman[5], " \t\xC2\xA0"}) == "\n" + kEnglish[5] + "\n\n");
  loaded->load_data(data);
  const Metrics metrics = loaded->evaluate();
  CHECK(metrics[0].name == "BLEU");
  CHECK(metrics[0].text() == "100.00");
  CHECK(metrics[1].name == "exact");
  CHECK(metrics[1].text() == "100.00 %");
  CHECK(metrics[2].name == "perplexity");
  CHECK(metrics[2].value < 1.1);

  // With two test sets each has its name; with none the validation split counts.
  for (const char* language : {"de", "en"})
    std::filesystem::copy(data + "/test1." + language, data + "/test2." + language);
  loaded->load_data(data);
  CHECK(loaded->evaluate()[0].name == "BLEU test1");
  CHECK(loaded->evaluate()[3].name == "BLEU test2");
  for (const char* file : {"test1.de", "test1.en", "test2.de", "test2.en"})
    std::filesystem::remove(data + "/" + file);
  loaded->load_data(data);
  CHECK(loaded->evaluate()[0].name == "BLEU");
}

TEST_CASE("what writes lower case is compared with lower case") {
  const Scratch scratch;
  const std::string data = pairs_folder(scratch);
  std::vector<std::string> english = kEnglish;
  for (std::string& line : english) line[0] = static_cast<char>(line[0] - 'a' + 'A');
  english[0] = "A  dog runs";  // words do not keep the number of spaces
  for (const char* part : {"train", "val", "test1"})
    scratch.write(concat("pairs/", part, ".en"), joined(english));
  Changes changes = kTinyTranslator;
  const auto evaluated = [&] {
    const std::unique_ptr<Task> task = prepared_task("translation", data, changes);
    train_task(*task, data, scratch.path(concat("run", changes.size())));
    return task->evaluate();
  };
  const Metrics small = evaluated();
  CHECK(small[0].text() == "100.00");
  CHECK(small[1].text() == "100.00 %");
  CHECK(small[1].line() ==
        "exact 100.00 %  (8 of 8 references compared as the model writes them, in lower case)");
  CHECK(small[2].note.empty());
  changes.emplace_back("lower", "false");
  const Metrics whole = evaluated();
  CHECK(whole[1].text() == "100.00 %");
  CHECK(whole[1].note == "1 of 8 references compared as the model writes them");
}

TEST_CASE("a cut target has no end, and what is cut is counted") {
  const ParallelText text{.name = "x", .source = {"a b c d", "a"}, .target = {"p q r s t", "p q"}};
  const auto source = Tokenizer::train(text.source, {.min_count = 1}),
             target = Tokenizer::train(text.target, {.min_count = 1});
  const auto rows = [&](const transformer::TokenPairs& pairs, const char* name) {
    return pairs.batch({0})[name].to_vector<int64_t>();
  };
  const auto id = [](const Tokenizer& tokenizer, const char* word) {
    return int64_t{tokenizer.encode(word)[0]};
  };
  const transformer::TokenPairs whole(text, *source, *target, kNoLimit),
      cut(text, *source, *target, 3);
  CHECK(rows(whole, "next").size() == 6);
  CHECK(rows(whole, "next").back() == kEnd);
  CHECK_FALSE(whole.cut().any());
  CHECK(rows(cut, "target") == std::vector<int64_t>{kBegin, id(*target, "p"), id(*target, "q")});
  CHECK(rows(cut, "next") ==
        std::vector<int64_t>{id(*target, "p"), id(*target, "q"), id(*target, "r")});
  CHECK(rows(cut, "source") == std::vector<int64_t>{id(*source, "a"), id(*source, "b"), kEnd});
  CHECK(cut.batch({1})["next"].to_vector<int64_t>().back() == kEnd);
  CHECK(cut.cut().text("pairs") == "1 of 2 pairs, which lose 5 of 16 tokens");
}

TEST_CASE("translation evaluates whole texts, and reports what it cuts") {
  const Scratch scratch;
  const std::string data = pairs_folder(scratch);
  const auto with = [&](const char* length, const char* position) {
    Changes changes = kTinyTranslator;
    changes.emplace_back("max_length", length);
    changes.emplace_back("position", position);
    return prepared_task("translation", data, changes);
  };
  // Sinusoidal positions have no limit: max_length in training does not matter here.
  const auto all = with("100", "sinusoidal"), some = with("4", "sinusoidal");
  const auto same_weights = [&] { some->model().load_state_dict(all->model().state_dict()); };
  same_weights();
  all->model().eval();
  some->model().eval();
  CHECK(some->validate()[0].value == all->validate()[0].value);
  CHECK(some->evaluate()[0].value == all->evaluate()[0].value);
  CHECK(some->evaluate()[2].value == all->evaluate()[2].value);
  CHECK(some->evaluate()[2].note.empty());
  CHECK(predicted(*some, {kGerman[5]}) == predicted(*all, {kGerman[5]}));
  CHECK(all->facts().size() == 3);
  REQUIRE(some->facts().size() == 4);
  CHECK(some->facts()[2] ==
        std::pair<std::string, std::string>{
            "cut",
            "to max_length 4: 4 of 8 training pairs, which lose 10 of 74 tokens (--set "
            "max_length=N reads more)"});

  const auto learned = with("4", "learned");
  learned->model().eval();
  CHECK(learned->facts()[2].second.find("; 4 of 8 validation pairs, which lose 10") !=
        std::string::npos);
  CHECK(learned->evaluate()[2].note ==
        "cut to max_length 4: 4 of 8 pairs, which lose 10 of 74 tokens");
  CHECK(learned->evaluate()[0].note == learned->evaluate()[2].note);
  std::ostringstream out, notes;
  learned->predict({kGerman[5], kGerman[0]}, out, &notes);
  CHECK(notes.str() ==
        "tarsier: note: only the first 4 of 6 tokens of 'eine katze läuft nach haus' are read\n");
}

TEST_CASE("translation learns from a table of pairs, its columns by name") {
  const Scratch scratch;
  std::string table = "id;EN;DE\n";
  for (int i = 0; i < 16; ++i)
    table += concat(i, ";", kEnglish[static_cast<size_t>(i % 8)], ";",
                    kGerman[static_cast<size_t>(i % 8)], "\n");
  const std::unique_ptr<Task> task =
      prepared_task("translation", scratch.write("pairs.csv", table), kTinyTranslator);
  CHECK(task->training_examples() == 13);
  CHECK(task->facts()[1].second.find("columns 'DE' and 'EN'") != std::string::npos);
}

TEST_CASE("translation: source and target name the files; what is missing is named") {
  const Scratch scratch;
  const std::string data = pairs_folder(scratch);
  const auto with = [&](const std::string& source, const std::string& target) {
    Changes changes = kTinyTranslator;
    changes[0].second = source;
    changes[1].second = target;
    return prepared_task("translation", data, changes);
  };
  CHECK(with("de", "en")->describe_data() != with("en", "de")->describe_data());
  check_error("train.fr", [&] { with("fr", "en"); });
  scratch.write("pairs/val.en", "one line\n");
  check_error("val.en", [&] { with("de", "en"); });
  std::filesystem::remove(data + "/val.en");
  check_error("val.en", [&] { with("de", "en"); });
  // Not the dates of the other preset, which it would silently learn.
  check_error("translation has no built-in data",
              [&] { prepared_task("translation", "", kTinyTranslator); });
}

TEST_CASE("translation resumes to the same bits in the middle of an epoch") {
  const Scratch scratch;
  const std::string data = pairs_folder(scratch);
  Changes changes = kTinyTranslator;
  for (auto& [key, value] : changes) {
    if (key == "batch_size") value = "3";  // three batches in an epoch
    if (key == "steps") value = "9";
    if (key == "dropout") value = "0.2";
  }
  CHECK(resumes_exactly(scratch, "translation", data, changes, 5));
}

TEST_CASE("the transformer's default data are dates; they train") {
  const std::unique_ptr<Task> task = prepared_task(
      "transformer", "", {{"width", "16"}, {"heads", "2"}, {"epochs", "0"}, {"steps", "20"}});
  const double before = task->validate()[0].value;
  const Scratch scratch;
  const TrainOutcome outcome = train_task(*task, "", scratch.path("run"));
  CHECK(outcome.metrics[0].value < before);
  CHECK_FALSE(task->example_input().empty());
  CHECK_FALSE(predicted(*task, {task->example_input()}).empty());
}

}  // namespace
}  // namespace tarsier::zoo
